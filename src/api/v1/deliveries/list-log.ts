import * as z from 'zod'
import { readLogPage } from '../../../history/log-page.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnySubscription } from '../../find.ts'
import { cursorStart, nextSearch, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { deliveryAnswer, deliveryAnswerSchema } from './delivery-answer.ts'
import { deliveryFiltersShape } from './delivery-filters.ts'

const querySchema = z.strictObject({ ...deliveryFiltersShape, ...pagingShape })

/** `GET /webhooks/{id}/logs`: the log, newest accepted first, each delivery with its attempts. */
export const listLog = defineRoute(
  {
    method: 'get',
    path: '/webhooks/{id}/logs',
    operationId: 'listLog',
    summary: "A subscription's deliveries",
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    query: querySchema,
    answer: z.array(deliveryAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, id, query }) => {
    const subscription = await findAnySubscription(deps, workspaceId, id)
    const { entries, nextBelowSeq } = await readLogPage(deps.db, {
      subscriptionNo: subscription.no,
      workspaceNo: subscription.workspaceNo,
      type: query.event ?? null,
      states: query.status ?? null,
      error: query.error ?? null,
      acceptedFromMs: query.dateFrom ?? null,
      acceptedToMs: query.dateTo ?? null,
      belowSeq: query.cursor === undefined ? null : cursorStart('log', query.cursor, 0),
      limit: query.limit ?? PAGE_LIMIT_DEFAULT,
    })
    const seenAt = { subscription, nowMs: deps.now() }
    return {
      data: entries.map(({ delivery, earlier }) => deliveryAnswer(delivery, earlier, seenAt)),
      pagination: nextSearch('log', nextBelowSeq),
    }
  },
)

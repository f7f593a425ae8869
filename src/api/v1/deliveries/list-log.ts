import * as z from 'zod'
import { readLogPage } from '../../../history/log-page.ts'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import { DELIVERY_STATES, type DeliveryState } from '../../../model/delivery.ts'
import { eventPatternSchema } from '../../../model/event-type.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnySubscription } from '../../find.ts'
import { cursorStart, nextSearch, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { ATTEMPT_ERRORS } from './attempt-texts.ts'
import { deliveryAnswer, deliveryAnswerSchema } from './delivery-answer.ts'

const STATUS_HINT = 'must be pending, success, failed or skipped, or several of these joined by commas'

const querySchema = z.strictObject({
  event: eventPatternSchema.optional(),
  status: z
    .string()
    .refine((text) => text.split(',').every(isState), STATUS_HINT)
    .transform((text) => text.split(',').filter(isState))
    .optional(),
  error: z.enum(ATTEMPT_ERRORS, `must be one of ${ATTEMPT_ERRORS.join(', ')}`).optional(),
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
  ...pagingShape,
})

function isState(text: string): text is DeliveryState {
  return (DELIVERY_STATES as readonly string[]).includes(text)
}

/** `GET /webhooks/{id}/logs`: the log, newest accepted first, each delivery with its attempts. */
export const listLog = defineRoute(
  {
    method: 'get',
    path: '/webhooks/{id}/logs',
    operationId: 'listLog',
    summary: "A subscription's deliveries",
    tag: 'Deliveries',
    scope: 'deliveries:read',
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

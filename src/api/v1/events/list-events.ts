import * as z from 'zod'
import { listEvents as list } from '../../../history/list-events.ts'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import { eventPatternSchema } from '../../../model/event-type.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextSearch, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { eventAnswerSchema, listedEventAnswer } from './event-answer.ts'

const querySchema = z.strictObject({
  event: eventPatternSchema.optional(),
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
  ...pagingShape,
})

/** `GET /events`: a workspace's events, newest accepted first. */
export const listEvents = defineRoute(
  {
    method: 'get',
    path: '/events',
    operationId: 'listEvents',
    summary: 'List events',
    tag: 'Events',
    scope: 'events:read',
    forBound: 'own',
    refusals: [],
    query: querySchema,
    answer: z.array(eventAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const { rows, nextBelowSeq } = await list(deps.db, workspaceId, {
      type: query.event ?? null,
      acceptedFromMs: query.dateFrom ?? null,
      acceptedToMs: query.dateTo ?? null,
      belowSeq: query.cursor === undefined ? null : cursorStart('events', query.cursor, 0),
      limit: query.limit ?? PAGE_LIMIT_DEFAULT,
      subscriptionNos: await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding),
    })
    return { data: rows.map(listedEventAnswer), pagination: nextSearch('events', nextBelowSeq) }
  },
)

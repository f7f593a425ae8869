import * as z from 'zod'
import { listEvents as list } from '../../../history/list-events.ts'
import { listFoundEvents } from '../../../history/search/list-found-events.ts'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import { eventPatternSchema } from '../../../model/event-type.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findNamedEvent } from '../../find.ts'
import { cursorStart, nextSearch, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { eventAnswer, eventAnswerSchema, listedEventAnswer } from './event-answer.ts'
import { payloadSearchShape, readPayloadSearch } from './payload-search.ts'

const querySchema = z.strictObject({
  event: eventPatternSchema.optional(),
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
  ...payloadSearchShape,
  ...pagingShape,
})

/** `GET /events`: a workspace's events, newest accepted first; those with a text or a value in their payload. */
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
    const selected = {
      type: query.event ?? null,
      acceptedFromMs: query.dateFrom ?? null,
      acceptedToMs: query.dateTo ?? null,
      belowSeq: query.cursor === undefined ? null : cursorStart('events', query.cursor, 0),
      limit: query.limit ?? PAGE_LIMIT_DEFAULT,
      subscriptionNos: await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding),
    }
    const search = readPayloadSearch(query)
    const named = query.q === undefined ? null : await findNamedEvent(deps, workspaceId, query.q)
    if (named !== null) return { data: [eventAnswer(named)], pagination: nextSearch('events', null) }
    const { rows, nextBelowSeq } =
      search === null
        ? await list(deps.db, workspaceId, selected)
        : await listFoundEvents(deps, workspaceId, { query: selected, search })
    return { data: rows.map(listedEventAnswer), pagination: nextSearch('events', nextBelowSeq) }
  },
)

import { z } from 'zod'
import { SEQ_MAX, seqRange } from '../../../base/ids/seq.ts'
import { listEvents as list } from '../../../history/event-log.sql.ts'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import { eventTypeSchema } from '../../../model/event-type.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { eventAnswer, eventAnswerSchema } from './event-answer.ts'

const querySchema = z.strictObject({
  event: eventTypeSchema.optional(),
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
  ...pagingShape,
})

/** `GET /events`: a workspace's events, newest accepted first. */
export const listEvents = defineRoute(
  {
    method: 'get',
    path: '/events',
    summary: 'List events',
    tag: 'Events',
    query: querySchema,
    answer: z.array(eventAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const bounds = seqRange(query.dateFrom ?? null, query.dateTo ?? null)
    const { events, coveredToSeq } = await list(deps.db, workspaceId, {
      minSeq: bounds.min,
      belowSeq: Math.min(cursorStart('events', query.cursor, SEQ_MAX), bounds.max + 1),
      type: query.event ?? null,
      acceptedFromMs: query.dateFrom ?? null,
      acceptedToMs: query.dateTo ?? null,
      limit: query.limit ?? PAGE_LIMIT_DEFAULT,
    })
    return {
      data: events.map(eventAnswer),
      pagination: nextCursor('events', coveredToSeq > bounds.min ? coveredToSeq : null),
    }
  },
)

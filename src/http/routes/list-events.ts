import { z } from 'zod'
import { dateFromSchema, dateToSchema } from '../../domain/date-range.ts'
import { eventTypeSchema } from '../../domain/event-type.ts'
import { SEQ_MAX, seqRange } from '../../domain/seq.ts'
import { listEvents as list } from '../../storage/event-log.ts'
import { eventAnswer, eventAnswerSchema } from '../event-answer.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape } from '../paging.ts'
import { route } from '../route.ts'

const querySchema = z.strictObject({
  event: eventTypeSchema.optional(),
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
  ...pagingShape,
})

/** `GET /events`: a workspace's events, newest accepted first. */
export const listEvents = route(
  {
    method: 'get',
    path: '/events',
    summary: 'List events',
    tag: 'Events',
    query: querySchema,
    answer: z.array(eventAnswerSchema),
    paged: true,
  },
  async ({ relay, workspaceId, query }) => {
    const bounds = seqRange(query.dateFrom ?? null, query.dateTo ?? null)
    const { events, coveredToSeq } = await list(relay.env.DB, workspaceId, {
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

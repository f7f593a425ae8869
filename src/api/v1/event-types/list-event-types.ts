import * as z from 'zod'
import { decodeNameCursor, encodeNameCursor } from '../../../base/ids/cursor.ts'
import type { EventType } from '../../../catalogue/catalogue.ts'
import { listEventTypes as list } from '../../../catalogue/event-types.sql.ts'
import { invalidField } from '../../../model/errors.ts'
import { defineRoute } from '../../define-route.ts'
import { PAGE_LIMIT_DEFAULT, pagingShape, readInSteps } from '../../paging.ts'
import { eventTypeAnswer, eventTypeAnswerSchema } from './event-type-answer.ts'

const querySchema = z.strictObject({
  ...pagingShape,
  q: z
    .string()
    .max(100, 'must be at most 100 characters')
    .optional()
    .describe('Text in the name, description or group'),
  prefix: z
    .string()
    .max(128, 'must be at most 128 characters')
    .optional()
    .describe('How the name begins, such as "invoice."'),
  deprecated: z.enum(['true', 'false'], 'must be "true" or "false"').meta({ like: z.boolean() }).optional(),
})

/** `GET /event-types`: a workspace's catalogue, by name. */
export const listEventTypes = defineRoute(
  {
    method: 'get',
    path: '/event-types',
    operationId: 'listEventTypes',
    summary: 'List event types',
    tag: 'Event types',
    scope: 'webhooks:read',
    forBound: 'shared',
    refusals: [],
    query: querySchema,
    answer: z.array(eventTypeAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const filter = {
      prefix: query.prefix ?? '',
      q: query.q ?? '',
      deprecated: query.deprecated === undefined ? null : query.deprecated === 'true',
    }
    const start = startOf(query.cursor)
    const { rows, hasMore } = await readInSteps(limit, {
      read: (after: EventType | undefined, rowsMax) =>
        list(deps.db, workspaceId, { ...filter, after: after?.name ?? start, limit: rowsMax }),
      charsOf: ({ example, schema }) => JSON.stringify([example, schema]).length,
    })
    const last = rows.at(-1)
    const isCut = hasMore && last !== undefined
    return {
      data: rows.map(eventTypeAnswer),
      pagination: { nextCursor: isCut ? encodeNameCursor('event-types', last.name) : null },
    }
  },
)

function startOf(cursor: string | undefined): string {
  if (cursor === undefined) return ''
  const start = decodeNameCursor('event-types', cursor)
  if (start === null) throw invalidField('cursor', 'must be the nextCursor of an earlier page of this list')
  return start
}

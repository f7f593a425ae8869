import * as z from 'zod'
import { defineTool } from '../tool.ts'
import { cursorSchema, limitSchema, listed } from './lists.ts'

/** Finds events, as `GET /events` does. */
export const searchEvents = defineTool(
  {
    name: 'search_events',
    title: 'Search events',
    description:
      'Finds published events, newest first: by id or a text in the payload (q), by a value at a path, by type and time.',
    scope: 'events:read',
    input: z.strictObject({
      q: z.string().optional().describe('An event’s id, or a text in its payload'),
      path: z
        .string()
        .optional()
        .describe('Where a value is looked for, such as data.object.id; with equals'),
      equals: z.string().optional().describe('The value at path, as a text'),
      event: z.string().optional().describe('A type such as invoice.paid, or a pattern such as invoice.*'),
      dateFrom: z.string().optional().describe('ISO 8601 time'),
      dateTo: z.string().optional().describe('ISO 8601 time'),
      limit: limitSchema,
      cursor: cursorSchema,
    }),
  },
  async (call, { limit = 20, ...query }) =>
    listed('events', await call('GET', '/events', { query: { limit, ...query } })),
)

import * as z from 'zod'
import { STANDINGS } from '../../../subscription/overview/standing.ts'
import { defineTool } from '../tool.ts'
import { cursorSchema, limitSchema } from './lists.ts'

type Row = Record<'id' | 'url' | 'health', string> & {
  name: string | null
  events: string[]
  disabledReason: string | null
  pausedAt: string | null
  lastDay: unknown
}

/** Lists subscriptions by how they stand, as `GET /webhooks` does. */
export const listSubscriptions = defineTool(
  {
    name: 'list_subscriptions',
    title: 'List subscriptions by health',
    description:
      'Lists the subscriptions (webhooks) with how each stands and its last day: all, or those of a health or with a text in name, URL or description.',
    scope: 'webhooks:read',
    input: z.strictObject({
      health: z.enum(STANDINGS).optional().describe('Only those that stand like this'),
      q: z.string().optional().describe('A text in name, URL or description'),
      limit: limitSchema,
      cursor: cursorSchema,
    }),
  },
  async (call, { limit = 20, ...query }) => {
    const { data, nextCursor } = await call('GET', '/webhooks', { query: { limit, ...query } })
    const rows = data as Row[]
    const subscriptions = rows.map(
      ({ id, name, url, health, events, disabledReason, pausedAt, lastDay }) => ({
        ...{ id, name, url, health, events, disabledReason, pausedAt, lastDay },
      }),
    )
    const lines = subscriptions.map((each) => `${each.health}: ${each.name ?? each.url} (${each.id})`)
    const more = nextCursor === null ? [] : [`There are more: cursor ${nextCursor}.`]
    const text = lines.length === 0 ? 'No subscriptions.' : [...lines, ...more].join('\n')
    return { text, data: { subscriptions, nextCursor } }
  },
)

import type { QueryKey } from '@tanstack/react-query'
import type { Schemas } from '../api/schemas.ts'

/** One change of a delivery, as the stream tells it. */
export type Told = Schemas['StreamMessage']

/** Lists and figures in which any delivery may count. */
const OF_ALL: ReadonlySet<string> = new Set([
  '/api/v1/deliveries',
  '/api/v1/events',
  '/api/v1/replays',
  '/api/v1/statistics',
  '/api/v1/webhooks',
])

/** What is about one thing, by the beginning of its path: which member of a message names the thing. */
const OF_ONE: readonly [path: string, member: keyof Told][] = [
  ['/api/v1/events/{id}', 'eventId'],
  ['/api/v1/webhooks/{id}', 'webhookId'],
  ['/api/v1/deliveries/{id}', 'deliveryId'],
]

/** True where one of the messages may have changed what a query has read; null stands for messages that are missing. */
export function isConcerned([, path, init]: QueryKey, told: readonly Told[] | null): boolean {
  if (typeof path !== 'string') return false
  if (OF_ALL.has(path)) return true
  const found = OF_ONE.find(([beginning]) => path === beginning || path.startsWith(`${beginning}/`))
  if (found === undefined) return false
  const id = idOf(init)
  return told === null || id === undefined || told.some((message) => message[found[1]] === id)
}

function idOf(init: unknown): string | undefined {
  return (init as { params?: { path?: { id?: string } } } | undefined)?.params?.path?.id
}

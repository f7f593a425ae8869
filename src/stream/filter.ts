import * as z from 'zod'
import { DELIVERY_STATES } from '../model/delivery.ts'
import { patternMatches } from '../model/event-type.ts'
import type { StreamMessage } from './message.ts'

/** What a listener wants to see; null for all. */
export const streamFilterSchema = z.strictObject({
  webhookId: z.string().nullable(),
  statuses: z.array(z.enum(DELIVERY_STATES)).nullable(),
  event: z.string().nullable(),
  /** Values that the metadata of a subscription must have: the listener is bound to those. */
  metadata: z.record(z.string(), z.string()).nullable(),
})
export type StreamFilter = z.infer<typeof streamFilterSchema>

/** True for a message that a listener wants and may see. */
export function wants(filter: StreamFilter, { shown, metadata }: StreamMessage): boolean {
  const { webhookId, statuses, event } = filter
  return (
    (webhookId === null || shown.webhookId === webhookId) &&
    (statuses === null || statuses.includes(shown.status)) &&
    (event === null || event === '*' || patternMatches(event, shown.event)) &&
    isBoundTo(metadata, filter.metadata)
  )
}

function isBoundTo(own: Record<string, string>, asked: StreamFilter['metadata']): boolean {
  return Object.entries(asked ?? {}).every(([name, value]) => Object.hasOwn(own, name) && own[name] === value)
}

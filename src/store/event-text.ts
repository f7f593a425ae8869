import { eventIdOf, type StoredEvent } from '../model/delivery.ts'
import { defaultPayload } from '../model/event.ts'
import type { EventView } from '../model/event-view.ts'
import { getBody } from './bodies.ts'

/** An event's default payload as text; null when its large text is missing from R2. */
export async function readPayload(bodies: R2Bucket, event: StoredEvent): Promise<string | null> {
  const large = event.bodyKey === null ? null : await getBody(bodies, event.bodyKey)
  const body = event.body ?? (large === null ? null : new TextDecoder().decode(large))
  return body === null ? null : defaultPayload({ id: eventIdOf(event), type: event.type, body })
}

/**
 * Reads an event as rules saw it at its publish, before it had a generated id; null when its text
 * is missing from R2.
 */
export async function eventView(bodies: R2Bucket, event: StoredEvent): Promise<EventView | null> {
  const text = await readPayload(bodies, event)
  return text === null ? null : { ...parseView(text), id: event.ownId }
}

/** The default payload's text, which this relay wrote, as rules see it. */
export function parseView(payload: string): EventView {
  return JSON.parse(payload) as EventView
}

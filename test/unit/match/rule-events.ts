import type { EventView } from '../../../src/model/event-view.ts'
import { SEED_EVENTS } from './seed-events.ts'

/** The event with the given parts as rules see it; `object` is put where seed 002 puts a resource. */
export function viewOf(parts: Partial<EventView> & { object?: unknown } = {}): EventView {
  const { object, ...rest } = parts
  return {
    id: 'evt_1',
    event: 'invoice.created',
    timestamp: '2024-01-15T10:30:00Z',
    livemode: true,
    api_version: 'v1',
    data: object === undefined ? {} : { object },
    context: {},
    ...rest,
  }
}

/** A seed's example event, with changes to its `data.object`. */
export function seedView(name: string, changes: Record<string, unknown> = {}): EventView {
  const text = SEED_EVENTS.find(([each]) => each === name)?.[1]
  if (text === undefined) throw new Error(`no seed event is called ${name}`)
  const parsed = JSON.parse(text)
  return viewOf({
    id: parsed.id,
    event: parsed.event ?? parsed.type,
    timestamp: parsed.timestamp ?? parsed.created_at,
    data: { ...parsed.data, object: { ...parsed.data.object, ...changes } },
    context: parsed.context ?? {},
  })
}

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../local/root.ts'
import type { Json } from './scene.ts'

const EXAMPLES = path.join(ROOT, 'examples')

/** The bodies and programs of the seeds, as they are in `examples/`. */
export const example = {
  /** An event's text, `000-entry_persisted` for example. */
  event: (name: string): string => readFileSync(path.join(EXAMPLES, `events/${name}.json`), 'utf8'),

  /** A subscription without its URL, which is not there to be called. */
  subscription: (name: string): Json => {
    const text = readFileSync(path.join(EXAMPLES, `subscriptions/${name}.json`), 'utf8')
    const { url: _, ...settings } = JSON.parse(text) as Json
    return settings
  },

  /** A program of a seed for its receivers. */
  program: (name: string): string => path.join(EXAMPLES, `verify/${name}`),

  /** The event types of a catalogue file, or of all. */
  types: (name?: string): { name: string; group: string; description: string; example?: Json }[] => {
    const files = readdirSync(path.join(EXAMPLES, 'event-types')).filter(
      (file) => name === undefined || file === `${name}.json`,
    )
    return files.flatMap((file) => {
      const text = readFileSync(path.join(EXAMPLES, 'event-types', file), 'utf8')
      return (JSON.parse(text) as { eventTypes: { name: string; group: string; description: string }[] })
        .eventTypes
    })
  },

  /** What seed 004's first payload format makes of an order. */
  shopOrder: (event: string): Json => {
    const { id, customer_id, total, status, items } = objectOf(event)
    const { timestamp } = JSON.parse(event) as Json
    return { order_id: id, customer_id, total_amount: total, status, items, timestamp }
  },

  /** What its second one makes of a customer. */
  crmCustomer: (event: string): Json => {
    const { id, name, email, phone, address, created_date } = objectOf(event)
    return { customer_id: id, name, email, phone, address, created_date }
  },

  /** An event type that a subscription has named. */
  typeOf: ({ events }: Json): string => String((events as string[])[0]).replace('*', 'created'),
}

function objectOf(event: string): Json {
  return (JSON.parse(event) as { data: { object: Json } }).data.object
}

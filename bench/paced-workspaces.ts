/** Workspaces of one relay, each with one subscription that paces its deliveries in its own way, or not at all. */
import { setTimeout as pause } from 'node:timers/promises'
import { drive, type Load } from './drive.ts'
import type { Engine } from './engines.ts'
import type { Outcome } from './measure.ts'
import type { Processes } from './processes.ts'

/** A way to be delivered to, and the load that is published to it. */
export type Mode = {
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly load: Load
}

const BULK = { perRequest: 100, connections: 4 }
const BY_CUSTOMER = { ordered: true, orderingKey: 'data.object.customerId' }
const BATCHES = { batchSettings: { enabled: true, maxEvents: 100, maxWaitTime: 1 } }

export const MODES: readonly Mode[] = [
  { name: 'each alone', settings: {}, load: { ...BULK, events: 10_000 } },
  { name: 'batches of 100', settings: BATCHES, load: { ...BULK, events: 50_000 } },
  { name: 'one order', settings: { ordered: true }, load: { ...BULK, events: 1_000 } },
  { name: '1,000 orders', settings: BY_CUSTOMER, load: { ...BULK, events: 5_000, customers: 1_000 } },
  {
    name: 'ordered batches of 100',
    settings: { ...BATCHES, ordered: true },
    load: { ...BULK, events: 20_000 },
  },
]

/** Deliveries that have not arrived by then are counted as missing. */
const WAIT_SECONDS = 60
/** How long the receiver's count has to rest before it is final. */
const QUIET_MS = 1_000
const LIMIT_POLL_MS = 100
const LIMIT_WAIT_MS = 60_000

/** What became of a backlog under a rate limit. */
export type Paced = { readonly events: number; readonly arrivedAtMs: readonly number[] }

export class PacedWorkspaces {
  readonly #processes: Processes
  readonly #relay: Engine
  readonly #sink: string

  constructor(processes: Processes, relay: Engine, sink: string) {
    this.#processes = processes
    this.#relay = relay
    this.#sink = sink
  }

  /** Creates a mode's subscription in a workspace of its own. */
  async subscribe(mode: Pick<Mode, 'name' | 'settings'>, url = `${this.#sink}/`): Promise<void> {
    const json = { url, events: ['invoice.*'], secret: 'bench-secret', ...mode.settings }
    await this.#post(mode.name, '/webhooks/subscribe', json)
  }

  /** Publishes a mode's load and waits for every event; what comes beside them shows in `delivered`. */
  async run({ name, load }: Mode): Promise<Outcome> {
    const before = await this.#counted()
    const to = { relay: this.#relay, headers: this.#headers(name), sink: this.#sink }
    const outcome = await drive(this.#processes, to, load, WAIT_SECONDS)
    return { ...outcome, delivered: (await this.#settled()) - before }
  }

  /** Publishes a backlog to a limited subscription and waits until `arrivals`, which its receiver fills, holds it all. */
  async runLimited(name: string, events: number, arrivals: readonly number[]): Promise<Paced> {
    const list = Array.from({ length: 100 }, (_, n) => ({ event: 'invoice.paid', data: { n } }))
    for (let sent = 0; sent < events; sent += list.length) {
      await this.#post(name, '/events', { events: list.slice(0, events - sent) })
    }
    const giveUpAtMs = Date.now() + LIMIT_WAIT_MS
    while (arrivals.length < events && Date.now() < giveUpAtMs) await pause(LIMIT_POLL_MS)
    await pause(QUIET_MS)
    return { events, arrivedAtMs: [...arrivals] }
  }

  async #settled(): Promise<number> {
    let counted = -1
    for (let now = await this.#counted(); now !== counted; now = await this.#counted()) {
      counted = now
      await pause(QUIET_MS)
    }
    return counted
  }

  async #counted(): Promise<number> {
    return Number(await (await fetch(`${this.#sink}/n`)).text())
  }

  async #post(name: string, path: string, json: unknown): Promise<void> {
    const response = await fetch(`${this.#relay.origin}/api/v1${path}`, {
      method: 'POST',
      headers: { ...this.#headers(name), 'content-type': 'application/json' },
      body: JSON.stringify(json),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`the relay refused ${path}: ${response.status} ${text}`)
  }

  #headers(name: string): Record<string, string> {
    return { ...this.#relay.headers, 'x-company-id': name.replace(/[^a-z0-9]+/gi, '_') }
  }
}

/** Workspaces of one relay, each with its own number and kind of subscriptions, and the load driver against them. */
import { setTimeout as pause } from 'node:timers/promises'
import { drive, type Load } from './drive.ts'
import type { Engine } from './engines.ts'
import type { Outcome } from './measure.ts'
import type { Processes } from './processes.ts'
import { type Kind, type Routed, routedSubscriptions } from './routed-subscriptions.ts'

export type RoutingKind = Extract<Kind, 'exact' | 'wildcard' | 'filters'>

/** A workspace with so many subscriptions of one kind, the first of which wants the load driver's event. */
export type Cell = { readonly kind: RoutingKind; readonly count: number }

const SUBSCRIBING_AT_ONCE = 8
/** Deliveries that have not arrived by then are counted as missing. */
const WAIT_SECONDS = 20
/** How long the receiver's count has to rest before it is final. */
const QUIET_MS = 500

export class RoutedWorkspaces {
  readonly #processes: Processes
  readonly #relay: Engine
  readonly #sink: string
  #wanted = 0

  constructor(processes: Processes, relay: Engine, sink: string) {
    this.#processes = processes
    this.#relay = relay
    this.#sink = sink
  }

  /** Creates the cell's subscriptions. */
  async fill(cell: Cell): Promise<void> {
    const rest = routedSubscriptions(cell.kind, cell.count, 1)
    const one = async () => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) await this.#subscribe(cell, next)
    }
    await Promise.all(Array.from({ length: SUBSCRIBING_AT_ONCE }, one))
  }

  /** Publishes as fast as the connections allow, and waits for the deliveries. */
  async publish(cell: Cell, load: Load): Promise<Outcome> {
    this.#wanted += load.events
    const to = { relay: this.#relay, headers: this.#headers(cell), sink: this.#sink }
    return await drive(this.#processes, to, load, WAIT_SECONDS)
  }

  /** Deliveries that came beside those wanted, once no more come; negative when some are missing. */
  async surplus(): Promise<number> {
    let counted = -1
    for (let now = await this.#counted(); now !== counted; now = await this.#counted()) {
      counted = now
      await pause(QUIET_MS)
    }
    return counted - this.#wanted
  }

  async #counted(): Promise<number> {
    return Number(await (await fetch(`${this.#sink}/n`)).text())
  }

  async #subscribe(cell: Cell, { events, rules }: Routed): Promise<void> {
    const url = `${this.#sink}/`
    const response = await fetch(`${this.#relay.origin}/api/v1/webhooks/subscribe`, {
      method: 'POST',
      headers: { ...this.#headers(cell), 'content-type': 'application/json' },
      body: JSON.stringify({ url, events, secret: 'bench-secret', filters: rules?.filters ?? null }),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`the relay refused the subscription: ${response.status} ${text}`)
  }

  #headers({ kind, count }: Cell): Record<string, string> {
    return { ...this.#relay.headers, 'x-company-id': `${kind}_${count}` }
  }
}

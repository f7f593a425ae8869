import { setTimeout as sleep } from 'node:timers/promises'
import type { RelayClient } from '../../../test/support/process/relay-client.ts'
import { between } from '../proof.ts'

/** What the publishers were told, over all starts of the relay. */
export type PacedLedger = {
  /** Ids answered with 202. */
  accepted: Set<string>
  /** Events whose publish had no answer; those with ids of their own were sent again. */
  unanswered: number
  /** Publishes answered with anything but 202 for all their events, and sent again. */
  refused: number
}

/** A publisher with ordering keys of its own. `owed`: what it is to send before anything new. */
type Lane = { keys: readonly string[]; owed: PacedEvent[] }
type PacedEvent = { id?: string; event: string; data: { n: number; object: { customerId: string } } }

const BULK_EVENTS_MAX = 60

/**
 * A number of events, published over several connections, singly and in bulk, half of them under ids of their own. Events
 * of one ordering key all go over one connection, one request after the other, and what had no answer is sent again before
 * anything new: so they are accepted in the order of their numbers.
 */
export class PacedLoad {
  readonly ledger: PacedLedger = { accepted: new Set(), unanswered: 0, refused: 0 }
  readonly #events: number
  readonly #random: () => number
  readonly #lanes: readonly Lane[]
  #made = 0
  #isStopped = false

  constructor(options: { events: number; keys: number; connections: number; random: () => number }) {
    const { events, keys, connections, random } = options
    this.#events = events
    this.#random = random
    this.#lanes = Array.from({ length: connections }, (_, lane) => ({
      keys: Array.from({ length: keys }, (_, key) => `cust_${key}`).filter(
        (_, key) => key % connections === lane,
      ),
      owed: [],
    }))
  }

  /** Whether every event has been made, and answered as far as it ever will be. */
  get isDone(): boolean {
    return this.#made >= this.#events && this.#lanes.every(({ owed }) => owed.length === 0)
  }

  /** Publishes until all is done, `stop` is called, or the relay is gone. */
  async run(client: RelayClient): Promise<void> {
    this.#isStopped = false
    await Promise.all(this.#lanes.map((lane) => this.#runLane(lane, client)))
  }

  /** Ends `run` after the requests that are under way. */
  stop(): void {
    this.#isStopped = true
  }

  async #runLane(lane: Lane, client: RelayClient): Promise<void> {
    while (!this.#isStopped) {
      if (lane.owed.length === 0) lane.owed = this.#newEvents(lane)
      if (lane.owed.length === 0 || !(await this.#publish(lane, client))) return
      await sleep(between(this.#random, 1, 20))
    }
  }

  /** Answers whether there was an answer. */
  async #publish(lane: Lane, client: RelayClient): Promise<boolean> {
    const [first] = lane.owed
    const events = lane.owed.length === 1 && first !== undefined ? first : lane.owed
    try {
      const { ids } = await client.publish(events)
      for (const id of ids) this.ledger.accepted.add(id)
      if (ids.length === lane.owed.length) lane.owed = []
      else this.ledger.refused++
      return true
    } catch {
      this.ledger.unanswered += lane.owed.length
      lane.owed = lane.owed.filter(({ id }) => id !== undefined)
      return false
    }
  }

  #newEvents({ keys }: Lane): PacedEvent[] {
    const count = this.#random() < 0.5 ? 1 : between(this.#random, 2, BULK_EVENTS_MAX)
    const hasIds = this.#random() < 0.5
    return Array.from({ length: Math.min(count, this.#events - this.#made) }, () => {
      const n = ++this.#made
      const customerId = keys[between(this.#random, 0, keys.length - 1)] ?? ''
      return { ...(hasIds && { id: `own-${n}` }), event: 'load.paced', data: { n, object: { customerId } } }
    })
  }
}

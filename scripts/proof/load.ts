import { setTimeout as sleep } from 'node:timers/promises'
import type { RelayClient, TestEvent } from '../../test/support/process/relay-client.ts'
import { between } from './proof.ts'

/** What the publishers were told, over all rounds. */
export type Ledger = {
  /** Ids answered with 202. */
  accepted: Set<string>
  /** Events with own ids whose publish had no answer: a publisher sends them again. */
  unsure: (TestEvent & { id: string })[]
  unanswered: number
  refused: number
}

export function newLedger(): Ledger {
  return { accepted: new Set(), unsure: [], unanswered: 0, refused: 0 }
}

let number = 0

/** Publishes over several connections, singles and bulk, some with own ids, until it is told to stop. */
export class Load {
  readonly #client: RelayClient
  readonly #ledger: Ledger
  readonly #random: () => number
  #stopped = false

  constructor(client: RelayClient, ledger: Ledger, random: () => number) {
    this.#client = client
    this.#ledger = ledger
    this.#random = random
  }

  /** Resolves when every connection has stopped, after `stop` or because the relay is gone. */
  async run(connections: number): Promise<void> {
    await Promise.all(Array.from({ length: connections }, () => this.#connection()))
  }

  stop(): void {
    this.#stopped = true
  }

  async #connection(): Promise<void> {
    while (!this.#stopped) {
      const events = this.#ledger.unsure.splice(0, 3)
      const answered = await this.#publish(events.length > 0 ? events : this.#newEvents())
      if (!answered) return
      await sleep(between(this.#random, 5, 40))
    }
  }

  async #publish(events: TestEvent[]): Promise<boolean> {
    const [first] = events
    try {
      const answer = await this.#client.publish(events.length === 1 && first !== undefined ? first : events)
      for (const id of answer.ids) this.#ledger.accepted.add(id)
      if (answer.status !== 202) this.#ledger.refused++
      return true
    } catch {
      this.#ledger.unanswered += events.length
      this.#ledger.unsure.push(...events.filter((event): event is TestEvent & { id: string } => hasId(event)))
      return false
    }
  }

  #newEvents(): TestEvent[] {
    const kind = this.#random()
    if (kind < 0.55) return [this.#newEvent(false)]
    if (kind < 0.8) return [this.#newEvent(true)]
    const count = between(this.#random, 2, 12)
    return Array.from({ length: count }, () => this.#newEvent(this.#random() < 0.5))
  }

  #newEvent(withId: boolean): TestEvent {
    const event = {
      event: 'load.test',
      data: { n: ++number, pad: 'x'.repeat(between(this.#random, 0, 400)) },
    }
    return withId ? { id: `own-${process.pid}-${number}`, ...event } : event
  }
}

function hasId(event: TestEvent): boolean {
  return event.id !== undefined
}

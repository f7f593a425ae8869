import type { StoredEvent } from '../../model/delivery.ts'

/** How much one isolate may have in the background; beyond that its consumers wait, or memory would fill with what hangs. */
export type StragglerLimits = { count: number; bytes: number }

/** Claims of first attempts and retries: of many receivers each. */
export const CLAIM_STRAGGLERS: StragglerLimits = { count: 50, bytes: 24_000_000 }
/** Turns of paced subscriptions: a tenant may have many that hang, and each has turns of its own. */
export const TURN_STRAGGLERS: StragglerLimits = { count: 500, bytes: 48_000_000 }

/** Takes a piece of work, which must not reject, and what it holds in memory; false when there is too much already. */
export type Background = { leave: (work: Promise<void>, heldBytes: number) => boolean }

/** Where invocations leave what they do not wait for; counts over all invocations of an isolate. */
export class Stragglers {
  readonly #limits: StragglerLimits
  #count = 0
  #bytes = 0

  constructor(limits: StragglerLimits) {
    this.#limits = limits
  }

  /** The background of one invocation. */
  of(keepAlive: (work: Promise<unknown>) => void): Background {
    return {
      leave: (work, heldBytes) => {
        const { count, bytes } = this.#limits
        // One that is too large for the limit alone would hold its invocation up for ever.
        const fits = this.#count === 0 || this.#bytes + heldBytes <= bytes
        if (this.#count >= count || !fits) return false
        this.#count++
        this.#bytes += heldBytes
        keepAlive(
          work.finally(() => {
            this.#count--
            this.#bytes -= heldBytes
          }),
        )
        return true
      },
    }
  }
}

/** What an event takes beside its text. */
const EVENT_BYTES = 1_000

/** About how much memory events take while they are worked on: as they are read, and as they are sent. */
export function heldBytesOf(events: readonly StoredEvent[]): number {
  return events.reduce((sum, { body }) => sum + EVENT_BYTES + 2 * (body?.length ?? 0), 0)
}

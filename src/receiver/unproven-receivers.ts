import { BoundedMap } from '../base/concurrency/bounded-map.ts'

const RECEIVERS_MAX = 50_000
/** A receiver may have proven itself since: after this time its row is read again. */
const SEEN_TELLS_MS = 1_000
/** A first request that was handed on has been made by then, or its hint is lost. */
const HANDED_ON_TELLS_MS = 3_000

type Known = { seenAtMs: number; handedOnAtMs: number }

/**
 * Receivers that this isolate has just read to be unproven. Deliveries of a fan-out come event by event to the same ones:
 * the first to each is handed on, and the others wait a moment for its answer. Then they go to a proven receiver, or to
 * one that hangs and is known to.
 */
export class UnprovenReceivers {
  readonly #known = new BoundedMap<number, Known>(RECEIVERS_MAX)

  seen(subscriptionNos: Iterable<number>, nowMs: number): void {
    for (const no of subscriptionNos) this.#set(no, { seenAtMs: nowMs })
  }

  handedOn(subscriptionNos: Iterable<number>, nowMs: number): void {
    for (const no of subscriptionNos) this.#set(no, { handedOnAtMs: nowMs })
  }

  has(subscriptionNo: number, nowMs: number): boolean {
    return nowMs - (this.#known.peek(subscriptionNo)?.seenAtMs ?? NEVER) < SEEN_TELLS_MS
  }

  /** True while the first requests to a receiver are on their way and it has not answered since. */
  isPending(subscriptionNo: number, nowMs: number, answeredAtMs: number): boolean {
    const handedOnAtMs = this.#known.peek(subscriptionNo)?.handedOnAtMs ?? NEVER
    return nowMs - handedOnAtMs < HANDED_ON_TELLS_MS && answeredAtMs < handedOnAtMs
  }

  #set(no: number, change: Partial<Known>): void {
    const known = this.#known.peek(no) ?? { seenAtMs: NEVER, handedOnAtMs: NEVER }
    this.#known.set(no, { ...known, ...change })
  }
}

const NEVER = Number.NEGATIVE_INFINITY

import { BoundedMap } from '../base/concurrency/bounded-map.ts'

const RECEIVERS_MAX = 50_000
/** A receiver may have proven itself since: after this time its row is read again. */
const TELLS_MS = 1_000

/**
 * Receivers that this isolate has just read to be unproven. Deliveries of a fan-out come event by event to the same ones:
 * they are handed on without a claim of their own.
 */
export class SeenUnproven {
  readonly #seenAtMs = new BoundedMap<number, number>(RECEIVERS_MAX)

  note(subscriptionNos: Iterable<number>, nowMs: number): void {
    for (const no of subscriptionNos) this.#seenAtMs.set(no, nowMs)
  }

  has(subscriptionNo: number, nowMs: number): boolean {
    return nowMs - (this.#seenAtMs.get(subscriptionNo) ?? Number.NEGATIVE_INFINITY) < TELLS_MS
  }
}

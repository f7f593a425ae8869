import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { BACKGROUND_AFTER_MS } from '../base/concurrency/task-group.ts'

/** Work due within this time gets a delayed wake-up; later work waits in D1 until the sweeper's next round finds it. */
export const WAKE_HORIZON_MS = 90_000

/** Whole seconds to wait so that a wake-up never comes before its work is due. */
export function wakeDelaySeconds(dueAtMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((dueAtMs - nowMs) / 1000))
}

/**
 * A wake-up that is due and that no consumer of this isolate has taken lies in the queue still, or another isolate has
 * taken it: the next one for the same subscription follows it at this distance.
 */
const SPACING_MS = 2_000
/** Subscriptions whose wake-up is known; a forgotten one only gets a second. */
const WAKES_MAX = 10_000

/**
 * The wake-ups this isolate has under way, by subscription. A consumer that is woken looks up what is due next, so one
 * that comes early enough serves later work too: thousands of failures need one message, not thousands.
 */
export class WakeRegister {
  readonly #wakes = new BoundedMap<number, Wakes>(WAKES_MAX)

  /** Seconds to delay a wake-up for work due then; null where one that serves it is under way, or the sweeper will. */
  claim(subscriptionNo: number, dueAtMs: number, nowMs: number): number | null {
    if (dueAtMs - nowMs > WAKE_HORIZON_MS) return null
    const { sentMs, nextMs } = this.#at(subscriptionNo, nowMs)
    const wakeAtMs = Math.max(dueAtMs, nowMs, sentMs + SPACING_MS)
    // One that follows another may come later by what queues round up; one for its time may not.
    const isSpaced = wakeAtMs > Math.max(dueAtMs, nowMs)
    if (nextMs !== null && nextMs <= wakeAtMs + (isSpaced ? 1_000 : 0)) return null
    const delaySeconds = wakeDelaySeconds(wakeAtMs, nowMs)
    this.#wakes.set(subscriptionNo, { sentMs, nextMs: nowMs + delaySeconds * 1_000 })
    return delaySeconds
  }

  /** A consumer begins to look at a subscription: what becomes due from now on needs another wake-up. */
  taken(subscriptionNo: number, nowMs: number): void {
    const { nextMs } = this.#at(subscriptionNo, nowMs)
    if (nextMs === null) this.#wakes.delete(subscriptionNo)
    else this.#wakes.set(subscriptionNo, { sentMs: Number.NEGATIVE_INFINITY, nextMs })
  }

  #at(subscriptionNo: number, nowMs: number): { sentMs: number; nextMs: number | null } {
    const { sentMs, nextMs } = this.#wakes.get(subscriptionNo) ?? NO_WAKES
    return nextMs <= nowMs ? { sentMs: nextMs, nextMs: null } : { sentMs, nextMs }
  }
}

/** The last wake-up that is due and not known to be taken, and the one that lies ahead. */
type Wakes = { sentMs: number; nextMs: number }
const NO_WAKES: Wakes = { sentMs: Number.NEGATIVE_INFINITY, nextMs: Number.NEGATIVE_INFINITY }

/**
 * The wake-ups that a worked claim owes to its receivers: when their failed deliveries are due again, or at once where
 * it took so long that other deliveries to them have waited for it.
 */
export function wakesAfter(
  subscriptionNos: readonly number[],
  dueMs: ReadonlyMap<number, number>,
  tookMs: number,
  nowMs: number,
): Map<number, number> {
  const waited = tookMs <= BACKGROUND_AFTER_MS ? [] : subscriptionNos.map((no) => [no, nowMs] as const)
  // Now comes before all that is due later, which the woken consumer looks up.
  return new Map([...dueMs, ...waited])
}

import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { BACKGROUND_AFTER_MS } from '../base/concurrency/task-group.ts'

/** Work due within this time gets a delayed wake-up; later work waits in D1 until the sweeper's next round finds it. */
export const WAKE_HORIZON_MS = 90_000

/** Whole seconds to wait so that a wake-up never comes before its work is due. */
export function wakeDelaySeconds(dueAtMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((dueAtMs - nowMs) / 1000))
}

/** Subscriptions whose wake-up is known; a forgotten one only gets a second. */
const WAKES_MAX = 10_000

/**
 * The wake-ups this isolate has under way, by subscription. One that comes early enough serves later work too, since
 * whoever is woken looks up what is due next; so thousands of failures to one receiver need one message, not thousands.
 */
export class WakeRegister {
  readonly #dueMs = new BoundedMap<number, number>(WAKES_MAX)

  /** Whether a wake-up is to be sent for work due then; if so it is noted. */
  claim(subscriptionNo: number, dueAtMs: number, nowMs: number): boolean {
    if (dueAtMs - nowMs > WAKE_HORIZON_MS) return false
    const pendingMs = this.#dueMs.get(subscriptionNo)
    if (pendingMs !== undefined && pendingMs > nowMs && pendingMs <= dueAtMs) return false
    this.#dueMs.set(subscriptionNo, Math.max(dueAtMs, nowMs + 1))
    return true
  }
}

/**
 * When to wake the receivers of a claim whose work has ended: when its failed deliveries are due again; at once where it
 * took so long that other deliveries to them have waited for it.
 */
export function wakesAfter(
  { subscriptions }: { subscriptions: readonly { no: number }[] },
  dueMs: ReadonlyMap<number, number>,
  tookMs: number,
  nowMs: number,
): Map<number, number> {
  const waited = tookMs <= BACKGROUND_AFTER_MS ? [] : subscriptions.map(({ no }) => [no, nowMs] as const)
  // Now is earlier than whatever is due later, which whoever is woken looks up.
  return new Map([...dueMs, ...waited])
}

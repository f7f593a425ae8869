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
 * the woken consumer looks up what is due next: thousands of failures to one receiver need one message.
 */
export class WakeRegister {
  readonly #dueMs = new BoundedMap<number, number>(WAKES_MAX)

  /** Claims the wake-up for work due then; false where one that is under way serves it too. */
  claim(subscriptionNo: number, dueAtMs: number, nowMs: number): boolean {
    if (dueAtMs - nowMs > WAKE_HORIZON_MS) return false
    const pendingMs = this.#dueMs.get(subscriptionNo)
    if (pendingMs !== undefined && pendingMs > nowMs && pendingMs <= dueAtMs) return false
    this.#dueMs.set(subscriptionNo, Math.max(dueAtMs, nowMs + 1))
    return true
  }
}

/**
 * The wake-ups that a worked claim owes to its receivers: when its failed deliveries are due again, or at once where it
 * took so long that other deliveries to them have waited for it.
 */
export function wakesAfter(
  { subscriptions }: { subscriptions: readonly { no: number }[] },
  dueMs: ReadonlyMap<number, number>,
  tookMs: number,
  nowMs: number,
): Map<number, number> {
  const waited = tookMs <= BACKGROUND_AFTER_MS ? [] : subscriptions.map(({ no }) => [no, nowMs] as const)
  // Now comes before all that is due later, which the woken consumer looks up.
  return new Map([...dueMs, ...waited])
}

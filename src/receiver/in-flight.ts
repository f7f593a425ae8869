import { SLOW_LATENCY_MS } from './health.ts'

/** Fewer attempts than this are no burden even while all of them hang. */
const BURDEN_ATTEMPTS = 20

/**
 * The attempts this isolate has under way, by subscription: a receiver that has begun to hang is known as slow while its
 * first request is still out, not only when that has run into its timeout.
 */
export class InFlight {
  readonly #startsMs = new Map<number, Set<{ startedAtMs: number }>>()

  /** Notes an attempt; call what it answers when the attempt has ended. */
  begin(subscriptionNo: number, startedAtMs: number): () => void {
    const starts = this.#startsMs.get(subscriptionNo) ?? new Set()
    this.#startsMs.set(subscriptionNo, starts)
    const start = { startedAtMs }
    starts.add(start)
    return () => {
      starts.delete(start)
      if (starts.size === 0) this.#startsMs.delete(subscriptionNo)
    }
  }

  /** Whether an attempt of a subscription has been out for longer than a healthy receiver takes. */
  isSlow(subscriptionNo: number, nowMs: number): boolean {
    // In the order in which they began: the first is the oldest.
    const [oldest] = this.#startsMs.get(subscriptionNo) ?? []
    return oldest !== undefined && nowMs - oldest.startedAtMs > SLOW_LATENCY_MS
  }
  /** Whether a slow receiver has so many attempts under way that they would be a burden if all of them hung. */
  isBurden(subscriptionNo: number, nowMs: number): boolean {
    const underWay = this.#startsMs.get(subscriptionNo)?.size ?? 0
    return underWay >= BURDEN_ATTEMPTS && this.isSlow(subscriptionNo, nowMs)
  }
}

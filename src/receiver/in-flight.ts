import { SLOW_LATENCY_MS } from './health.ts'

/** Fewer attempts than this are no burden even while all of them hang. */
const BURDEN_ATTEMPTS = 20

/**
 * The attempts that this isolate has under way, by subscription. A receiver that begins to hang
 * counts as slow while its first request is still out, before that has run into its timeout.
 */
export class InFlight {
  readonly #startsMs = new Map<number, Set<{ startedAtMs: number }>>()

  /** Records an attempt; the caller calls the result when the attempt has ended. */
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

  /** True when an attempt has been out for longer than a healthy receiver takes. */
  isSlow(subscriptionNo: number, nowMs: number): boolean {
    // A Set keeps the order of insertion: the first is the oldest.
    const [oldest] = this.#startsMs.get(subscriptionNo) ?? []
    return oldest !== undefined && nowMs - oldest.startedAtMs > SLOW_LATENCY_MS
  }
  /** True for a slow receiver with so many attempts under way that they are a burden if all hang. */
  isBurden(subscriptionNo: number, nowMs: number): boolean {
    const underWay = this.#startsMs.get(subscriptionNo)?.size ?? 0
    return underWay >= BURDEN_ATTEMPTS && this.isSlow(subscriptionNo, nowMs)
  }
}

/**
 * Upper bounds of the latency histogram, the last bucket open. They roughly double, so that a
 * percentile is within a factor of two of the true one. Part of the schema: a column each.
 */
export const LATENCY_BOUNDS_MS = [
  5, 10, 20, 40, 80, 150, 300, 600, 1000, 2000, 4000, 8000, 12000, 20000, 30000,
] as const
export const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1

/** The histogram's bucket for a latency. */
export function latencyBucket(latencyMs: number): number {
  const at = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound)
  return at === -1 ? LATENCY_BOUNDS_MS.length : at
}

/** Counters of a subscription, or of one hour of it. */
export type Counters = {
  delivered: number
  failed: number
  attempts: number
  latencySumMs: number
  lastDeliveryAtMs: number
  histogram: number[]
}

/** Counters before the first outcome. */
export function emptyCounters(): Counters {
  return {
    delivered: 0,
    failed: 0,
    attempts: 0,
    latencySumMs: 0,
    lastDeliveryAtMs: 0,
    histogram: new Array<number>(LATENCY_BUCKETS).fill(0),
  }
}

/** Adds counters up. */
export function addCounters(a: Counters, b: Counters): Counters {
  return {
    delivered: a.delivered + b.delivered,
    failed: a.failed + b.failed,
    attempts: a.attempts + b.attempts,
    latencySumMs: a.latencySumMs + b.latencySumMs,
    lastDeliveryAtMs: Math.max(a.lastDeliveryAtMs, b.lastDeliveryAtMs),
    histogram: a.histogram.map((count, i) => count + (b.histogram[i] ?? 0)),
  }
}

/**
 * The share of deliveries that succeeded, in percent with two decimals, cut; 0 when none has ended.
 */
export function successRate({ delivered, failed }: { delivered: number; failed: number }): number {
  const ended = delivered + failed
  return ended === 0 ? 0 : Math.floor((delivered * 10_000) / ended) / 100
}

/** Reads a percentile (0-1) from the histogram, linear within a bucket; null when it is empty. */
export function percentile(histogram: readonly number[], fraction: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let below = 0
  for (const [i, count] of histogram.entries()) {
    if (count > 0 && below + count >= total * fraction) {
      const low = LATENCY_BOUNDS_MS[i - 1] ?? 0
      const high = LATENCY_BOUNDS_MS[i] ?? low
      return Math.round(low + ((high - low) * (total * fraction - below)) / count)
    }
    below += count
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null
}

/** An answer slower than this makes a receiver a slow one. */
export const SLOW_LATENCY_MS = 2_000
/** So many failures without a success in one go make a receiver suspect. */
const FAILURES_FOR_SUSPECT = 10

/** What one consumer saw of a receiver in one go. */
export type Observation = { successes: number; failures: number; timeouts: number; slowestMs: number }

/**
 * A receiver's health after what was just seen of it. Only the healthy share a queue's consumers, so one answer out
 * of time is enough to leave, and one go of fast successes is enough to return.
 */
export function nextHealth(current: Health, seen: Observation): Health {
  if (seen.timeouts > 0 || seen.slowestMs > SLOW_LATENCY_MS) return 'suspect'
  if (seen.successes === 0 && seen.failures >= FAILURES_FOR_SUSPECT) return 'suspect'
  if (seen.successes > 0 && seen.successes >= seen.failures) return 'healthy'
  return current
}

/** How a subscription's receiver has behaved of late; decides which queue its deliveries take. */
export type Health = 'unproven' | 'healthy' | 'suspect'

/** Who or what disabled a subscription: its owner, its receiver's 410, or a spent failure budget. */
export type DisabledReason = 'manual' | 'gone' | 'failing'

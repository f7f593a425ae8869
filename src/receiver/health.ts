/** A receiver with a slower answer than this is slow. */
export const SLOW_LATENCY_MS = 2_000
/** So many failures in one claim, without a success, make a receiver suspect. */
const FAILURES_FOR_SUSPECT = 10

/** One claim's view of a receiver. */
export type Observation = { successes: number; failures: number; timeouts: number; slowestMs: number }

/**
 * A receiver's health after one claim. Only healthy receivers share a queue's consumers, so one
 * slow answer is enough to leave them, and one claim of fast successes is enough to return.
 */
export function nextHealth(current: Health, seen: Observation): Health {
  if (seen.timeouts > 0 || seen.slowestMs > SLOW_LATENCY_MS) return 'suspect'
  if (seen.successes === 0 && seen.failures >= FAILURES_FOR_SUSPECT) return 'suspect'
  if (seen.successes > 0 && seen.successes >= seen.failures) return 'healthy'
  return current
}

/** A receiver's recent behaviour; it decides which queue the deliveries take. */
export type Health = 'unproven' | 'healthy' | 'suspect'

/**
 * Who or what disabled a subscription: its owner, its receiver's 410, a spent failure budget; or its host has not
 * answered a challenge yet.
 */
export type DisabledReason = 'manual' | 'gone' | 'failing' | 'unverified'

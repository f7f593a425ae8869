import { type BreakerState, heldUntilOf, isProbing } from './breaker.ts'

/** Wait of all others while one delivery probes a receiver: the longest timeout of an attempt. */
export const PROBE_AFTER_MS = 30_000

/**
 * A reason why a subscription's deliveries wait: `paused` lasts until it is resumed, `until` to
 * `untilMs`. With `probe` one of them may be attempted now; its answer may wake the others earlier.
 */
type Hold = { kind: 'none' } | { kind: 'paused' } | { kind: 'until'; untilMs: number; probe: boolean }

/** Finds the hold of a subscription. A pause outlasts all others. */
export function holdOf(
  subscription: { pausedAtMs: number | null; breaker: BreakerState },
  nowMs: number,
): Hold {
  const { pausedAtMs, breaker } = subscription
  if (pausedAtMs !== null) return { kind: 'paused' }
  const untilMs = heldUntilOf(breaker, nowMs)
  if (untilMs !== null) return { kind: 'until', untilMs, probe: false }
  return isProbing(breaker, nowMs)
    ? { kind: 'until', untilMs: nowMs + PROBE_AFTER_MS, probe: true }
    : { kind: 'none' }
}

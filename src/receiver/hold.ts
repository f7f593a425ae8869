import { type BreakerState, heldUntilOf, isProbing } from './breaker.ts'

/** How long the rest wait for the one delivery that probes a receiver: the longest timeout an attempt can have. */
export const PROBE_AFTER_MS = 30_000

/**
 * What keeps the deliveries of a subscription waiting. `paused`: until somebody resumes it. `until`: all of them until
 * `untilMs` (unix milliseconds), or with `probe` all but one, which may be attempted now; whoever sees it answered may
 * wake the others sooner.
 */
export type Hold = { kind: 'none' } | { kind: 'paused' } | { kind: 'until'; untilMs: number; probe: boolean }

/** What keeps a subscription's deliveries waiting at a time. A pause outlasts whatever else holds them. */
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

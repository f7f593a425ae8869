import { type BreakerState, isProbing, restUntilOf } from './breaker.ts'

/** How long the rest wait for the one delivery that probes a receiver: the longest timeout an attempt can have. */
export const PROBE_REST_MS = 30_000

/**
 * What keeps the deliveries of a subscription resting. `paused`: until somebody resumes it. `until`: all of them until
 * `untilMs` (unix milliseconds), or with `probe` all but one, which may be attempted now; whoever sees it answered may
 * wake the others sooner.
 */
export type Hold = { kind: 'none' } | { kind: 'paused' } | { kind: 'until'; untilMs: number; probe: boolean }

/** What keeps a subscription's deliveries resting at a time. A pause outlasts whatever else holds them. */
export function holdOf(
  subscription: { pausedAtMs: number | null; breaker: BreakerState },
  nowMs: number,
): Hold {
  const { pausedAtMs, breaker } = subscription
  if (pausedAtMs !== null) return { kind: 'paused' }
  const untilMs = restUntilOf(breaker, nowMs)
  if (untilMs !== null) return { kind: 'until', untilMs, probe: false }
  return isProbing(breaker, nowMs)
    ? { kind: 'until', untilMs: nowMs + PROBE_REST_MS, probe: true }
    : { kind: 'none' }
}

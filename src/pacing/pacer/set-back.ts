import { bucketOf, HORIZON_WITH_PERMITS_MS, LEAD_MS } from './rate.ts'
import { LEASE_MS, type PacerState } from './state.ts'

/** The clocks of two consumers may differ by as much. */
const SKEW_MS = 10_000

/**
 * Times that lie further ahead than any can be set come of a clock that was set back since: they count as passed, or
 * the subscription would stand still until the clock has caught up.
 */
export function withoutFarTimes(state: PacerState, nowMs: number): PacerState {
  const leases = state.leases.filter(({ endsAtMs }) => endsAtMs <= nowMs + LEASE_MS + SKEW_MS)
  const { buffer } = state
  const hasWaited = buffer === null || buffer.sinceMs <= nowMs + SKEW_MS
  return {
    ...state,
    leases,
    tatMs: nearTatMs(state, nowMs),
    buffer: hasWaited ? buffer : { ...buffer, sinceMs: nowMs },
    // What a forgotten grant was to carry may still wait.
    isOwed: state.isOwed || leases.length < state.leases.length,
  }
}

/** Beyond all slots that a grant may hand out, only the burst delays what comes next. */
function nearTatMs({ terms, tatMs }: PacerState, nowMs: number): number {
  if (terms === null || terms.rate === null) return tatMs
  const { burst, intervalMs } = bucketOf(terms.rate)
  const farthestMs = nowMs + LEAD_MS + HORIZON_WITH_PERMITS_MS + (burst + 1) * intervalMs + SKEW_MS
  return tatMs > farthestMs ? nowMs + burst * intervalMs : tatMs
}

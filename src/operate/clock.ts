/** Clocks of two isolates may differ by as much without one having been set. */
const SKEW_MS = 60_000

/** By how much the clock has been set back since the last sweep, which otherwise lies in the past; 0 for not at all. */
export function clockSetBackMs(lastSweepMs: number | null, nowMs: number): number {
  const aheadMs = (lastSweepMs ?? 0) - nowMs
  return aheadMs > SKEW_MS ? aheadMs : 0
}

/** A pacer that gets more calls in a second asks for half of them to go elsewhere. */
const CALLS_PER_SECOND_MAX = 400
/** Below so many calls in each of several seconds, half the shards are enough. */
const CALLS_PER_SECOND_CALM = 100
const CALM_MS = 10_000
/** Most pacers of one subscription. */
export const SHARDS_MAX = 16

/** How often a pacer is called. It is not stored: a pacer that starts anew learns it within a second. */
export type PacerLoad = {
  /** Start of the second being counted. */
  secondMs: number
  calls: number
  /** Since when there have been few calls, or when the shards were last halved. */
  calmSinceMs: number
  shards: number
}

/** A pacer that nobody has called. */
export const NO_LOAD: PacerLoad = { secondMs: 0, calls: 0, calmSinceMs: 0, shards: 1 }

/** The load after one more call; the number of shards doubles at most once in a second. */
export function countCall(load: PacerLoad, nowMs: number): PacerLoad {
  const { secondMs, calls, shards } = load
  const isSameSecond = nowMs >= secondMs && nowMs < secondMs + 1000
  if (!isSameSecond) return { ...calmed(load, nowMs), secondMs: nowMs, calls: 1 }
  const isTooMany = calls === CALLS_PER_SECOND_MAX
  return { ...load, calls: calls + 1, shards: isTooMany ? Math.min(shards * 2, SHARDS_MAX) : shards }
}

/** Judges the second that has passed, and the silence after it. */
function calmed({ secondMs, calls, calmSinceMs, shards }: PacerLoad, nowMs: number): PacerLoad {
  const wasBusy = calls >= CALLS_PER_SECOND_CALM
  const sinceMs = wasBusy ? secondMs + 1000 : calmSinceMs
  const halvings = Math.max(0, Math.floor((nowMs - sinceMs) / CALM_MS))
  return {
    secondMs,
    calls,
    calmSinceMs: sinceMs + halvings * CALM_MS,
    shards: Math.max(1, Math.floor(shards / 2 ** Math.min(halvings, SHARDS_MAX))),
  }
}

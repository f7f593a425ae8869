/** A pacer that gets more calls in a second asks for half of them to go elsewhere. */
const CALLS_PER_SECOND_MAX = 400
/** With fewer calls than this in each of several seconds, half the shards are enough. */
const CALLS_PER_SECOND_CALM = 100
const CALM_MS = 10_000
/** Most pacers of one subscription. */
export const SHARDS_MAX = 16

/** Counts the calls of a pacer. It is not stored, since it is learnt again within a second. */
export type PacerLoad = {
  /** Start of the second that is counted. */
  secondMs: number
  calls: number
  /** Calls have been few since this time, or the shards were halved then. */
  calmSinceMs: number
  shards: number
}

/** The load of a pacer that was never called. */
export const NO_LOAD: PacerLoad = { secondMs: 0, calls: 0, calmSinceMs: 0, shards: 1 }

/** The load after one more call; the number of shards doubles at most once in a second. */
export function countCall(load: PacerLoad, nowMs: number): PacerLoad {
  const { secondMs, calls, shards } = load
  const isSameSecond = nowMs >= secondMs && nowMs < secondMs + 1000
  if (!isSameSecond) return { ...calmed(load, nowMs), secondMs: nowMs, calls: 1 }
  const isTooMany = calls === CALLS_PER_SECOND_MAX
  return { ...load, calls: calls + 1, shards: isTooMany ? Math.min(shards * 2, SHARDS_MAX) : shards }
}

/** Halves the shards for each calm period that has passed. */
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

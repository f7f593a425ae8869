import type { LimitName } from './limits.ts'

/** A limit that is reached, and when there is something left of it again. */
export type Reached = { subject: string; name: LimitName; limit: number; retryAfterSeconds: number }

/** One limit of one subject, that uses are counted on. */
export type Counter = {
  readonly subject: string
  readonly name: LimitName
  readonly limit: number
  left: (nowMs: number) => number
  /** Time until something is left again; 0 where something is. */
  waitMs: (nowMs: number) => number
  use: (asked: number, granted: number, nowMs: number) => void
}

/**
 * Counts a use on all limits, of as much as the tightest lets pass. A limit is asked for what the others
 * let pass: what a key is refused is not held against its workspace.
 */
export function countUse(
  counters: readonly Counter[],
  count: number,
  nowMs: number,
): { granted: number; reached: Reached | null } {
  let tightest: Counter | null = null
  let left = Number.POSITIVE_INFINITY
  /** What the tightest of the others leaves. */
  let next = Number.POSITIVE_INFINITY
  for (const counter of counters) {
    const own = counter.left(nowMs)
    if (tightest === null || own < left || (own === left && staysLonger(counter, tightest, nowMs))) {
      next = left
      left = own
      tightest = counter
    } else if (own < next) next = own
  }
  if (tightest === null) return { granted: count, reached: null }
  const granted = Math.min(count, left)
  for (const counter of counters)
    counter.use(counter === tightest ? Math.min(count, next) : granted, granted, nowMs)
  return { granted, reached: granted < count ? toReached(tightest, nowMs) : null }
}

/** Of several limits without anything left, the one that stays so for longest is named. */
function staysLonger(one: Counter, other: Counter, nowMs: number): boolean {
  return one.waitMs(nowMs) > other.waitMs(nowMs)
}

function toReached(counter: Counter, nowMs: number): Reached {
  const { subject, name, limit } = counter
  return { subject, name, limit, retryAfterSeconds: toSeconds(counter.waitMs(nowMs)) }
}

export function toSeconds(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1000))
}

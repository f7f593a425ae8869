import type { LimitName } from './limits.ts'
import type { SubjectCounters } from './subject-counters.ts'

/** A limit that is reached, and when there is something left of it again. */
export type Reached = { subject: string; name: LimitName; limit: number; retryAfterSeconds: number }

/** One limit that a use is counted on. `waitMs` is asked when the use has been counted. */
export type Counter = {
  subject: string
  name: LimitName
  limit: number
  left: number
  waitMs: () => number
  use: (asked: number, granted: number) => void
}

/**
 * Counts a use on all limits, of as much as the tightest lets pass. A limit is asked for what the others
 * let pass: what a key is refused is not held against its workspace.
 */
export function countUse(
  counters: readonly Counter[],
  count: number,
): { granted: number; reached: Reached | null } {
  const [tightest, next] = [...counters].sort(byLeft)
  if (tightest === undefined) return { granted: count, reached: null }
  const granted = Math.min(count, tightest.left)
  for (const counter of counters) {
    const passed = counter === tightest ? Math.min(count, next?.left ?? count) : granted
    counter.use(passed, granted)
  }
  return { granted, reached: granted < count ? toReached(tightest) : null }
}

export function requestCounter(nowMs: number): (counters: SubjectCounters) => Counter[] {
  return ({ id, requests }) =>
    requests === null ? [] : [counterOf(id, 'requestsPerSecond', requests, nowMs)]
}

export function eventCounters(nowMs: number): (counters: SubjectCounters) => Counter[] {
  return ({ id, events, day }) => [
    ...(events === null ? [] : [counterOf(id, 'eventsPerSecond', events, nowMs)]),
    ...(day === null ? [] : [counterOf(id, 'eventsPerDay', day, nowMs)]),
  ]
}

type Countable = {
  limit: number
  left: (nowMs: number) => number
  waitMs: (nowMs: number) => number
  use: (asked: number, granted: number, nowMs: number) => void
}

export function counterOf(subject: string, name: LimitName, counter: Countable, nowMs: number): Counter {
  return {
    subject,
    name,
    limit: counter.limit,
    left: counter.left(nowMs),
    waitMs: () => counter.waitMs(nowMs),
    use: (asked, granted) => counter.use(asked, granted, nowMs),
  }
}

function toReached({ subject, name, limit, waitMs }: Counter): Reached {
  return { subject, name, limit, retryAfterSeconds: toSeconds(waitMs()) }
}

/** The one with the least left; of several without any, the one that stays so for longest. */
function byLeft(one: Counter, other: Counter): number {
  return one.left - other.left || other.waitMs() - one.waitMs()
}

export function toSeconds(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1000))
}

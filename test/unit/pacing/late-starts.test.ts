import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LateStarts } from '../../../src/pacing/late-starts.ts'
import { marginMsOf } from '../../../src/pacing/pacer/rate.ts'
import type { RateLimit } from '../../../src/pacing/settings.ts'
import { Backlog } from './pacer/backlog.ts'

const LIMITS: RateLimit[] = [
  { requests: 1, perSeconds: 1 },
  { requests: 20, perSeconds: 1 },
  { requests: 100, perSeconds: 1 },
  { requests: 200, perSeconds: 5 },
  { requests: 1_000, perSeconds: 10 },
]
/** A gate gives up a time that has passed by more. */
const LATE_MS_MAX = 200

/** The times that a pacer gives out under a backlog. */
function timesOf(limit: RateLimit): number[] {
  const backlog = new Backlog({ limit, withBatches: false, random: () => 0.5, seconds: 20 })
  backlog.run()
  return backlog.starts.toSorted((one, other) => one - other)
}

/** The starts where each wake-up is late, in turn, by as much as is said. */
function startsOf(limit: RateLimit, times: readonly number[], lateMs: () => number): number[] {
  const window = new LateStarts().window(1, limit)
  const starts: number[] = []
  let nowMs = 0
  for (const timeMs of times) {
    if (nowMs < timeMs) nowMs = timeMs + lateMs()
    for (;;) {
      const earliestMs = window.earliestMs(timeMs, nowMs)
      if (earliestMs <= nowMs) break
      nowMs = earliestMs + lateMs()
    }
    if (nowMs - timeMs > LATE_MS_MAX) continue
    window.record(timeMs, nowMs)
    starts.push(nowMs)
  }
  return starts
}

/** The shortest span of one start more than a window may have. */
function tightestMs(starts: readonly number[], { requests }: RateLimit): number {
  return Math.min(...starts.slice(requests).map((startMs, i) => startMs - (starts[i] ?? 0)))
}

describe.each(LIMITS)('a limit of %j', (limit) => {
  const times = timesOf(limit)

  test.each([0, 5, 50, 150, 1_000])(
    'is kept in any window, with room to spare, by starts up to %d ms late',
    (lateMax) => {
      const lates = fc.infiniteStream(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: lateMax })))
      fc.assert(
        fc.property(lates, (stream) => {
          const starts = startsOf(limit, times, () => stream.next().value ?? 0)
          expect(tightestMs(starts, limit)).toBeGreaterThanOrEqual(
            limit.perSeconds * 1000 + 0.75 * marginMsOf(limit) - 1,
          )
        }),
        { numRuns: 20 },
      )
    },
  )

  test('loses no time by a standstill now and then that is shorter than a gate bears with', () => {
    let n = 0
    const starts = startsOf(limit, times, () => (++n % 97 === 0 ? 120 : 1))
    expect(starts.length / times.length).toBeGreaterThan(0.99)
  })
})

test('one subscription is not held back by another', () => {
  const lates = new LateStarts()
  const limit = { requests: 1, perSeconds: 1 }
  lates.window(1, limit).record(1_000, 1_150)
  expect(lates.window(1, limit).earliestMs(2_040, 2_000)).toBe(2_180)
  expect(lates.window(2, limit).earliestMs(2_040, 2_000)).toBe(2_040)
})

test('a start in time holds nothing back, nor does a late one those still in its window', () => {
  const window = new LateStarts().window(1, { requests: 10, perSeconds: 1 })
  window.record(1_000, 1_010)
  expect(window.earliestMs(2_040, 2_000)).toBe(2_040)
  window.record(1_104, 1_204)
  expect(window.earliestMs(2_040, 2_000)).toBe(2_040)
  expect(window.earliestMs(2_144, 2_100)).toBe(2_234)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AdaptiveLimit, type RequestEnd } from '../../../../src/base/concurrency/adaptive-limit.ts'

/** A party that answers one request after the other, each after some work; times are simulated. */
function askOneAtATime(limit: AdaptiveLimit, requests: number, workMs: number) {
  let nowMs = 0
  let freeAtMs = 0
  let longestMs = 0
  const ends: { atMs: number; startedAtMs: number }[] = []
  let started = 0
  const start = () => {
    while (started < requests && limit.inFlight < limit.limit) {
      void limit.acquire()
      freeAtMs = Math.max(freeAtMs, nowMs) + workMs
      ends.push({ atMs: freeAtMs, startedAtMs: nowMs })
      started++
    }
  }
  start()
  for (let next = ends.shift(); next !== undefined; next = ends.shift()) {
    nowMs = next.atMs
    const latencyMs = nowMs - next.startedAtMs
    longestMs = Math.max(longestMs, latencyMs)
    limit.end({ kind: 'answered', latencyMs }, next.startedAtMs, nowMs)
    start()
  }
  return { nowMs, longestMs }
}

test('a party that can do one thing at a time is never given so much that its answers take long', () => {
  const { nowMs, longestMs } = askOneAtATime(new AdaptiveLimit({ initial: 10, max: 250 }), 100, 300)
  expect(nowMs).toBe(100 * 300)
  expect(longestMs).toBeLessThan(5_000)
})

test('a party that answers at once is given all it may', () => {
  const limit = new AdaptiveLimit({ initial: 10, max: 250 })
  for (let i = 0; i < 300; i++) {
    void limit.acquire()
    limit.end({ kind: 'answered', latencyMs: 3 }, i, i + 3)
  }
  expect(limit.limit).toBe(250)
})

describe('an overloaded party', () => {
  test('is asked half as much, once for all requests that were under way', () => {
    const limit = new AdaptiveLimit({ initial: 16, max: 250 })
    for (let i = 0; i < 10; i++) void limit.acquire()
    for (let i = 0; i < 10; i++) limit.end({ kind: 'overloaded' }, 0, 1_000 + i)
    expect(limit.limit).toBe(8)
  })

  test('is always asked one thing', () => {
    const limit = new AdaptiveLimit({ initial: 4, max: 250 })
    for (let i = 1; i < 20; i++) {
      void limit.acquire()
      limit.end({ kind: 'overloaded' }, i * 1_000, i * 1_000 + 10)
    }
    expect(limit.limit).toBe(1)
  })
})

const end: fc.Arbitrary<RequestEnd> = fc.oneof(
  fc.record({ kind: fc.constant('answered' as const), latencyMs: fc.integer({ min: 0, max: 10_000 }) }),
  fc.constant({ kind: 'overloaded' as const }),
  fc.constant({ kind: 'other' as const }),
)

test('never more than the limit are in flight unless it has just fallen, and none waits beside a free place', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(end), { maxLength: 80 }), async (steps) => {
      const limit = new AdaptiveLimit({ initial: 3, max: 8 })
      let nowMs = 0
      for (const step of steps) {
        nowMs += 10
        const before = limit.inFlight
        if (step === null) void limit.acquire()
        else if (before > 0) limit.end(step, nowMs - 5, nowMs)
        expect(limit.inFlight).toBeLessThanOrEqual(Math.max(limit.limit, before))
        expect(limit.limit >= 1 && limit.limit <= 8).toBe(true)
        if (limit.waiting > 0) expect(limit.inFlight).toBeGreaterThanOrEqual(limit.limit)
      }
    }),
  )
})

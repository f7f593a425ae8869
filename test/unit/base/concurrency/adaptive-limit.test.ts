import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  AdaptiveLimit,
  type Permit,
  type RequestEnd,
} from '../../../../src/base/concurrency/adaptive-limit.ts'

/** A limit and its clock; `acquire` collects the permits, `end` gives back the oldest. */
class Party {
  readonly limit: AdaptiveLimit
  nowMs = 0
  readonly permits: Permit[] = []
  refused = 0

  constructor(initial: number, max: number) {
    this.limit = new AdaptiveLimit({ initial, max })
  }

  acquire(waitMsMax = 60_000): void {
    const terms = { now: () => this.nowMs, waitMsMax, lastsMs: 60_000 }
    void this.limit.acquire(terms).then((permit) => {
      if (permit === null) this.refused++
      else this.permits.push(permit)
    })
  }

  end(end: RequestEnd, startedAtMs: number): boolean {
    const permit = this.permits.shift()
    if (permit === undefined) return false
    this.limit.end(permit, end, { startedAtMs, nowMs: this.nowMs })
    return true
  }
}

const OK: RequestEnd = { kind: 'answered', latencyMs: 3 }
const settled = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

/** A party that answers one request after the other, each after some work; times are simulated. */
async function askOneAtATime(party: Party, requests: number, workMs: number) {
  let freeAtMs = 0
  let longestMs = 0
  const starts: { atMs: number; startedAtMs: number }[] = []
  let started = 0
  const begin = async () => {
    for (; started < requests && party.limit.inFlight < party.limit.limit; started++) {
      party.acquire()
      await settled()
      freeAtMs = Math.max(freeAtMs, party.nowMs) + workMs
      starts.push({ atMs: freeAtMs, startedAtMs: party.nowMs })
    }
  }
  await begin()
  for (let next = starts.shift(); next !== undefined; next = starts.shift()) {
    party.nowMs = next.atMs
    const latencyMs = party.nowMs - next.startedAtMs
    longestMs = Math.max(longestMs, latencyMs)
    party.end({ kind: 'answered', latencyMs }, next.startedAtMs)
    await begin()
  }
  return longestMs
}

test('a party that can do one thing at a time is never given so much that its answers take long', async () => {
  const party = new Party(10, 250)
  const longestMs = await askOneAtATime(party, 100, 300)
  expect(party.nowMs).toBe(100 * 300)
  expect(longestMs).toBeLessThan(5_000)
})

test('a party that answers at once is given all it may', async () => {
  const party = new Party(10, 250)
  for (let i = 0; i < 300; i++) {
    party.acquire()
    await settled()
    party.end(OK, i)
  }
  expect(party.limit.limit).toBe(250)
})

describe('an overloaded party', () => {
  test('is asked half as much, once for all requests that were under way', async () => {
    const party = new Party(16, 250)
    for (let i = 0; i < 10; i++) party.acquire()
    await settled()
    for (let i = 0; i < 10; i++) {
      party.nowMs = 1_000 + i
      party.end({ kind: 'overloaded' }, 0)
    }
    expect(party.limit.limit).toBe(8)
  })

  test('is always asked one thing', async () => {
    const party = new Party(4, 250)
    for (let i = 1; i < 20; i++) {
      party.nowMs = i * 1_000
      party.acquire()
      await settled()
      party.end({ kind: 'overloaded' }, i * 1_000)
    }
    expect(party.limit.limit).toBe(1)
  })
})

describe('requests of invocations that the platform has cancelled', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('hold their permits for a bounded time', async () => {
    const party = new Party(1, 1)
    party.acquire()
    party.acquire()
    await settled()
    expect(party.permits).toHaveLength(1)
    for (let s = 0; s < 58; s += 2) {
      party.nowMs += 2_000
      await vi.advanceTimersByTimeAsync(2_000)
    }
    expect(party.permits).toHaveLength(1)
    party.nowMs += 2_000
    await vi.advanceTimersByTimeAsync(2_000)
    expect(party.permits).toHaveLength(2)
  })

  test('lose their place among those that wait', async () => {
    const party = new Party(1, 1)
    party.acquire()
    await settled()
    party.acquire()
    vi.clearAllTimers()
    party.acquire()
    party.nowMs = 6_000
    await vi.advanceTimersByTimeAsync(2_000)
    party.end(OK, 0)
    await settled()
    expect([party.permits.length, party.limit.inFlight, party.limit.waiting]).toEqual([1, 1, 0])
  })

  test('wait no longer than they may', async () => {
    const party = new Party(1, 1)
    party.acquire()
    party.acquire(3_000)
    for (let s = 0; s < 4; s += 2) {
      party.nowMs += 2_000
      await vi.advanceTimersByTimeAsync(2_000)
    }
    expect([party.permits.length, party.refused, party.limit.waiting]).toEqual([1, 1, 0])
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
      const party = new Party(3, 8)
      const { limit } = party
      for (const step of steps) {
        party.nowMs += 10
        const before = limit.inFlight
        if (step === null) party.acquire()
        else party.end(step, party.nowMs - 5)
        await settled()
        expect(limit.inFlight).toBeLessThanOrEqual(Math.max(limit.limit, before))
        expect(limit.limit >= 1 && limit.limit <= 8).toBe(true)
        if (limit.waiting > 0) expect(limit.inFlight).toBeGreaterThanOrEqual(limit.limit)
      }
    }),
  )
})

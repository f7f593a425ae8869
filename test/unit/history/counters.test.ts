import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addCounters,
  type Counters,
  emptyCounters,
  LATENCY_BOUNDS_MS,
  LATENCY_BUCKETS,
  latencyBucket,
  percentile,
  successRate,
} from '../../../src/history/counters.ts'

const RUNS = { numRuns: 1_000 }
const count = fc.integer({ min: 0, max: 1_000_000_000 })

describe('the success rate', () => {
  test.each([
    [1234, 12, 99.03], // seed 002
    [0, 0, 0],
    [0, 5, 0],
    [5, 0, 100],
    [2, 1, 66.66],
    [1, 2, 33.33],
    [999_999, 1, 99.99],
    [1, 99_999, 0],
    [1, 9_999, 0.01],
    [29, 71, 29],
    [57, 43, 57],
    [1_000_000_000, 1, 99.99],
  ])('of %i delivered and %i failed is %f', (delivered, failed, rate) => {
    expect(successRate({ delivered, failed })).toBe(rate)
  })

  test('is cut to two decimals, never rounded up, for all counts', () => {
    fc.assert(
      fc.property(count, count, (delivered, failed) => {
        const ended = BigInt(delivered + failed)
        const hundredths = ended === 0n ? 0n : (BigInt(delivered) * 10_000n) / ended
        expect(successRate({ delivered, failed })).toBe(Number(hundredths) / 100)
      }),
      RUNS,
    )
  })
})

describe('a latency', () => {
  test.each([
    [0, 0],
    [5, 0],
    [6, 1],
    [30_000, 14],
    [30_001, 15],
    [3_600_000, 15],
  ])('of %i ms is counted in bucket %i', (ms, bucket) => {
    expect(latencyBucket(ms)).toBe(bucket)
  })

  test('is within the bounds of its bucket', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), (ms) => {
        const i = latencyBucket(ms)
        const above = LATENCY_BOUNDS_MS[i - 1] ?? -1
        const upTo = LATENCY_BOUNDS_MS[i] ?? Number.POSITIVE_INFINITY
        expect(ms > above && ms <= upTo).toBe(true)
      }),
    )
  })
})

describe('a percentile', () => {
  const histogram = fc
    .array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })), {
      minLength: LATENCY_BUCKETS,
      maxLength: LATENCY_BUCKETS,
    })
    .filter((counts) => counts.some((n) => n > 0))
  const fraction = fc.double({ min: 0, max: 1, noNaN: true })

  test('is within the bucket that holds the latency it stands for', () => {
    const latencies = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(latencies, fraction, (measured, p) => {
        const counts = emptyCounters().histogram
        for (const ms of measured) counts[latencyBucket(ms)]! += 1
        const rank = Math.max(1, Math.ceil(measured.length * p))
        const exact = [...measured].sort((a, b) => a - b)[rank - 1] ?? 0
        const i = latencyBucket(exact)
        const read = percentile(counts, p) ?? -1
        expect(read >= (LATENCY_BOUNDS_MS[i - 1] ?? 0) && read <= (LATENCY_BOUNDS_MS[i] ?? 30_000)).toBe(true)
      }),
      RUNS,
    )
  })

  test('never falls when the fraction rises', () => {
    fc.assert(
      fc.property(histogram, fraction, fraction, (counts, a, b) => {
        const low = percentile(counts, Math.min(a, b)) ?? -1
        expect(percentile(counts, Math.max(a, b))).toBeGreaterThanOrEqual(low)
      }),
      RUNS,
    )
  })

  test('of nothing is null', () => {
    expect(percentile(emptyCounters().histogram, 0.5)).toBeNull()
  })

  test('beyond the last bound is that bound', () => {
    const counts = emptyCounters().histogram
    counts[LATENCY_BUCKETS - 1] = 3
    expect(percentile(counts, 0.99)).toBe(30_000)
  })

  test('is linear within a bucket', () => {
    const counts = emptyCounters().histogram
    counts[3] = 100
    expect([0, 0.25, 0.5, 1].map((p) => percentile(counts, p))).toEqual([20, 25, 30, 40])
  })
})

describe('adding counters up', () => {
  const counters: fc.Arbitrary<Counters> = fc.record({
    delivered: count,
    failed: count,
    attempts: count,
    latencySumMs: count,
    lastDeliveryAtMs: count,
    histogram: fc.array(count, { minLength: LATENCY_BUCKETS, maxLength: LATENCY_BUCKETS }),
  })

  test('adds every count and keeps the latest delivery', () => {
    const one = { delivered: 1, failed: 2, attempts: 3, latencySumMs: 4, lastDeliveryAtMs: 50 }
    const two = { delivered: 10, failed: 20, attempts: 30, latencySumMs: 40, lastDeliveryAtMs: 5 }
    const ones = new Array<number>(LATENCY_BUCKETS).fill(1)
    expect(addCounters({ ...one, histogram: ones }, { ...two, histogram: ones })).toEqual({
      delivered: 11,
      failed: 22,
      attempts: 33,
      latencySumMs: 44,
      lastDeliveryAtMs: 50,
      histogram: new Array<number>(LATENCY_BUCKETS).fill(2),
    })
  })

  test('of nothing changes nothing', () => {
    fc.assert(
      fc.property(counters, (a) => {
        expect(addCounters(a, emptyCounters())).toEqual(a)
      }),
    )
  })

  test('gives the same in any order', () => {
    fc.assert(
      fc.property(counters, counters, counters, (a, b, c) => {
        expect(addCounters(addCounters(a, b), c)).toEqual(addCounters(c, addCounters(b, a)))
      }),
    )
  })

  test('leaves what is added as it was', () => {
    const a = emptyCounters()
    addCounters(a, { ...emptyCounters(), delivered: 1, histogram: [1] })
    expect(a).toEqual(emptyCounters())
  })
})

import { describe, expect, test } from 'vitest'
import { bucketOf, HORIZON_MS, handOut, LEAD_MS, nextSlotMs } from '../../../../src/pacing/pacer/rate.ts'
import { Backlog } from './backlog.ts'
import { NOW_MS } from './calls.ts'

describe('a bucket', () => {
  test.each([
    [1, 1, 1, 1_040],
    [1, 60, 1, 60_250],
    [3, 6, 1, 2_020],
    [50, 1, 1, 20.8001],
    [200, 60, 2, 302.7639],
    [1_000, 1, 6, 1.0454],
  ])('of %d in %d s holds %d at once and one every %d ms', (requests, perSeconds, burst, intervalMs) => {
    const bucket = bucketOf({ requests, perSeconds })
    expect(bucket.burst).toBe(burst)
    expect(bucket.intervalMs).toBeCloseTo(intervalMs, 3)
  })

  test.each([
    [1, 1],
    [99, 60],
    [100, 60],
    [199, 7],
    [1_000, 1],
    [10_000, 1],
  ])('of %d in %d s uses 95 %% of its limit or more', (requests, perSeconds) => {
    const { intervalMs } = bucketOf({ requests, perSeconds })
    expect((perSeconds * 1000) / intervalMs / requests).toBeGreaterThan(0.95)
  })

  test('leaves room for its burst and the margin in the window', () => {
    const { burst, intervalMs } = bucketOf({ requests: 1_000, perSeconds: 1 })
    expect((1_000 - burst + 1) * intervalMs).toBeGreaterThanOrEqual(1_040)
  })
})

const upTo = (wanted: number) => ({ wanted, horizonMs: HORIZON_MS })

describe('slots', () => {
  const bucket = { burst: 3, intervalMs: 100 }
  /** A bucket whose burst is used up: its next slot is so far ahead. */
  const usedUp = (inMs: number) => NOW_MS + 200 + inMs

  test('a full bucket gives few at once', () => {
    expect(handOut(bucket, 0, NOW_MS, upTo(2))).toEqual({
      requests: 2,
      startInMs: 0,
      everyMs: 0,
      tatMs: NOW_MS + 200,
    })
  })

  test('and many evenly, up to the horizon', () => {
    expect(handOut(bucket, 0, NOW_MS, upTo(50))).toEqual({
      requests: 1 + HORIZON_MS / 100,
      startInMs: 0,
      everyMs: 100,
      tatMs: NOW_MS + 100 + HORIZON_MS,
    })
  })

  test('what was given evenly leaves the burst for later', () => {
    expect(nextSlotMs(bucket, handOut(bucket, 0, NOW_MS, upTo(5))?.tatMs ?? 0)).toBe(NOW_MS + 300)
  })

  test('an empty bucket gives slots that begin later', () => {
    expect(handOut(bucket, usedUp(LEAD_MS), NOW_MS, upTo(2))).toMatchObject({
      startInMs: LEAD_MS,
      everyMs: 100,
    })
  })

  test('a slot further away than the lead is given to nobody yet', () => {
    expect(handOut(bucket, usedUp(LEAD_MS + 1), NOW_MS, upTo(2))).toBeNull()
  })

  test('a single slot is given although the next lies beyond the horizon', () => {
    expect(handOut({ burst: 1, intervalMs: 60_000 }, 0, NOW_MS, upTo(9))).toMatchObject({
      requests: 1,
      everyMs: 60_000,
    })
  })
})

test('100 a minute over an hour: never more in any minute, and 95 of them used', () => {
  const backlog = new Backlog({
    limit: { requests: 100, perSeconds: 60 },
    withBatches: false,
    random: () => 0.5,
    seconds: 3_600,
  })
  const share = backlog.usedShare()
  const starts = backlog.starts.toSorted((one, other) => one - other)
  const windowsMs = starts.slice(100).map((startMs, i) => startMs - (starts[i] ?? 0))
  expect(Math.min(...windowsMs)).toBeGreaterThanOrEqual(60_000)
  expect(share).toBeGreaterThan(0.95)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seqFloor } from '../../../src/base/ids/seq.ts'
import { planOrphans, type SeqRange, type SweepTime } from '../../../src/operate/orphans.ts'

const T0 = Date.UTC(2026, 5, 1)
const AGES_MS = [20_000, 60_000, 180_000]
const ROW_AGE_MS = 600_000

function holds(ranges: readonly SeqRange[], seq: number): boolean {
  return ranges.some(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq)
}

/** A sweep at an age of events accepted at T0, the one before it at another age. */
function at(ageMs: number, lastAgeMs: number, change: Partial<SweepTime> = {}): SweepTime {
  const nowMs = T0 + ageMs
  return { nowMs, lastSweepMs: T0 + lastAgeMs, isAlone: false, queuedSinceMs: nowMs, ...change }
}

const ORPHAN = { seq: 7, acceptedAtMs: T0, isOrphan: true }
const ONE = [{ firstSeq: 7, lastSeq: 7 }]

describe('an orphan', () => {
  test.each([
    [19_999, 0, []],
    [20_000, 19_999, ONE],
    [20_001, 20_000, []],
    [59_999, 20_000, []],
    [60_000, 59_000, ONE],
    [70_000, 10_000, ONE],
    [180_000, 179_999, ONE],
    [599_999, 180_000, []],
  ])('of %i ms that was %i ms old at the last sweep is hinted again as %j', (age, lastAge, rehint) => {
    expect(planOrphans([ORPHAN], at(age, lastAge)).rehint).toEqual(rehint)
  })

  test('is hinted again at the first sweep ever', () => {
    expect(planOrphans([ORPHAN], at(25_000, 0, { lastSweepMs: 0 })).rehint).toEqual(ONE)
  })

  test('of ten minutes gets a row', () => {
    expect(planOrphans([ORPHAN], at(ROW_AGE_MS, 0)).giveRows).toEqual(ONE)
  })

  test('that gets a row is not hinted again as well', () => {
    expect(planOrphans([ORPHAN], at(ROW_AGE_MS, 0)).rehint).toEqual([])
  })

  test('that gets a row lets the watermark pass', () => {
    expect(planOrphans([ORPHAN], at(ROW_AGE_MS, 0)).watermark).toBe(7)
  })

  test('just under ten minutes gets no row', () => {
    expect(planOrphans([ORPHAN], at(ROW_AGE_MS - 1, 0)).giveRows).toEqual([])
  })

  test('is held back while an older hint waits in a queue', () => {
    expect(planOrphans([ORPHAN], at(20_000, 0, { queuedSinceMs: T0 })).rehint).toEqual([])
  })

  test('is hinted again once the queue is past it', () => {
    expect(planOrphans([ORPHAN], at(20_000, 0, { queuedSinceMs: T0 + 1 })).rehint).toEqual(ONE)
  })

  test('gets its row at ten minutes even when the queue stands still', () => {
    expect(planOrphans([ORPHAN], at(ROW_AGE_MS, 0, { queuedSinceMs: 0 })).giveRows).toEqual(ONE)
  })

  test('is hinted again at any age when nobody else can be at work', () => {
    const young = { seq: 9, acceptedAtMs: T0 + 30_000, isOrphan: true }
    const time = at(30_000, 29_000, { isAlone: true, queuedSinceMs: 0 })
    expect(planOrphans([ORPHAN, young], time).rehint).toEqual([{ firstSeq: 7, lastSeq: 9 }])
  })
})

describe('the watermark', () => {
  test('rises to the last event when there are no orphans', () => {
    const scanned = [3, 5, 8].map((seq) => ({ seq, acceptedAtMs: T0, isOrphan: false }))
    expect(planOrphans(scanned, at(5_000, 0)).watermark).toBe(8)
  })

  test('stays below the first orphan without a row, though later events have theirs', () => {
    const scanned = [3, 5, 8].map((seq) => ({ seq, acceptedAtMs: T0, isOrphan: seq === 5 }))
    expect(planOrphans(scanned, at(5_000, 0)).watermark).toBe(3)
  })

  test('does not move when the first event is an orphan', () => {
    expect(planOrphans([ORPHAN], at(5_000, 0)).watermark).toBeNull()
  })

  test('does not move when there is nothing', () => {
    expect(planOrphans([], at(5_000, 0))).toEqual({ rehint: [], giveRows: [], watermark: null })
  })
})

describe('a hint sent again', () => {
  test('names a range of at most a hundred numbers', () => {
    const scanned = Array.from({ length: 250 }, (_, i) => ({
      seq: 1_000 + i,
      acceptedAtMs: T0,
      isOrphan: true,
    }))
    expect(planOrphans(scanned, at(20_000, 0)).rehint).toEqual([
      { firstSeq: 1_000, lastSeq: 1_099 },
      { firstSeq: 1_100, lastSeq: 1_199 },
      { firstSeq: 1_200, lastSeq: 1_249 },
    ])
  })
})

type SimulatedEvent = { seq: number; acceptedAtMs: number; rows: boolean; rehints: number; crossings: number }

/** Runs sweeps over events none of which is ever delivered, and checks each plan by `check`. */
function simulate(
  offsetsMs: readonly number[],
  sweepsMs: readonly number[],
  check: (
    plan: ReturnType<typeof planOrphans>,
    events: readonly SimulatedEvent[],
    nowMs: number,
    watermark: number,
  ) => void,
): SimulatedEvent[] {
  const events = [...offsetsMs]
    .sort((a, b) => a - b)
    .map((offset, i): SimulatedEvent => {
      const acceptedAtMs = T0 + offset
      return { seq: seqFloor(acceptedAtMs) + i, acceptedAtMs, rows: i % 5 === 4, rehints: 0, crossings: 0 }
    })
  let watermark = 0
  let lastSweepMs = 0
  for (const nowMs of [...sweepsMs].sort((a, b) => a - b).map((offset) => T0 + offset)) {
    const open = events.filter(({ seq, acceptedAtMs }) => seq > watermark && acceptedAtMs <= nowMs)
    const scanned = open.map(({ seq, acceptedAtMs, rows }) => ({ seq, acceptedAtMs, isOrphan: !rows }))
    const plan = planOrphans(scanned, { nowMs, lastSweepMs, isAlone: false, queuedSinceMs: nowMs })
    for (const event of open.filter(({ rows }) => !rows)) {
      if (holds(plan.rehint, event.seq)) event.rehints++
      const ageMs = nowMs - event.acceptedAtMs
      const lastAgeMs = lastSweepMs - event.acceptedAtMs
      if (ageMs < ROW_AGE_MS && AGES_MS.some((age) => lastAgeMs < age && age <= ageMs)) event.crossings++
      if (holds(plan.giveRows, event.seq)) event.rows = true
    }
    check(plan, events, nowMs, watermark)
    watermark = plan.watermark ?? watermark
    lastSweepMs = nowMs
  }
  return events
}

describe('over any sequence of sweeps', () => {
  const offsets = fc.array(fc.integer({ min: 0, max: 900_000 }), { minLength: 1, maxLength: 40 })
  const sweeps = fc.uniqueArray(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 1, maxLength: 60 })
  const RUNS = { numRuns: 500 }

  test('an orphan is hinted again once for each age it passes between two sweeps, so at most three times', () => {
    fc.assert(
      fc.property(offsets, sweeps, (offsetsMs, sweepsMs) => {
        const events = simulate(offsetsMs, sweepsMs, () => undefined)
        expect(events.map(({ rehints }) => rehints)).toEqual(events.map(({ crossings }) => crossings))
        expect(Math.max(...events.map(({ rehints }) => rehints))).toBeLessThanOrEqual(3)
      }),
      RUNS,
    )
  })

  test('every orphan of ten minutes has a row after the sweep', () => {
    fc.assert(
      fc.property(offsets, sweeps, (offsetsMs, sweepsMs) => {
        simulate(offsetsMs, sweepsMs, (_, events, nowMs) => {
          const old = events.filter(({ acceptedAtMs }) => nowMs - acceptedAtMs >= ROW_AGE_MS)
          expect(old.every(({ rows }) => rows)).toBe(true)
        })
      }),
      RUNS,
    )
  })

  test('no orphan younger than ten minutes is given a row', () => {
    fc.assert(
      fc.property(offsets, sweeps, (offsetsMs, sweepsMs) => {
        simulate(offsetsMs, sweepsMs, (plan, events, nowMs) => {
          const young = events.filter(({ acceptedAtMs }) => nowMs - acceptedAtMs < ROW_AGE_MS)
          expect(young.some(({ seq }) => holds(plan.giveRows, seq))).toBe(false)
        })
      }),
      RUNS,
    )
  })

  test('the watermark only rises, and never past an orphan that is left without a row', () => {
    fc.assert(
      fc.property(offsets, sweeps, (offsetsMs, sweepsMs) => {
        simulate(offsetsMs, sweepsMs, (plan, events, _, watermark) => {
          const next = plan.watermark ?? watermark
          const lost = events.filter(({ seq, rows }) => !rows && seq <= next)
          expect(lost).toEqual([])
          expect(next).toBeGreaterThanOrEqual(watermark)
        })
      }),
      RUNS,
    )
  })

  test('the watermark ends at the last event once all are ten minutes old', () => {
    fc.assert(
      fc.property(offsets, sweeps, (offsetsMs, sweepsMs) => {
        let last: number | null = null
        const events = simulate(offsetsMs, [...sweepsMs, 2_000_001], (plan, _, __, watermark) => {
          last = plan.watermark ?? watermark
        })
        expect(last).toBe(events.at(-1)?.seq)
      }),
      RUNS,
    )
  })
})

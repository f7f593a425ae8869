import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttemptRecord } from '../../../src/deliver/attempt/attempt.ts'
import { settle } from '../../../src/deliver/settle/settle.sql.ts'
import { emptyCounters } from '../../../src/history/counters.ts'
import { rollUpStatistics, totalCounters } from '../../../src/history/statistics.sql.ts'
import { naiveCounters, record, settlement } from '../../support/rig/attempts.ts'
import { START_MS } from '../../support/rig/builders.ts'

/** One thing that happens: an outcome for one of a few deliveries, or a fold. */
type Step = {
  seq: number
  n: number
  success: boolean
  more: boolean
  isTest: boolean
  latencyMs: number
  hours: number
  twice: boolean
  fold: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  seq: fc.integer({ min: 1, max: 4 }),
  n: fc.integer({ min: 1, max: 3 }),
  success: fc.boolean(),
  more: fc.boolean(),
  isTest: fc.constant(false),
  latencyMs: fc.integer({ min: 0, max: 40_000 }),
  hours: fc.integer({ min: 0, max: 3 }),
  twice: fc.boolean(),
  fold: fc.boolean(),
})

let subscriptionNo = 0

function toRecord(s: Step): AttemptRecord {
  const dueAtMs = !s.success && s.more ? START_MS : null
  return record({ subscriptionNo, seq: s.seq }, { ...s, dueAtMs, status: s.success ? 200 : 500 })
}

/** Outcomes that count: the first attempt of a delivery, or the one after the last while more are owed. */
function applied(records: readonly AttemptRecord[]): AttemptRecord[] {
  const last = new Map<number, AttemptRecord>()
  return records.filter((r) => {
    const before = last.get(r.seq)
    const counts =
      before === undefined
        ? r.attemptNo === 1
        : before.dueAtMs !== null && r.attemptNo === before.attemptNo + 1
    if (counts) last.set(r.seq, r)
    return counts
  })
}

test('counters equal a naive count over any history of outcomes, doubled or not, folded or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      subscriptionNo++
      // An attempt after the first is only ever made of a delivery that has a row.
      const history = steps.filter(
        ({ seq, n }, i) =>
          n === 1 || steps.slice(0, i).some((earlier) => earlier.seq === seq && earlier.n === 1),
      )
      for (const [i, s] of history.entries()) {
        const once = settlement(`${subscriptionNo}-${i}`, [toRecord(s)])
        const nowMs = START_MS + s.hours * 3_600_000
        await settle(env.DB, once, nowMs)
        if (s.fold) await rollUpStatistics(env.DB, 500)
        if (s.twice) await settle(env.DB, once, nowMs)
      }
      const totals = await totalCounters(env.DB, [subscriptionNo])
      expect(totals.get(subscriptionNo) ?? emptyCounters()).toEqual(
        naiveCounters(applied(history.map(toRecord))),
      )
    }),
    { numRuns: 60 },
  )
})

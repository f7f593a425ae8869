import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import { Isolates } from './isolates.ts'

const RUNS = inject('isFullCount') ? 400 : 60
/** The time in which a use above a limit is to be cut to it. */
const CUT_MS = 10_000

/** Runs so many steps of 20 ms, in each of which `act` is told the time since the beginning. */
function run(isolates: Isolates, seconds: number, act: (sinceMs: number) => void): void {
  for (let sinceMs = 0; sinceMs < seconds * 1000; sinceMs += 20) {
    act(sinceMs)
    isolates.pass(20)
  }
}

const limit = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 13, max: 120 }))
const isolateCount = fc.integer({ min: 1, max: 4 })
/** How reports and their answers are delayed. */
const wayMs = fc.integer({ min: 0, max: 800 })

describe('who never exceeds a limit in any second', () => {
  test('is never refused, over however many isolates the uses are spread and however they move', () => {
    const property = fc.property(
      limit,
      isolateCount,
      wayMs,
      fc.array(fc.record({ isolate: fc.nat(), calls: fc.integer({ min: 0, max: 200 }) }), {
        minLength: 5,
        maxLength: 40,
      }),
      (requestsPerSecond, count, way, uses) => {
        const isolates = new Isolates(count, { limits: { requestsPerSecond }, wayMs: () => way })
        const made: number[] = []
        let refused = 0
        const inLastSecond = (ms: number) => made.filter((atMs) => atMs > ms - 1000).length
        run(isolates, 30, (sinceMs) => {
          const { isolate, calls } = uses[Math.floor(sinceMs / 20) % uses.length] ?? { isolate: 0, calls: 0 }
          for (let i = 0; i < calls && inLastSecond(sinceMs) < requestsPerSecond; i++) {
            made.push(sinceMs)
            if (!isolates.request((isolate + i) % count)) refused++
          }
        })
        expect(refused).toBe(0)
        expect(made.length).toBeGreaterThan(0)
      },
    )
    fc.assert(property, { numRuns: RUNS })
  })

  test('is not refused any more ten seconds after it has exceeded it', () => {
    for (const count of [1, 2, 3]) {
      const isolates = new Isolates(count, { limits: { requestsPerSecond: 20 } })
      let at = 0
      run(isolates, 20, () => {
        for (let i = 0; i < 4; i++) isolates.request(at++ % count)
      })
      let refused = 0
      run(isolates, 30, (sinceMs) => {
        // All of it through one isolate, whose share was a part.
        const isRefused = sinceMs % 60 === 0 && !isolates.request(0)
        if (isRefused && sinceMs >= CUT_MS) refused++
      })
      expect([count, refused]).toEqual([count, 0])
    }
  })
})

describe('who exceeds a limit', () => {
  test('is cut to it within ten seconds over all isolates, and not to less', () => {
    const property = fc.property(
      limit,
      fc.double({ min: 1.2, max: 20, noNaN: true }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      wayMs,
      (eventsPerSecond, excess, weights, way) => {
        const count = weights.length
        const isolates = new Isolates(count, { limits: { eventsPerSecond }, wayMs: () => way })
        const demand = deal(weights, eventsPerSecond * excess)
        const seconds = 60
        let admitted = 0
        run(isolates, CUT_MS / 1000 + seconds, (sinceMs) => {
          for (let no = 0; no < count; no++) {
            const events = demand(no, sinceMs)
            const granted = events > 0 ? isolates.publish(no, events) : 0
            if (sinceMs >= CUT_MS) admitted += granted
          }
        })
        // A second's events, and one more of each isolate, may come at once; and where there are few, whole
        // events in four seconds do not tell a bit more than the limit from the limit.
        const blur = (count - 1) / 4
        expect(admitted).toBeLessThanOrEqual(
          (eventsPerSecond * 1.02 + blur) * seconds + eventsPerSecond + 2 * count,
        )
        expect(admitted).toBeGreaterThanOrEqual(Math.floor(eventsPerSecond * seconds * 0.85) - count)
      },
    )
    fc.assert(property, { numRuns: RUNS })
  })

  test('is cut although each isolate by itself stays within the limit', () => {
    const isolates = new Isolates(3, { limits: { requestsPerSecond: 10 } })
    const perSecond: number[] = []
    run(isolates, 30, (sinceMs) => {
      // Nine of each isolate in a second.
      const isTurn = sinceMs % 100 === 0 && sinceMs % 1000 !== 0
      for (let no = 0; isTurn && no < 3; no++) {
        const second = Math.floor(sinceMs / 1000)
        if (isolates.request(no)) perSecond[second] = (perSecond[second] ?? 0) + 1
      }
    })
    expect(perSecond[0]).toBe(27)
    for (const count of perSecond.slice(CUT_MS / 1000)) expect(count).toBeLessThanOrEqual(13)
    const cut = perSecond.slice(CUT_MS / 1000)
    expect(cut.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(10 * cut.length + 3)
  })
})

/** Spreads a demand evenly over time, and by their weights over isolates. */
function deal(weights: readonly number[], perSecond: number): (no: number, sinceMs: number) => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const upTo = (no: number, ms: number) => Math.floor((ms / 1000) * perSecond * ((weights[no] ?? 0) / total))
  return (no, sinceMs) => upTo(no, sinceMs + 20) - upTo(no, sinceMs)
}

describe('events of a day', () => {
  const limits = { eventsPerDay: 500 }

  test('are all accepted up to the limit, and those of all isolates are cut to it within ten seconds', () => {
    const isolates = new Isolates(3, { limits })
    const accepted: number[] = []
    run(isolates, 60, (sinceMs) => {
      const granted = isolates.publish((sinceMs / 20) % 3, 1)
      const second = Math.floor(sinceMs / 1000)
      accepted[second] = (accepted[second] ?? 0) + granted
    })
    const total = accepted.reduce((sum, count) => sum + count, 0)
    // Fifty a second reach it after ten seconds.
    expect(accepted.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 50))
    expect(total).toBeLessThanOrEqual(500 + 50 * 3)
    expect(accepted.slice(20).every((count) => count === 0)).toBe(true)
  })

  test('stay counted when every isolate, and the limiter, has ended meanwhile', () => {
    const isolates = new Isolates(2, { limits })
    for (let round = 0; round < 4; round++) {
      expect(isolates.publish(round % 2, 100)).toBe(100)
      isolates.pass(3_000)
      isolates.restart()
    }
    isolates.publish(0, 1)
    isolates.pass(3_000)
    expect(isolates.publish(0, 500)).toBe(99)
  })

  test('begin anew at midnight', () => {
    const isolates = new Isolates(2, { limits, nowMs: Date.UTC(2026, 10, 2, 23, 59, 50) })
    expect(isolates.publish(0, 600)).toBe(500)
    isolates.pass(5_000)
    isolates.publish(1, 1)
    isolates.pass(4_000)
    expect(isolates.publish(1, 1)).toBe(0)
    isolates.pass(1_010)
    expect(isolates.publish(1, 600)).toBe(500)
  })

  test('are those that were accepted: a duplicate leaves room for another', () => {
    const isolates = new Isolates(1, { limits })
    expect(isolates.publish(0, 400, () => 1)).toBe(400)
    isolates.pass(3_000)
    expect(isolates.publish(0, 600)).toBe(499)
  })
})

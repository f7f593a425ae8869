import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PacerReply } from '../../../../src/pacing/pacer/protocol.ts'
import { LEASE_MS, readPacerState, storePacerState } from '../../../../src/pacing/pacer/state.ts'
import type { RateLimit } from '../../../../src/pacing/settings.ts'
import { chance } from '../../../support/hostile/queue.ts'
import { Backlog } from './backlog.ts'
import { createPacer, startsOf } from './calls.ts'

const RATES: RateLimit[] = [
  { requests: 1, perSeconds: 1 },
  { requests: 1, perSeconds: 60 },
  { requests: 100, perSeconds: 60 },
  { requests: 1_000, perSeconds: 1 },
  { requests: 3, perSeconds: 7 },
]
const rate = fc.oneof(
  fc.constantFrom(...RATES),
  fc.record({ requests: fc.integer({ min: 1, max: 500 }), perSeconds: fc.integer({ min: 1, max: 120 }) }),
)
const batch = fc.record({
  maxEvents: fc.integer({ min: 1, max: 50 }),
  maxBytes: fc.integer({ min: 1_000, max: 5_000 }),
  maxWaitMs: fc.integer({ min: 1_000, max: 30_000 }),
})
const terms = fc.record({
  batch: fc.option(batch),
  rate: fc.option(rate),
  concurrency: fc.option(fc.integer({ min: 1, max: 20 })),
})

/** What happens next: how much later, how many arrive, which open grant is reported and how. */
const step = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 2 * LEASE_MS })),
  arrived: fc.option(fc.integer({ min: 1, max: 300 })),
  report: fc.option(fc.nat()),
  unused: fc.oneof(fc.nat({ max: 5 }), fc.constant(100)),
  waiting: fc.option(fc.record({ events: fc.nat({ max: 200 }), isDue: fc.boolean() })),
  wantsMore: fc.boolean(),
  isLate: fc.boolean(),
})
const steps = fc.array(step, { minLength: 1, maxLength: 60 })
const NOTHING_LEFT = { events: 0, isDue: false }
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Go = Extract<PacerReply, { kind: 'go' }>
/** A grant that has not been reported. */
type Open = Go & { atMs: number }

/** Takes a step; answers the reply and the grant that was reported, with how many of its requests were made. */
function take(pacer: ReturnType<typeof createPacer>, open: Open[], { afterMs, ...next }: Step) {
  pacer.nowMs += afterMs
  const [reported] = next.report === null ? [] : open.splice(next.report % Math.max(1, open.length), 1)
  const unused = Math.min(next.unused, reported?.requests ?? 0)
  const reply = pacer.call({
    arrived:
      next.arrived === null ? null : { events: next.arrived, bytes: next.arrived * 10, sinceMs: pacer.nowMs },
    waiting: next.waiting && { ...next.waiting, bytes: next.waiting.events * 10, sinceMs: pacer.nowMs },
    finished: reported === undefined ? null : { leaseId: reported.leaseId, unused },
    wantsMore: next.wantsMore,
  })
  if (reply.kind === 'go') open.push({ ...reply, atMs: pacer.nowMs })
  return { reply, reported: reported && { ...reported, unused, isLate: next.isLate } }
}

/** The starts of a reported grant: the first of its slots, or the last that have passed, with gaps before them. */
function usedOf(grant: Open & { unused: number; isLate: boolean }, nowMs: number): number[] {
  const passed = startsOf(grant, grant.atMs).filter((startMs) => startMs <= nowMs)
  const used = grant.requests - grant.unused
  if (!grant.isLate || passed.length < used) return startsOf(grant, grant.atMs, grant.unused)
  return used === 0 ? [] : passed.slice(-used)
}

/** Every window of the limit's length that begins with a start: the shortest of them, in milliseconds. */
function tightestMs(starts: readonly number[], { requests }: RateLimit): number {
  const sorted = [...starts].sort((one, other) => one - other)
  const spans = sorted.slice(requests).map((startMs, i) => startMs - (sorted[i] ?? 0))
  return Math.min(Number.POSITIVE_INFINITY, ...spans)
}

describe('a rate limit', () => {
  test.each([...RATES, null])('is kept in any window, however calls interleave: %j', (fixed) => {
    const limits = fixed === null ? rate : fc.constant(fixed)
    fc.assert(
      fc.property(limits, fc.option(batch), steps, (limit, batch, steps) => {
        const pacer = createPacer({ rate: limit, batch })
        const open: Open[] = []
        const starts: number[] = []
        for (const next of steps) {
          const { reported } = take(pacer, open, next)
          if (reported !== undefined) starts.push(...usedOf(reported, pacer.nowMs))
        }
        for (const grant of open) starts.push(...startsOf(grant, grant.atMs))
        return tightestMs(starts, limit) >= limit.perSeconds * 1000
      }),
      { numRuns: 300 },
    )
  })

  /** Chance as it is: evenly spread, which a stream of fast-check's favourite numbers is not. */
  const random = fc.integer().map(chance)

  test.each([
    ...RATES.map((limit) => ({ limit, withBatches: false })),
    { limit: { requests: 50, perSeconds: 1 }, withBatches: false },
    { limit: { requests: 50, perSeconds: 1 }, withBatches: true },
    { limit: { requests: 100, perSeconds: 60 }, withBatches: true },
  ])('is used to the full under a backlog: %j', ({ limit, withBatches }) => {
    // A grant of a thousand a second lasts so short that the way to its consumer counts.
    const leastShare = limit.requests === 1_000 ? 0.9 : 0.95
    fc.assert(
      fc.property(random, (random) => {
        const backlog = new Backlog({ limit, withBatches, random })
        expect(backlog.usedShare()).toBeGreaterThan(leastShare)
      }),
      { numRuns: 10 },
    )
  })
})

test('concurrency bounds the requests under way, however calls interleave', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), terms, steps, (concurrency, others, steps) => {
      const pacer = createPacer({ ...others, concurrency })
      const open: Open[] = []
      for (const next of steps) {
        take(pacer, open, next)
        const live = open.filter(({ atMs }) => atMs + LEASE_MS > pacer.nowMs)
        if (live.reduce((sum, { places }) => sum + (places ?? 0), 0) > concurrency) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

test('while something is known to rest somebody will be woken', () => {
  fc.assert(
    fc.property(terms, steps, (terms, steps) => {
      const pacer = createPacer(terms)
      const open: Open[] = []
      return steps.every((next) => {
        take(pacer, open, next)
        const { buffer, isOwed } = pacer.state
        const waiting = buffer !== null || isOwed
        return !waiting || (pacer.wakeAtMs !== null && pacer.wakeAtMs > pacer.nowMs)
      })
    }),
    { numRuns: 500 },
  )
})

test('a pacer whose grants are used comes to rest', () => {
  fc.assert(
    fc.property(terms, steps, (terms, steps) => {
      const pacer = createPacer(terms)
      const open: Open[] = []
      for (const next of steps) take(pacer, open, next)
      for (let i = 0; i < 500 && pacer.wakeAtMs !== null; i++) {
        pacer.nowMs = Math.max(pacer.nowMs, Math.ceil(pacer.wakeAtMs))
        const reply = pacer.call({})
        if (reply.kind === 'go') pacer.finish(reply.leaseId, { events: 0 }, reply.requests)
      }
      return pacer.wakeAtMs === null
    }),
    { numRuns: 300 },
  )
})

test('arrivals after an exact look are counted, but for what was granted since', () => {
  fc.assert(
    fc.property(batch, steps, (batch, steps) => {
      const pacer = createPacer({ batch })
      const open: Open[] = []
      let owed = 0
      return steps.every((next) => {
        // Everybody says that D1 holds nothing more: what the pacer counts is what it has been told since.
        const { reply, reported } = take(pacer, open, { ...next, waiting: next.waiting && NOTHING_LEFT })
        if (reported !== undefined && next.waiting !== null) owed = 0
        owed += next.arrived ?? 0
        if (reply.kind === 'go') owed = Math.max(0, owed - reply.requests * batch.maxEvents)
        return (pacer.state.buffer?.events ?? 0) >= owed
      })
    }),
    { numRuns: 500 },
  )
})

test('a state survives its text', () => {
  fc.assert(
    fc.property(terms, steps, (terms, steps) => {
      const pacer = createPacer(terms)
      const open: Open[] = []
      return steps.every((next) => {
        take(pacer, open, next)
        const { load } = pacer.state
        return (
          JSON.stringify({ ...readPacerState(storePacerState(pacer.state)), load }) ===
          JSON.stringify(pacer.state)
        )
      })
    }),
    { numRuns: 200 },
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttemptFault, AttemptResult } from '../../../src/outcome/classify.ts'
import {
  applyBreaker,
  BREAKER_FAULTS_MAX,
  BREAKER_FAULTS_MIN,
  BREAKER_HOLD_MS_MAX,
  BREAKER_HOLD_MS_MIN,
  type BreakerChange,
  type BreakerObservation,
  type BreakerState,
  breakerName,
  breakerSignal,
  CLOSED_BREAKER,
  heldUntilOf,
  isOpen,
  isProbing,
  NOTHING_OBSERVED,
  observeBreaker,
  observeSignal,
  resetBreaker,
} from '../../../src/receiver/breaker.ts'

const NOW_MS = 1_700_000_000_000
const DAY_MS = 86_400_000
const faults = (faultsInRow: number): BreakerObservation => ({ ...NOTHING_OBSERVED, faultsInRow })
const ANSWER: BreakerObservation = { ...NOTHING_OBSERVED, answers: 1 }
const askedFor = (ms: number, seen = NOTHING_OBSERVED) => ({ ...seen, retryAfterUntilMs: NOW_MS + ms })

/** The state after one claim that has read the state as it is. */
function claimed(state: BreakerState, seen: BreakerObservation, nowMs = NOW_MS, random = 0.5): BreakerState {
  const change = observeBreaker(state, seen, nowMs, random)
  return change === null ? state : applyBreaker(state, change)
}

describe('what a result says of the receiver', () => {
  const statuses = (...list: number[]): AttemptResult[] => list.map((status) => ({ status }))
  const failures = (...list: AttemptFault[]): AttemptResult[] => list.map((fault) => ({ fault }))
  const DOWN = [
    'timeout_headers',
    'timeout_body',
    'connection',
    'dns_or_tls',
    'dns',
    'tls',
    'refused',
  ] as const

  test.each([
    ['answers of a receiver that is overwhelmed', statuses(500, 502, 503, 504, 599, 408, 425), 'fault'],
    ['no answer from it', failures(...DOWN), 'fault'],
    ['answers that it works', statuses(200, 299, 301, 400, 401, 404, 410, 422, 429, 499), 'answer'],
    ['no request made', failures('template', 'auth', 'blocked', 'internal'), 'nothing'],
  ])('%s', (_, results, signal) => {
    expect(results.filter((result) => breakerSignal(result) !== signal)).toEqual([])
  })

  test('a status that a response rule expects is no fault, a timeout still is', () => {
    expect(breakerSignal({ status: 500 }, true)).toBe('answer')
    expect(breakerSignal({ fault: 'timeout_body' }, true)).toBe('fault')
  })

  test('within a claim faults count from the last answer, and what says nothing changes nothing', () => {
    const signals = ['fault', 'answer', 'fault', 'nothing', 'fault'] as const
    const seen = signals.reduce((before, signal) => observeSignal(before, signal, null), NOTHING_OBSERVED)
    expect(seen).toEqual({ answers: 1, faultsInRow: 2, retryAfterUntilMs: null })
  })

  test('the latest time asked for counts', () => {
    const seen = [5, 9, null, 7].reduce((s, until) => observeSignal(s, 'answer', until), NOTHING_OBSERVED)
    expect(seen.retryAfterUntilMs).toBe(9)
  })
})

describe('a breaker', () => {
  const open = claimed(CLOSED_BREAKER, faults(10))

  test('opens at the tenth fault in a row for 30 s', () => {
    const nine = claimed(claimed(CLOSED_BREAKER, faults(4)), faults(5))
    expect(nine).toEqual({ faultsInRow: 9, heldUntilMs: 0, throttledUntilMs: 0 })
    expect(breakerName(nine, NOW_MS)).toBe('closed')
    expect(claimed(nine, faults(1))).toEqual({ ...nine, faultsInRow: 10, heldUntilMs: NOW_MS + 30_000 })
  })

  test('is held as shortly for a hundred faults in one claim', () => {
    expect(claimed(CLOSED_BREAKER, faults(100))).toEqual(open)
  })

  test('is open until its hold has passed, then half open', () => {
    const passedMs = open.heldUntilMs
    const at = (ms: number) => [
      isOpen(open, ms),
      isProbing(open, ms),
      breakerName(open, ms),
      heldUntilOf(open, ms),
    ]
    expect(at(passedMs - 1)).toEqual([true, false, 'open', passedMs])
    expect(at(passedMs)).toEqual([false, true, 'half_open', null])
  })

  test('doubles its hold with each failed probe, up to 15 minutes', () => {
    let [state, nowMs] = [open, NOW_MS]
    const holds = Array.from({ length: 8 }, () => {
      const holdMs = state.heldUntilMs - nowMs
      nowMs = state.heldUntilMs
      state = claimed(state, faults(1), nowMs)
      return holdMs / 1000
    })
    expect(holds).toEqual([30, 60, 120, 240, 480, 900, 900, 900])
    expect(state.faultsInRow).toBe(BREAKER_FAULTS_MAX)
  })

  test('jitters its hold by a fifth', () => {
    const holdMs = (random: number) =>
      claimed(CLOSED_BREAKER, faults(10), NOW_MS, random).heldUntilMs - NOW_MS
    expect([0, 0.5, 0.999_999].map(holdMs)).toEqual([24_000, 30_000, 36_000])
  })

  test('stays half open after a probe that says nothing of the receiver', () => {
    expect(observeBreaker(open, NOTHING_OBSERVED, open.heldUntilMs, 0.5)).toBeNull()
  })

  test('ignores faults of claims taken before it opened', () => {
    expect(observeBreaker(open, faults(50), NOW_MS + 1000, 0.5)).toBeNull()
  })

  test('is closed by an answer, even one that arrives while it is open', () => {
    expect(claimed(open, ANSWER)).toEqual(CLOSED_BREAKER)
  })

  test('counts faults after a claim’s last answer', () => {
    expect(claimed(open, { ...ANSWER, faultsInRow: 3 })).toEqual({ ...CLOSED_BREAKER, faultsInRow: 3 })
    expect(claimed(open, { ...ANSWER, faultsInRow: 10 })).toEqual(open)
  })

  test('costs a healthy receiver no write', () => {
    expect(observeBreaker(CLOSED_BREAKER, { ...ANSWER, answers: 100 }, NOW_MS, 0.5)).toBeNull()
    expect(observeBreaker(CLOSED_BREAKER, NOTHING_OBSERVED, NOW_MS, 0.5)).toBeNull()
  })
})

describe('Retry-After', () => {
  test('throttles a closed breaker without counting as a fault', () => {
    const throttled = claimed(CLOSED_BREAKER, askedFor(60_000, ANSWER))
    expect(throttled).toEqual({ ...CLOSED_BREAKER, throttledUntilMs: NOW_MS + 60_000 })
    expect(breakerName(throttled, NOW_MS + 59_999)).toBe('throttled')
    expect(heldUntilOf(throttled, NOW_MS + 59_999)).toBe(NOW_MS + 60_000)
    expect(breakerName(throttled, NOW_MS + 60_000)).toBe('closed')
  })

  test('outlasts a shorter hold: open, then throttled, then half open', () => {
    const state = claimed(CLOSED_BREAKER, askedFor(60_000, faults(10)))
    const names = [0, 29_999, 30_000, 59_999, 60_000].map((ms) => breakerName(state, NOW_MS + ms))
    expect(names).toEqual(['open', 'open', 'throttled', 'throttled', 'half_open'])
    expect(heldUntilOf(state, NOW_MS)).toBe(NOW_MS + 60_000)
  })

  test('is neither shortened by another answer’s nor forgotten on a success', () => {
    const throttled = claimed(CLOSED_BREAKER, askedFor(60_000, ANSWER))
    expect(claimed(throttled, askedFor(10_000, ANSWER))).toEqual(throttled)
    expect(claimed(throttled, ANSWER)).toEqual(throttled)
    expect(claimed(throttled, faults(10)).throttledUntilMs).toBe(throttled.throttledUntilMs)
  })

  test('is forgotten with everything else when a retry asked for by a person is answered', () => {
    const state = claimed(CLOSED_BREAKER, askedFor(60_000, faults(10)))
    expect(applyBreaker(state, resetBreaker(NOW_MS))).toEqual(CLOSED_BREAKER)
  })

  test('counts for 24 hours at most, and not at all once it has passed', () => {
    expect(claimed(CLOSED_BREAKER, askedFor(2 * DAY_MS)).throttledUntilMs).toBe(NOW_MS + DAY_MS)
    expect(observeBreaker(CLOSED_BREAKER, askedFor(0), NOW_MS, 0.5)).toBeNull()
  })
})

describe('for every sequence of claims', () => {
  const claim = fc.record({
    seen: fc.record({
      answers: fc.nat(2),
      faultsInRow: fc.nat(12),
      retryAfterUntilMs: fc.option(fc.integer({ min: NOW_MS, max: NOW_MS + 2 * DAY_MS })),
    }),
    waitMs: fc.nat(60_000),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })

  /** Walks a closed breaker through claims, each of which has read the state that was `staleBy` claims ago. */
  function walk(claims: (typeof claim extends fc.Arbitrary<infer C> ? C : never)[], staleBy: number) {
    const states = [CLOSED_BREAKER]
    let nowMs = NOW_MS
    return claims.map(({ seen, waitMs, random }) => {
      nowMs += waitMs
      const read = states.at(-1 - staleBy) ?? CLOSED_BREAKER
      const change = observeBreaker(read, seen, nowMs, random)
      const current = states.at(-1)!
      const next = change === null ? current : applyBreaker(current, change)
      states.push(next)
      return { seen, nowMs, state: next }
    })
  }
  const steps = fc.array(claim, { maxLength: 60 }).map((claims) => walk(claims, 0))
  const stale = fc.tuple(fc.array(claim, { maxLength: 60 }), fc.nat(3)).map((given) => walk(...given))

  test('no breaker opens before ten faults in a row, and every one does then', () => {
    fc.assert(
      fc.property(steps, (walked) => {
        let inRow = 0
        for (const { seen, state } of walked) {
          inRow = (seen.answers > 0 ? 0 : inRow) + seen.faultsInRow
          expect(Math.min(state.faultsInRow, BREAKER_FAULTS_MIN)).toBe(Math.min(inRow, BREAKER_FAULTS_MIN))
          expect(state.heldUntilMs > 0).toBe(inRow >= BREAKER_FAULTS_MIN)
        }
      }),
    )
  })

  test('an answer closes it', () => {
    fc.assert(
      fc.property(stale, claim, (walked, { seen, random }) => {
        const { state, nowMs } = walked.at(-1) ?? { state: CLOSED_BREAKER, nowMs: NOW_MS }
        const closed = claimed(state, { ...seen, answers: 1, faultsInRow: 0 }, nowMs, random)
        expect(closed).toMatchObject({ faultsInRow: 0, heldUntilMs: 0 })
      }),
    )
  })

  test('holds and counters are bounded whole numbers, stale reads or not', () => {
    fc.assert(
      fc.property(stale, (walked) => {
        for (const { state, nowMs } of walked) {
          expect(Object.values(state).every(Number.isInteger)).toBe(true)
          expect(state.faultsInRow).toBeLessThanOrEqual(BREAKER_FAULTS_MAX)
          expect(state.heldUntilMs - nowMs).toBeLessThanOrEqual(BREAKER_HOLD_MS_MAX * 1.2)
          expect(state.throttledUntilMs - nowMs).toBeLessThanOrEqual(DAY_MS)
        }
      }),
    )
  })

  test('no claim brings the time asked for forward', () => {
    const untilMs = stale.map((walked) => walked.map(({ state }) => state.throttledUntilMs))
    fc.assert(fc.property(untilMs, (each) => each.every((ms, i) => ms >= (each[i - 1] ?? 0))))
  })
})

describe('two claims that report at once', () => {
  const state = fc.oneof(
    fc.record({ faultsInRow: fc.nat(9), heldUntilMs: fc.constant(0), throttledUntilMs: fc.nat(10) }),
    fc.record({
      faultsInRow: fc.integer({ min: 10, max: 15 }),
      heldUntilMs: fc.integer({ min: NOW_MS - 50_000, max: NOW_MS + 50_000 }),
      throttledUntilMs: fc.nat(10),
    }),
  )
  const adding: fc.Arbitrary<BreakerChange> = fc.record({
    kind: fc.constant('add'),
    faults: fc.nat(20),
    throttledUntilMs: fc.oneof(fc.constant(0), fc.integer({ min: NOW_MS, max: NOW_MS + DAY_MS })),
    nowMs: fc.constant(NOW_MS),
    jitterPermille: fc.integer({ min: 800, max: 1200 }),
  })

  test('add up: faults are counted as if one claim had seen them, in either order', () => {
    fc.assert(
      fc.property(state, adding, adding, (before, one, other) => {
        const forth = applyBreaker(applyBreaker(before, one), other)
        const back = applyBreaker(applyBreaker(before, other), one)
        const both = applyBreaker(before, { ...one, faults: one.faults + other.faults })
        expect(forth.faultsInRow).toBe(both.faultsInRow)
        expect(back.faultsInRow).toBe(both.faultsInRow)
        expect(forth.throttledUntilMs).toBe(back.throttledUntilMs)
        expect(isOpen(forth, NOW_MS)).toBe(isOpen(back, NOW_MS))
      }),
    )
  })

  test('of which one has an answer leave fewer faults than ten, or ten seen after an answer, in either order', () => {
    fc.assert(
      fc.property(state, adding, adding, (before, first, second) => {
        const closing: BreakerChange = { ...first, kind: 'close', faults: 0 }
        const afterwards = applyBreaker(applyBreaker(before, closing), second)
        expect(isOpen(afterwards, NOW_MS)).toBe(second.faults >= BREAKER_FAULTS_MIN)
        expect(applyBreaker(applyBreaker(before, second), closing).faultsInRow).toBe(0)
      }),
    )
  })

  test('and both have seen the breaker half open are one failed probe', () => {
    const probing = { faultsInRow: 11, heldUntilMs: NOW_MS - 1, throttledUntilMs: 0 }
    const one = observeBreaker(probing, faults(1), NOW_MS, 0.5)
    const other = observeBreaker(probing, faults(1), NOW_MS + 5, 0.5)
    const once = applyBreaker(probing, one!)
    expect(once).toMatchObject({ faultsInRow: 12, heldUntilMs: NOW_MS + 4 * BREAKER_HOLD_MS_MIN })
    expect(applyBreaker(once, other!)).toEqual(once)
  })
})

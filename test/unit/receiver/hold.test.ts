import fc from 'fast-check'
import { expect, test } from 'vitest'
import { breakerName, CLOSED_BREAKER } from '../../../src/receiver/breaker.ts'
import { holdOf, PROBE_AFTER_MS } from '../../../src/receiver/hold.ts'

const NOW_MS = 1_700_000_000_000
const OPEN = { faultsInRow: 10, heldUntilMs: NOW_MS + 30_000, throttledUntilMs: 0 }
const PROBING = { ...OPEN, heldUntilMs: NOW_MS }
const THROTTLED = { ...CLOSED_BREAKER, throttledUntilMs: NOW_MS + 5000 }

test.each([
  ['nothing holds a healthy subscription', null, CLOSED_BREAKER, { kind: 'none' }],
  ['a pause holds everything', NOW_MS - 1, CLOSED_BREAKER, { kind: 'paused' }],
  ['a pause outlasts an open breaker', NOW_MS - 1, OPEN, { kind: 'paused' }],
  ['a pause forbids the probe too', NOW_MS - 1, PROBING, { kind: 'paused' }],
  [
    'an open breaker holds until its hold has passed',
    null,
    OPEN,
    { kind: 'until', untilMs: NOW_MS + 30_000, probe: false },
  ],
  [
    'a Retry-After holds as long as was asked for',
    null,
    THROTTLED,
    { kind: 'until', untilMs: NOW_MS + 5000, probe: false },
  ],
  [
    'a half-open breaker lets one through and holds the rest',
    null,
    PROBING,
    { kind: 'until', untilMs: NOW_MS + PROBE_AFTER_MS, probe: true },
  ],
])('%s', (_, pausedAtMs, breaker, hold) => {
  expect(holdOf({ pausedAtMs, breaker }, NOW_MS)).toEqual(hold)
})

test('no hold ends in the past, and what is held is what the API calls held', () => {
  const near = fc.integer({ min: NOW_MS - 10, max: NOW_MS + 10 })
  const breaker = fc.record({
    faultsInRow: fc.integer({ min: 8, max: 12 }),
    heldUntilMs: near,
    throttledUntilMs: near,
  })
  fc.assert(
    fc.property(breaker, (state) => {
      const hold = holdOf({ pausedAtMs: null, breaker: state }, NOW_MS)
      expect(hold.kind !== 'until' || hold.untilMs > NOW_MS).toBe(true)
      expect(hold.kind === 'none').toBe(breakerName(state, NOW_MS) === 'closed')
      expect(hold.kind === 'until' && hold.probe).toBe(breakerName(state, NOW_MS) === 'half_open')
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Health, nextHealth, SLOW_LATENCY_MS } from '../../../src/receiver/health.ts'

const FAST = { successes: 0, failures: 0, timeouts: 0, slowestMs: 50 }
const ALL: readonly Health[] = ['unproven', 'healthy', 'suspect']

describe.each(ALL)('a receiver that is %s', (current) => {
  test.each([
    ['answers fast', { ...FAST, successes: 1 }, 'healthy'],
    ['answers fast as often as it fails', { ...FAST, successes: 10, failures: 10 }, 'healthy'],
    ['fails more often than it answers', { ...FAST, successes: 10, failures: 11 }, current],
    ['fails nine times', { ...FAST, failures: 9 }, current],
    ['fails ten times in one go', { ...FAST, failures: 10 }, 'suspect'],
    [
      'runs into its timeout once among successes',
      { ...FAST, successes: 99, failures: 1, timeouts: 1 },
      'suspect',
    ],
    ['answers just in time', { ...FAST, successes: 1, slowestMs: SLOW_LATENCY_MS }, 'healthy'],
    ['answers slowly once', { ...FAST, successes: 99, slowestMs: SLOW_LATENCY_MS + 1 }, 'suspect'],
    ['was not seen', { ...FAST, slowestMs: 0 }, current],
  ])('and %s becomes what that says of it', (_, seen, next) => {
    expect(nextHealth(current, seen)).toBe(next)
  })
})

test('no receiver becomes healthy that timed out or did not succeed', () => {
  const observation = fc.record({
    successes: fc.nat(30),
    failures: fc.nat(30),
    timeouts: fc.nat(2),
    slowestMs: fc.nat(30_000),
  })
  fc.assert(
    fc.property(fc.constantFrom<Health>('unproven', 'suspect'), observation, (current, seen) => {
      const earned = seen.timeouts === 0 && seen.slowestMs <= SLOW_LATENCY_MS && seen.successes > 0
      expect(nextHealth(current, seen) === 'healthy' && !earned).toBe(false)
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WAKE_HORIZON_MS, WakeRegister, wakeDelaySeconds } from '../../../src/hints/wake.ts'

const NOW = 1_700_000_000_000

describe('the delay of a wake-up', () => {
  test.each([
    [-10_000, 0],
    [0, 0],
    [1, 1],
    [999, 1],
    [1_000, 1],
    [1_001, 2],
    [90_000, 90],
  ])('for work due in %i ms is %i s', (inMs, seconds) => {
    expect(wakeDelaySeconds(NOW + inMs, NOW)).toBe(seconds)
  })

  test('never ends before the work is due, and less than a second after', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (inMs) => {
        const lateMs = wakeDelaySeconds(NOW + inMs, NOW) * 1000 - inMs
        expect(lateMs >= 0 && lateMs < 1_000).toBe(true)
      }),
    )
  })
})

describe('the register of wake-ups', () => {
  test('claims one for 30,000 failures of a subscription', () => {
    const register = new WakeRegister()
    const claimed = Array.from({ length: 30_000 }, (_, i) => {
      const nowMs = NOW + Math.floor(i / 10)
      return register.claim(1, nowMs + 5_000, nowMs)
    })
    expect(claimed.filter((atMs) => atMs !== null)).toHaveLength(1)
  })

  test('claims one for work that is due earlier than the one under way', () => {
    const register = new WakeRegister()
    register.claim(1, NOW + 30_000, NOW)
    expect(register.claim(1, NOW + 10_000, NOW)).toBe(10)
  })

  test('claims one for each subscription', () => {
    const register = new WakeRegister()
    register.claim(1, NOW + 5_000, NOW)
    expect(register.claim(2, NOW + 5_000, NOW)).toBe(5)
  })

  test('claims another once the one under way has come', () => {
    const register = new WakeRegister()
    register.claim(1, NOW + 5_000, NOW)
    expect(register.claim(1, NOW + 10_000, NOW + 5_000)).toBe(5)
  })

  test('spaces those for work that is overdue: the one before may still lie in the queue', () => {
    const register = new WakeRegister()
    expect(register.claim(1, NOW, NOW)).toBe(0)
    expect(register.claim(1, NOW, NOW + 10)).toBe(2)
    const more = Array.from({ length: 1_000 }, (_, i) => register.claim(1, NOW, NOW + 11 + i))
    expect(new Set(more)).toEqual(new Set([null]))
  })

  test('claims one at once when a consumer has taken the one before', () => {
    const register = new WakeRegister()
    register.claim(1, NOW, NOW)
    register.taken(1, NOW + 5)
    expect(register.claim(1, NOW + 10, NOW + 10)).toBe(0)
  })

  test('keeps one that lies ahead when a consumer looks before it', () => {
    const register = new WakeRegister()
    register.claim(1, NOW + 5_000, NOW)
    register.taken(1, NOW + 1_000)
    expect(register.claim(1, NOW + 6_000, NOW + 1_000)).toBe(null)
  })

  test('leaves work beyond the horizon to the sweeper', () => {
    expect(new WakeRegister().claim(1, NOW + WAKE_HORIZON_MS + 1, NOW)).toBe(null)
  })

  test('claims one for work at the horizon', () => {
    expect(new WakeRegister().claim(1, NOW + WAKE_HORIZON_MS, NOW)).toBe(90)
  })

  test('is not confused by work beyond the horizon', () => {
    const register = new WakeRegister()
    register.claim(1, NOW + WAKE_HORIZON_MS + 1, NOW)
    expect(register.claim(1, NOW + WAKE_HORIZON_MS, NOW)).toBe(90)
  })

  test('never refuses one because there are many', () => {
    const register = new WakeRegister()
    const claimed = Array.from({ length: 25_000 }, (_, no) => register.claim(no, NOW + 5_000, NOW))
    expect(claimed.every((atMs) => atMs !== null)).toBe(true)
  })

  test('always has one under way that comes no later than any work it was told of, or two seconds after the last', () => {
    const step = fc.record({
      waitMs: fc.nat(4_000),
      no: fc.integer({ min: 1, max: 3 }),
      inMs: fc.integer({ min: -5_000, max: 95_000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const register = new WakeRegister()
        const sent: { no: number; atMs: number }[] = []
        let nowMs = NOW
        for (const { waitMs, no, inMs } of steps) {
          nowMs += waitMs
          const dueAtMs = nowMs + inMs
          const before = sent.filter((w) => w.no === no && w.atMs <= nowMs).map(({ atMs }) => atMs)
          const delaySeconds = register.claim(no, dueAtMs, nowMs)
          if (delaySeconds !== null) sent.push({ no, atMs: nowMs + delaySeconds * 1_000 })
          // Queues delay by whole seconds.
          const latestMs = Math.max(dueAtMs, nowMs, ...before.map((lastMs) => lastMs + 2_000)) + 1_000
          const served = sent.some((w) => w.no === no && w.atMs >= nowMs && w.atMs < latestMs)
          expect(served || inMs > WAKE_HORIZON_MS).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SEQ_BITS, SEQ_MAX, seqFloor, seqRange } from '../../../../src/base/ids/seq.ts'

const YEAR_2026 = Date.UTC(2026, 0, 1)
const LAST_MS = Date.UTC(2043, 0, 1)
const DRIFT_MS = 600_000
const anyTime = fc.integer({ min: YEAR_2026, max: LAST_MS })

describe('the floor of the sequence numbers', () => {
  test('rises with every millisecond until 2043', () => {
    fc.assert(
      fc.property(anyTime, (ms) => {
        expect(seqFloor(ms + 1)).toBe(seqFloor(ms) + 32)
      }),
    )
  })

  test('has room until the end of 2042', () => {
    expect(seqFloor(LAST_MS)).toBeLessThan(SEQ_MAX)
  })

  test('never leaves its 44 bits', () => {
    expect(seqFloor(Date.UTC(2100, 0, 1))).toBe(2 ** SEQ_BITS - 1)
  })

  test('is not negative for a clock that is wrong', () => {
    expect(seqFloor(0)).toBe(0)
  })

  test('is whole for a time that is not', () => {
    expect(seqFloor(YEAR_2026 + 0.99)).toBe(31)
  })
})

describe('a range of sequence numbers', () => {
  test('holds every event accepted in it, numbers up to ten minutes ahead of the clock or behind', () => {
    const drift = fc.integer({ min: -DRIFT_MS, max: DRIFT_MS })
    fc.assert(
      fc.property(anyTime, anyTime, fc.nat(1_000_000), drift, (a, b, within, off) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const acceptedAtMs = Math.min(to, from + within)
        const seq = seqFloor(acceptedAtMs + off)
        const { min, max } = seqRange(from, to)
        expect(seq >= min && seq <= max).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test('without bounds holds all there are', () => {
    expect(seqRange(null, null)).toEqual({ min: 0, max: SEQ_MAX })
  })

  test('leaves out what is further away than the clocks can be', () => {
    const at = Date.UTC(2030, 0, 1)
    const { min, max } = seqRange(at, at)
    expect(max - min).toBe(2 * DRIFT_MS * 32)
  })
})

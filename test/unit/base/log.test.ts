import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SEQ_MAX } from '../../../src/base/ids/seq.ts'
import { isDrawn } from '../../../src/base/log.ts'

const no = fc.integer({ min: 1, max: 1_000_000 })
const seq = fc.integer({ min: 0, max: SEQ_MAX })

describe('the draw of a sample', () => {
  test('takes all of a share of 1 and none of a share of 0', () => {
    fc.assert(
      fc.property(no, seq, (a, b) => {
        expect([isDrawn(a, b, 1), isDrawn(a, b, 0)]).toEqual([true, false])
      }),
    )
  })

  test('takes with a larger share all that a smaller one takes', () => {
    fc.assert(
      fc.property(no, seq, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, share) => {
        if (isDrawn(a, b, share / 2)) expect(isDrawn(a, b, share)).toBe(true)
      }),
    )
  })

  test.each([
    ['one subscription', (n: number) => [7, 2 ** 40 + n]],
    ['one event', (n: number) => [n, 2 ** 40]],
    ['numbers made by a clock', (n: number) => [3, n * 32_000]],
  ])('takes about a tenth of the deliveries of %s', (_, pair) => {
    const pairs = Array.from({ length: 20_000 }, (_none, n) => pair(n) as [number, number])
    const drawn = pairs.filter(([a, b]) => isDrawn(a, b, 0.1)).length
    expect(drawn).toBeGreaterThan(1_800)
    expect(drawn).toBeLessThan(2_200)
  })
})

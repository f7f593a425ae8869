import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PAIRS_PER_HINT, pairsHintSchema } from '../../../src/hints/hint.ts'
import { pairsHints, pairsOf } from '../../../src/hints/pairs.ts'

const pair = fc.record({
  workspaceNo: fc.integer({ min: 1, max: 3 }),
  subscriptionNo: fc.integer({ min: 1, max: 5 }),
  seq: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
})

test('hints name every delivery they were made for, in order, each in at most so many', () => {
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (pairs, pairsMax) => {
      const hints = pairsHints(pairs, pairsMax)
      expect(hints.flatMap(pairsOf)).toEqual(pairs)
      for (const hint of hints) {
        expect(pairsHintSchema.safeParse(hint).success).toBe(true)
        expect(pairsOf(hint).length).toBeLessThanOrEqual(pairsMax)
      }
    }),
  )
})

test('a hundred hints of the largest numbers fit into one call of the queue', () => {
  const pairs = Array.from({ length: 100 * PAIRS_PER_HINT }, (_, i) => {
    return { workspaceNo: 1, subscriptionNo: 9_999_999, seq: 2 ** 43 + i * 1_000 }
  })
  const bytes = pairsHints(pairs).map((hint) => JSON.stringify(hint).length + 100)
  expect(Math.max(...bytes)).toBeLessThan(64_000)
  expect(bytes.reduce((sum, length) => sum + length, 0)).toBeLessThan(256_000)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunksByWeight, chunksOf } from '../../../src/base/chunks.ts'

describe('a list cut by number', () => {
  test('has full parts and a last one with what is left', () => {
    expect(chunksOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
  })

  test('has no part when it is empty', () => {
    expect(chunksOf([], 2)).toEqual([])
  })
})

describe('a list cut by weight', () => {
  const weigh = (weight: number) => weight

  test('begins a new part where the next item would be too much', () => {
    expect(chunksByWeight([3, 3, 4, 1], 6, weigh)).toEqual([
      [3, 3],
      [4, 1],
    ])
  })

  test('gives an item that is too heavy a part of its own', () => {
    expect(chunksByWeight([1, 9, 1], 6, weigh)).toEqual([[1], [9], [1]])
  })

  test('holds every item once and in order, in parts that are never empty nor too heavy for several items', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 20 }), (items, max) => {
        const chunks = chunksByWeight(items, max, weigh)
        expect(chunks.flat()).toEqual(items)
        for (const chunk of chunks) {
          const weight = chunk.reduce((sum, item) => sum + item, 0)
          expect(chunk.length === 1 || (chunk.length > 1 && weight <= max)).toBe(true)
        }
      }),
    )
  })
})

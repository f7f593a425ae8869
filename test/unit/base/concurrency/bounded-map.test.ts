import { describe, expect, test } from 'vitest'
import { BoundedMap } from '../../../../src/base/concurrency/bounded-map.ts'

function filled(max: number, keys: readonly string[]): BoundedMap<string, number> {
  const map = new BoundedMap<string, number>(max)
  for (const [i, key] of keys.entries()) map.set(key, i)
  return map
}

const kept = (map: BoundedMap<string, number>, keys: readonly string[]) =>
  keys.filter((key) => map.get(key) !== undefined)

describe('a bounded map', () => {
  test('keeps as many entries as it may', () => {
    expect(kept(filled(3, ['a', 'b', 'c']), ['a', 'b', 'c'])).toEqual(['a', 'b', 'c'])
  })

  test('forgets the entry that came first when none was read', () => {
    expect(kept(filled(2, ['a', 'b', 'c']), ['a', 'b', 'c'])).toEqual(['b', 'c'])
  })

  test('keeps an entry that was read over one that was not', () => {
    const map = filled(2, ['a', 'b'])
    map.get('a')
    map.set('c', 2)
    expect(kept(map, ['a', 'b', 'c'])).toEqual(['a', 'c'])
  })

  test('keeps an entry that was written again over one that was not', () => {
    expect(kept(filled(2, ['a', 'b', 'a', 'c']), ['a', 'b', 'c'])).toEqual(['a', 'c'])
  })

  test('has room for another entry once one was deleted', () => {
    const map = filled(2, ['a', 'b'])
    map.delete('a')
    map.set('c', 2)
    expect(kept(map, ['a', 'b', 'c'])).toEqual(['b', 'c'])
  })

  test('has no entry that was deleted', () => {
    const map = filled(2, ['a'])
    map.delete('a')
    expect(map.get('a')).toBeUndefined()
  })
})

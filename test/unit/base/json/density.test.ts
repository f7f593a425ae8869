import { describe, expect, test } from 'vitest'
import { atOnce } from '../../../../src/base/concurrency/yielder.ts'
import { densityOf } from '../../../../src/base/json/density.ts'

describe('the density of a JSON text', () => {
  test.each([
    ['nothing', '', 0, 0, 0],
    ['a scalar', '12', 0, 0, 0],
    ['an empty object', '{}', 1, 1, 1],
    ['members', '{"a":1,"b":2}', 1, 2, 1],
    ['lists in a list', '[[],[],[]]', 4, 6, 2],
    ['the deepest of several', '[[{}],[[[]]],{}]', 7, 9, 4],
    ['marks in strings', '["[{,","\\"[{,","\\\\"]', 1, 3, 1],
    ['a string that does not end', '["a,,,[', 1, 1, 1],
    ['a string that ends in a backslash', '["a\\', 1, 1, 1],
    ['more ends than beginnings', ']]]][', 1, 1, 0],
  ])('counts %s', (_, text, containers, values, depth) => {
    expect(atOnce(densityOf(text))).toEqual({ containers, values, depth })
  })

  test('is never below what is parsed', () => {
    const value = { a: [1, 'x,[{', { b: null }, []], c: { d: { e: [[['\\"']]] } } }
    let count = 0
    JSON.stringify(value, (_, member) => {
      count++
      return member
    })
    expect(atOnce(densityOf(JSON.stringify(value))).values).toBeGreaterThanOrEqual(count - 1)
  })
})

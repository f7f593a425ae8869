import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atOnce } from '../../../../src/base/concurrency/yielder.ts'
import { parseInTurns } from '../../../../src/base/json/parse-in-turns.ts'

const anyJson = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))
const anyPiece = fc.integer({ min: 0, max: 40 })
const inPieces = (text: string, pieceChars: number) => atOnce(parseInTurns(text, pieceChars))

/** The value, or that there is none. */
function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() }
  } catch {
    return 'refused'
  }
}

describe('a text that is parsed in pieces', () => {
  test('gives what JSON.parse gives, wherever it is cut and however it is spaced', () => {
    const spaces = fc.constantFrom('', ' ', '\n', '\t', 3)
    fc.assert(
      fc.property(anyJson, spaces, anyPiece, (value, space, pieceChars) => {
        const text = JSON.stringify(value, null, space)
        expect(JSON.stringify(inPieces(text, pieceChars))).toBe(JSON.stringify(JSON.parse(text)))
      }),
      { numRuns: 500 },
    )
  })

  test('is refused where JSON.parse refuses it', () => {
    const marks = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      '1',
      '-',
      ' ',
      'null',
      '"a"',
      '"a":',
    )
    const anyText = fc.array(marks, { maxLength: 14 }).map((parts) => parts.join(''))
    const anyBroken = fc
      .tuple(anyJson, fc.nat(), marks, fc.boolean())
      .map(([value, at, mark, isReplaced]) => {
        const text = JSON.stringify(value)
        const place = at % (text.length + 1)
        return text.slice(0, place) + mark + text.slice(place + (isReplaced ? 1 : 0))
      })
    fc.assert(
      fc.property(fc.oneof(anyText, anyBroken), anyPiece, (text, pieceChars) => {
        const expected = outcome(() => JSON.parse(text))
        const isContainer = /^[ \n\r\t]*[[{]/.test(text)
        const parsed = outcome(() => inPieces(text, pieceChars))
        expect(parsed).toEqual(isContainer ? expected : 'refused')
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['{"a":1,"b":{"a":[1,2,3]},"a":{"z":[4,5,6]}}', 'a name that is given twice'],
    ['{"__proto__":{"a":[1,2,3]},"constructor":1}', 'the name of the prototype'],
    ['{"10":[1],"9":[2],"b":[3]}', 'names that are numbers'],
  ])('takes %s as JSON.parse does: %s', (text) => {
    const [parsed, expected] = [inPieces(text, 0), JSON.parse(text)]
    expect(parsed).toEqual(expected)
    expect(Object.keys(parsed as object)).toEqual(Object.keys(expected))
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  })

  test.each([
    ['a list of small objects', JSON.stringify(Array.from({ length: 50_000 }, (_, i) => ({ a: i })))],
    ['lists within lists', `${'[1,'.repeat(100_000)}2${']'.repeat(100_000)}`],
    ['objects within objects', `${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}`],
    ['lists that each begin with many items', `${`[${'1,'.repeat(3_000)}`.repeat(60)}2${']'.repeat(60)}`],
  ])('lets others have their turn while it is %s', (_, text) => {
    let turns = 0
    for (const task = parseInTurns(text); task.next().done !== true; ) turns++
    expect(turns).toBeGreaterThanOrEqual(Math.floor(text.length / 100_000))
  })
})

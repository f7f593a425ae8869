import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CursorKind, decodeCursor, encodeCursor } from '../../../../src/base/ids/cursor.ts'
import { SEQ_MAX } from '../../../../src/base/ids/seq.ts'

const KINDS: readonly CursorKind[] = ['subscriptions', 'events', 'log', 'event-deliveries']
const kind = fc.constantFrom(...KINDS)
const number = fc.oneof(fc.integer({ min: 0, max: SEQ_MAX }), fc.constantFrom(0, SEQ_MAX))

/** A cursor's encoding of any text. */
function unpadded(text: string): string {
  return btoa(text).replace(/=+$/, '')
}

describe('a cursor', () => {
  test('is read back as where the next page begins', () => {
    fc.assert(
      fc.property(kind, number, (list, belowNo) => {
        expect(decodeCursor(list, encodeCursor(list, belowNo))).toBe(belowNo)
      }),
      { numRuns: 1_000 },
    )
  })

  test('of one list is refused by every other', () => {
    fc.assert(
      fc.property(kind, kind, number, (made, read, belowNo) => {
        expect(decodeCursor(read, encodeCursor(made, belowNo)) === null).toBe(made !== read)
      }),
      { numRuns: 1_000 },
    )
  })

  test('can stand in a query string as it is', () => {
    fc.assert(
      fc.property(kind, number, (list, belowNo) => {
        expect(encodeCursor(list, belowNo)).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      }),
    )
  })

  test('has one spelling only', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'ABCabc012_-=+/'), maxLength: 40 }),
      fc.tuple(fc.string({ unit: 'binary-ascii' }), kind).map(([text, list]) => unpadded(`${text}.${list}`)),
    )
    fc.assert(
      fc.property(kind, noise, (list, text) => {
        const read = decodeCursor(list, text)
        expect(read === null ? text : encodeCursor(list, read)).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['nothing', ''],
    ['no base64', '!!!'],
    ['half a base64 character', 'A'],
    ['another form', unpadded('events')],
    ['a negative number', unpadded('-1.events')],
    ['a number with a leading zero', unpadded('007.events')],
    ['a fraction', unpadded('1.5.events')],
    ['an exponent', unpadded('1e3.events')],
    ['a number too long', unpadded('1234567890123456.events')],
    ['SQL', unpadded('1 OR 1=1.events')],
    ['padding', btoa('1.events')],
    ['65 characters', 'A'.repeat(65)],
    ['characters beyond ASCII', 'é漢😀'],
    ['a line break at its end', `${encodeCursor('events', 1)}\n`],
  ])('of %s is refused', (_, text) => {
    expect(decodeCursor('events', text)).toBeNull()
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRetryAfter } from '../../../src/outcome/retry-after.ts'

/** RFC 9110's own example moment: Sun, 06 Nov 1994 08:49:37 GMT. */
const EXAMPLE_MS = Date.UTC(1994, 10, 6, 8, 49, 37)

describe('seconds', () => {
  test.each([
    ['0', 0],
    ['120', 120],
    [' 120\t', 120],
    ['007', 7],
    ['1.2', 2],
    ['86400', 86_400],
    ['86401', 86_400],
    // Milliseconds, as some send them.
    ['100000', 86_400],
    ['1700000000000', 86_400],
    ['9'.repeat(400), 86_400],
  ])('%j is %i', (header, seconds) => {
    expect(parseRetryAfter(header, EXAMPLE_MS)).toBe(seconds)
  })

  test.each([
    null,
    '',
    ' ',
    '-1',
    '-0',
    '+5',
    '1e3',
    '0x10',
    '.5',
    '5.',
    '1,5',
    '5s',
    'soon',
    'NaN',
    'Infinity',
    '١٢',
  ])('%j asks for nothing', (header) => {
    expect(parseRetryAfter(header, EXAMPLE_MS)).toBeNull()
  })
})

describe('a header that was sent more than once', () => {
  test.each([
    ['120, 120', 120],
    ['60, 120', 120],
    ['120,  60', 120],
    ['120, soon', 120],
    ['-5, 120', 120],
    ['86400, 100000', 86_400],
    ['10, Sun, 06 Nov 1994 08:49:37 GMT', 90],
    ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:38 GMT', 91],
    ['Sunday, 06-Nov-94 08:49:37 GMT, 100', 100],
    ['Sun Nov  6 08:49:37 1994, 10', 90],
  ])('%j asks for the longest, %i', (header, seconds) => {
    expect(parseRetryAfter(header, EXAMPLE_MS - 90_000)).toBe(seconds)
  })

  test.each(['soon, later', ', ', ',,', '-1, -2', '1,5'])('%j asks for nothing', (header) => {
    expect(parseRetryAfter(header, EXAMPLE_MS)).toBeNull()
  })
})

describe('HTTP dates (RFC 9110 section 5.6.7)', () => {
  test.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'sun, 06 nov 1994 08:49:37 gmt',
  ])('%s is the same moment', (header) => {
    expect(parseRetryAfter(header, EXAMPLE_MS - 90_000)).toBe(90)
  })

  test('a part of a second counts as a whole one, so that the retry is not early', () => {
    expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE_MS - 1)).toBe(1)
  })

  test('a date in the past is now', () => {
    expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE_MS + 1)).toBe(0)
  })

  test('a date far ahead is 24 hours', () => {
    expect(parseRetryAfter('Fri, 31 Dec 9999 23:59:59 GMT', EXAMPLE_MS)).toBe(86_400)
  })

  test('a leap second is a valid time', () => {
    const now = Date.UTC(2016, 11, 31, 23, 59, 50)
    expect(parseRetryAfter('Sat, 31 Dec 2016 23:59:60 GMT', now)).toBe(10)
  })

  test.each([
    ['Saturday, 01-Jan-00 00:00:10 GMT', Date.UTC(2000, 0, 1), 10],
    ['Friday, 01-Jan-00 00:00:10 GMT', Date.UTC(1999, 11, 31, 23, 59, 50), 20],
    ['Wednesday, 01-Jan-76 00:00:00 GMT', Date.UTC(2026, 0, 1), 86_400],
    ['Friday, 01-Jan-77 00:00:00 GMT', Date.UTC(2026, 0, 1), 0],
  ])('the two-digit year of %s is at most 50 years ahead', (header, nowMs, seconds) => {
    expect(parseRetryAfter(header, nowMs)).toBe(seconds)
  })

  test.each([
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    '1994-11-06T08:49:37Z',
  ])('%s is no date', (header) => {
    expect(parseRetryAfter(header, EXAMPLE_MS)).toBeNull()
  })

  test('reads every date that JavaScript writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.integer({ min: 0, max: 86_400 }),
        (now, seconds) => {
          const header = new Date((now + seconds) * 1000).toUTCString()
          expect(parseRetryAfter(header, now * 1000)).toBe(seconds)
        },
      ),
    )
  })
})

test('never throws and never leaves 0…86,400, whatever is sent', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer(), (header, nowMs) => {
      const seconds = parseRetryAfter(header, nowMs)
      if (seconds !== null) expect(seconds >= 0 && seconds <= 86_400 && Number.isInteger(seconds)).toBe(true)
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePublicId, encodePublicId } from '../../../../src/base/ids/public-id.ts'
import { SEQ_MAX } from '../../../../src/base/ids/seq.ts'
import { callerIdSchema } from '../../../../src/model/event.ts'

const OWNER_MAX = 2 ** 32 - 1
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const RUNS = { numRuns: 2_000 }

/** Edges of the halves and of the whole are drawn more often than chance would. */
const owner = fc.oneof(fc.integer({ min: 0, max: OWNER_MAX }), fc.constantFrom(0, 1, 2 ** 31, OWNER_MAX))
const seq = fc.oneof(
  fc.maxSafeInteger().map((n) => Math.abs(n) % (SEQ_MAX + 1)),
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, SEQ_MAX - 1, SEQ_MAX),
)
const key = fc.record({ owner, seq })
const prefix = fc.constantFrom('evt_' as const, 'log_' as const)

/** An id with one of its characters replaced, in every way there is. */
function alterations(id: string): string[] {
  const places = Array.from({ length: id.length - 5 }, (_, i) => i + 5)
  return places.flatMap((at) =>
    [...ALPHABET].filter((c) => c !== id[at]).map((c) => id.slice(0, at) + c + id.slice(at + 1)),
  )
}

describe('a generated id', () => {
  test('is read back as what it was made of', () => {
    fc.assert(
      fc.property(prefix, key, (kind, made) => {
        expect(decodePublicId(kind, encodePublicId(kind, made))).toEqual(made)
      }),
      RUNS,
    )
  })

  test('has the form of every id: no dot, and always as long', () => {
    fc.assert(
      fc.property(prefix, key, (kind, made) => {
        expect(encodePublicId(kind, made)).toMatch(/^(evt|log)_0[0-9a-hjkmnp-tv-z]{18}$/)
      }),
      RUNS,
    )
  })

  test('may be sent back as an id of a caller', () => {
    const id = encodePublicId('evt_', { owner: 1, seq: 1 })
    expect(callerIdSchema.safeParse(id).success).toBe(true)
  })

  test('belongs to one pair of numbers only', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const same = a.owner === b.owner && a.seq === b.seq
        expect(encodePublicId('evt_', a) === encodePublicId('evt_', b)).toBe(same)
      }),
      RUNS,
    )
  })

  test('shares little with its neighbour’s', () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => encodePublicId('evt_', { owner: 1, seq: 10_000 + i }))
    const heads = new Set(ids.map((id) => id.slice(0, 12)))
    expect(heads.size).toBeGreaterThan(990)
  })

  test('of one kind is none of the other', () => {
    expect(decodePublicId('log_', encodePublicId('evt_', { owner: 1, seq: 1 }))).toBeNull()
  })
})

describe('anything else', () => {
  // Beyond 3 a number has more bits than there are; few such digits leave room for ids that are right.
  const firstDigit = fc.constantFrom('0', '1', '2', '3', '4', 'z')
  const almost = fc
    .tuple(
      firstDigit,
      fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 6, maxLength: 6 }),
      firstDigit,
      fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 6, maxLength: 6 }),
      firstDigit,
      fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 3, maxLength: 3 }),
    )
    .map((parts) => `evt_0${parts.join('')}`)

  test.each([
    '',
    'evt_',
    'evt_123',
    'evt_987654321',
    `evt_0${'0'.repeat(17)}`,
    `evt_0${'z'.repeat(18)}`,
    `evt_0${'u'.repeat(18)}`,
    `evt_0${'😀'.repeat(9)}`,
    `evt_0${'\u0000'.repeat(18)}`,
    `evt_0${'-'.repeat(18)}`,
  ])('%j is refused', (id) => {
    expect(decodePublicId('evt_', id)).toBeNull()
  })

  test.each([
    ['another database', (id: string) => id.replace('evt_0', 'evt_1')],
    ['capitals', (id: string) => `evt_${id.slice(4).toUpperCase()}`],
    ['a character more', (id: string) => `${id}0`],
    ['a character less', (id: string) => id.slice(0, -1)],
    ['a space in front', (id: string) => ` ${id}`],
  ])('an id with %s is refused', (_, alter) => {
    const id = encodePublicId('evt_', { owner: 77, seq: 123_456_789 })
    expect(decodePublicId('evt_', alter(id))).toBeNull()
  })

  test('never makes the reading throw, and what is read is within bounds', () => {
    const noise = fc.oneof(
      { arbitrary: fc.string({ unit: 'binary' }), weight: 1 },
      { arbitrary: almost, weight: 4 },
    )
    fc.assert(
      fc.property(noise, (id) => {
        const read = decodePublicId('evt_', id)
        expect(read === null || (read.owner <= OWNER_MAX && read.seq <= SEQ_MAX)).toBe(true)
      }),
      { numRuns: 10_000 },
    )
  })

  test('that is read at all is the very id of what was read', () => {
    fc.assert(
      fc.property(almost, (id) => {
        const read = decodePublicId('evt_', id)
        expect(read === null ? id : encodePublicId('evt_', read)).toBe(id)
      }),
      { numRuns: 5_000 },
    )
  })

  test('that differs from an id in one character passes the check about once in 32', () => {
    const ids = Array.from({ length: 100 }, (_, i) =>
      encodePublicId('log_', { owner: 1 + i, seq: 1_000_003 * i }),
    )
    const altered = ids.flatMap((id) => alterations(id))
    const passed = altered.filter((id) => decodePublicId('log_', id) !== null)
    expect(passed.length / altered.length).toBeLessThan(1.2 / 32)
  })
})

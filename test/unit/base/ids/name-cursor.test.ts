import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeNameCursor, encodeCursor, encodeNameCursor } from '../../../../src/base/ids/cursor.ts'

const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,128}$/)

test('a cursor leads back to its name, and needs no escape in a URL', () => {
  fc.assert(
    fc.property(name, (after) => {
      const cursor = encodeNameCursor('event-types', after)
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(decodeNameCursor('event-types', cursor)).toBe(after)
    }),
  )
})

test('anything else is refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeNameCursor('event-types', text)).toBeNull()
    }),
  )
  for (const plain of [
    'event-types:',
    'events:a',
    'event-types:a b',
    `event-types:${'a'.repeat(129)}`,
    'event-types',
  ]) {
    expect(decodeNameCursor('event-types', btoa(plain).replace(/=+$/, ''))).toBeNull()
  }
  expect(decodeNameCursor('event-types', `${encodeNameCursor('event-types', 'ab')}=`)).toBeNull()
  expect(decodeNameCursor('event-types', encodeCursor('subscriptions', 5))).toBeNull()
})

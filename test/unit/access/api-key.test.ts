import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashSecret, makeApiKey, parseApiKey } from '../../../src/access/api-key.ts'
import { isSameHash } from '../../../src/base/secret/digest.ts'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Bytes from a list, and then any. */
function bytesFrom(list: readonly number[]): (length: number) => Uint8Array {
  let at = 0
  return (length) => Uint8Array.from({ length }, () => list[at++] ?? (at * 7) % 248)
}

const anyKey = fc
  .array(fc.nat(255), { maxLength: 80 })
  .map((bytes) => makeApiKey({ randomBytes: bytesFrom(bytes) }))

describe('a key', () => {
  test('has a prefix, 12 characters that find it, 32 that prove it and 6 that check it', () => {
    expect(makeApiKey().text).toMatch(/^phk_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}[0-9A-Za-z]{6}$/)
  })

  test('is read back as it was made', () => {
    fc.assert(
      fc.property(anyKey, ({ text, id, secret }) => {
        expect(parseApiKey(text)).toEqual({ id, secret })
      }),
    )
  })

  test('ends with the CRC-32 of what stands before, so that a scanner knows a real one', () => {
    // The CRC-32 of "123456789" is cbf43926 by every definition; here it is of this key's own text.
    const { text } = makeApiKey({ id: '000000000000', randomBytes: (length) => new Uint8Array(length) })
    expect(text.slice(0, -6)).toBe('phk_000000000000_00000000000000000000000000000000')
    expect(numberOf(text.slice(-6))).toBe(crcByTable(text.slice(0, -6)))
  })

  test('with one wrong character is no key', () => {
    fc.assert(
      fc.property(anyKey, fc.nat(), fc.nat(61), ({ text }, place, letter) => {
        const at = place % text.length
        const other = BASE62.charAt(letter)
        fc.pre(other !== text[at])
        expect(parseApiKey(text.slice(0, at) + other + text.slice(at + 1))).toBeNull()
      }),
    )
  })

  test('with two neighbours exchanged is no key', () => {
    fc.assert(
      fc.property(anyKey, fc.nat(), ({ text }, place) => {
        const at = place % (text.length - 1)
        const [one = '', two = ''] = text.slice(at, at + 2)
        fc.pre(one !== two)
        expect(parseApiKey(text.slice(0, at) + two + one + text.slice(at + 2))).toBeNull()
      }),
    )
  })

  test.each([
    ['a part', (text: string) => text.slice(0, -1)],
    ['more', (text: string) => `${text}0`],
    ['a line end', (text: string) => `${text}\n`],
    ['another prefix', (text: string) => text.replace('phk_', 'php_')],
    ['no separator', (text: string) => text.replace(/_(?=[^_]*$)/, 'a')],
    ['a letter of another script', (text: string) => text.replace(/.$/, 'à')],
  ])('with %s is no key', (_, bend) => {
    expect(parseApiKey(bend(makeApiKey().text))).toBeNull()
  })

  test('no text makes the reader throw', () => {
    fc.assert(fc.property(fc.string(), (text) => parseApiKey(text) === null))
  })

  test('has every letter as likely as another: each stands for four bytes, and the last eight for none', () => {
    const letterOf = (byte: number) => {
      let isFirst = true
      const randomBytes = (length: number) => {
        const bytes = new Uint8Array(length).fill(isFirst || byte < 248 ? byte : 0)
        isFirst = false
        return bytes
      }
      return makeApiKey({ id: 'x', randomBytes }).secret.charAt(0)
    }
    const letters = Array.from({ length: 256 }, (_, byte) => letterOf(byte))
    for (const letter of BASE62) {
      expect(letters.slice(0, 248).filter((each) => each === letter)).toHaveLength(4)
    }
    expect(letters.slice(248)).toEqual(Array.from({ length: 8 }, () => '0'))
  })

  test('keeps its id when it gets another secret', () => {
    const before = makeApiKey()
    const after = makeApiKey({ id: before.id })
    expect(after.id).toBe(before.id)
    expect(after.secret).not.toBe(before.secret)
  })
})

describe('the hash of a secret', () => {
  test('is the same for the same secret, and for no other', async () => {
    const [one, same, other] = [await hashSecret('a'), await hashSecret('a'), await hashSecret('b')]
    expect([isSameHash(one, same), isSameHash(one, other)]).toEqual([true, false])
  })

  test('is compared whole', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => isSameHash(one, other) === (one === other)),
    )
  })
})

function numberOf(text: string): number {
  return [...text].reduce((value, letter) => value * 62 + BASE62.indexOf(letter), 0)
}

/** CRC-32 the other way round, by its table. */
function crcByTable(text: string): number {
  const table = Array.from({ length: 256 }, (_, n) => {
    let value = n
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    return value >>> 0
  })
  let crc = 0xffffffff
  for (const byte of new TextEncoder().encode(text)) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isVaultKey } from '../../../../src/base/secret/sealing-key.ts'
import { createVault } from '../../../../src/base/secret/vault.ts'

const KEY = btoa('0123456789abcdef0123456789abcdef')
const OTHER_KEY = btoa('fedcba9876543210fedcba9876543210')
const SECRET = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ='
const vault = createVault(KEY)
const OWNER = { workspaceId: 'acme', id: 'webhook_1' }
const seal = () => vault.seal(SECRET, OWNER, 'secret')
/** A seal of the first version, under `KEY`, of the text `an-old-secret` for the row `webhook_1`. */
const OLD_SEAL = 'v1.AAECAwQFBgcICQoL.TIuWE7V8/9/NvwPbBX81iQPe9OyoHL8b035d8c8='
/** The same of the second version, for the field `secret` of the row in `acme`: it names no key either. */
const SECOND_SEAL = 'v2.AAECAwQFBgcICQoL.TIuWE7V8/9/NvwPbBXTAu+/Uy6hImN22NvwRyCY='

/** Flips one bit of one byte of the nonce (part 2) or of the ciphertext with its tag (part 3). */
function flip(sealed: string, part: number, at: number, bit: number): string {
  const parts = sealed.split('.')
  const bytes = Uint8Array.from(atob(parts[part] ?? ''), (c) => c.charCodeAt(0))
  const place = at % bytes.length
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
  return parts.with(part, btoa(String.fromCharCode(...bytes))).join('.')
}

describe('a sealed secret', () => {
  test('is opened as what it was', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constantFrom('', '.', 'a.b.c', '\u0000'),
    )
    await fc.assert(
      fc.asyncProperty(text, fc.string({ unit: 'grapheme' }), async (plain, id) => {
        const owner = { workspaceId: 'acme', id }
        expect(await vault.open(await vault.seal(plain, owner, 'secret'), owner, 'secret')).toBe(plain)
      }),
    )
  })

  test('may be as long as an answer that is kept', async () => {
    const long = 'ä'.repeat(1_000_000)
    expect(await vault.open(await vault.seal(long, OWNER, 'answer'), OWNER, 'answer')).toBe(long)
  })

  test.each([
    ['in another row', { ...OWNER, id: 'webhook_2' }, 'secret'],
    ['in another workspace', { ...OWNER, workspaceId: 'globex' }, 'secret'],
    ['as another field', OWNER, 'auth'],
  ])('cannot be opened %s', async (_, owner, field) => {
    await expect(vault.open(await seal(), owner, field)).rejects.toThrow()
  })

  test.each([
    ['first', OLD_SEAL],
    ['second', SECOND_SEAL],
  ])(
    'of the %s version is opened in its row, by any vault that has its key, and is not current',
    async (_, old) => {
      for (const each of [vault, createVault(OTHER_KEY, KEY)]) {
        expect(await each.open(old, OWNER, 'secret')).toBe('an-old-secret')
        await expect(each.open(old, { ...OWNER, id: 'webhook_2' }, 'secret')).rejects.toThrow()
        expect(await each.isCurrent(old)).toBe(false)
      }
      await expect(createVault(OTHER_KEY).open(old, OWNER, 'secret')).rejects.toThrow()
    },
  )

  test('names its key, by an id that is not of the key and stays the same', async () => {
    const { current, previous } = await createVault(OTHER_KEY, KEY).keyIds()
    expect([current, previous]).toEqual(['832da1c6', '3f7f2bf6'])
    expect((await seal()).split('.')[1]).toBe(previous)
  })

  test('is opened by a vault whose previous key it was sealed under, and is current in no other than its own', async () => {
    const sealed = await seal()
    const next = createVault(OTHER_KEY, KEY)
    expect(await next.open(sealed, OWNER, 'secret')).toBe(SECRET)
    expect([await vault.isCurrent(sealed), await next.isCurrent(sealed)]).toEqual([true, false])
    expect(await next.isCurrent(await next.seal(SECRET, OWNER, 'secret'))).toBe(true)
  })

  test('cannot be opened under another key', async () => {
    const sealed = await seal()
    await expect(createVault(OTHER_KEY).open(sealed, OWNER, 'secret')).rejects.toThrow()
  })

  test('can be opened by another vault with the same key', async () => {
    const sealed = await seal()
    expect(await createVault(KEY).open(sealed, OWNER, 'secret')).toBe(SECRET)
  })

  test('cannot be opened with any bit of its nonce, text or tag changed', async () => {
    const sealed = await seal()
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(2, 3), fc.nat(200), fc.nat(7), async (part, at, bit) => {
        await expect(vault.open(flip(sealed, part, at, bit), OWNER, 'secret')).rejects.toThrow()
      }),
    )
  })

  test.each([
    ['is cut', (sealed: string) => sealed.slice(0, -8)],
    ['has lost its nonce', (sealed: string) => sealed.split('.').toSpliced(2, 1).join('.')],
    ['has lost its key', (sealed: string) => sealed.split('.').toSpliced(1, 1).join('.')],
    ['names another key', (sealed: string) => sealed.split('.').with(1, '00000000').join('.')],
    ['is of another version', (sealed: string) => sealed.replace('v3', 'v4')],
    [
      'claims to be of the first version',
      (sealed: string) => sealed.split('.').toSpliced(0, 2, 'v1').join('.'),
    ],
    ['is empty', () => ''],
    ['is the plain secret', () => SECRET],
  ])('cannot be opened when it %s', async (_, alter) => {
    const sealed = await seal()
    await expect(vault.open(alter(sealed), OWNER, 'secret')).rejects.toThrow()
  })

  test('differs from the same secret sealed again', async () => {
    const seals = await Promise.all(Array.from({ length: 100 }, () => seal()))
    expect(new Set(seals).size).toBe(100)
  })

  test('has a fresh nonce each time', async () => {
    const seals = await Promise.all(Array.from({ length: 100 }, () => seal()))
    expect(new Set(seals.map((sealed) => sealed.split('.')[2])).size).toBe(100)
  })

  test.each([
    ['as it is', SECRET],
    ['in base64', btoa(SECRET).replace(/=+$/, '').slice(4, -4)],
  ])('does not show the secret %s', async (_, form) => {
    expect(await seal()).not.toContain(form)
  })

  test('does not show the secret in its bytes', async () => {
    const data = atob((await seal()).split('.')[3] ?? '')
    expect(data).not.toContain(SECRET)
  })
})

describe('a key', () => {
  test.each([
    ['32 bytes', KEY, true],
    ['31 bytes', btoa('a'.repeat(31)), false],
    ['33 bytes', btoa('a'.repeat(33)), false],
    ['16 bytes', btoa('a'.repeat(16)), false],
    ['nothing', '', false],
    ['no base64', '!'.repeat(44), false],
    ['hex', '0f'.repeat(32), false],
  ])('of %s (%s) serves: %s', (_, key, good) => {
    expect(isVaultKey(key)).toBe(good)
  })

  test('that is none makes no vault', () => {
    expect(() => createVault(btoa('short'))).toThrow('32 bytes')
  })
})

test('a fingerprint is the same under the same key, also once it is the key before', async () => {
  const next = createVault(OTHER_KEY, KEY)
  expect(await vault.fingerprint('text')).toBe('2b8243ec1acfc6f3025e335e11653cb7')
  expect(await next.previousFingerprint('text')).toBe(await vault.fingerprint('text'))
  expect(await next.fingerprint('text')).not.toBe(await vault.fingerprint('text'))
  expect(await vault.previousFingerprint('text')).toBeNull()
})

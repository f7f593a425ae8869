import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVault, isOldSeal, isVaultKey } from '../../../../src/base/secret/vault.ts'

const KEY = btoa('0123456789abcdef0123456789abcdef')
const OTHER_KEY = btoa('fedcba9876543210fedcba9876543210')
const SECRET = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ='
const vault = createVault(KEY)
const OWNER = { workspaceId: 'acme', id: 'webhook_1' }
const seal = () => vault.seal(SECRET, OWNER, 'secret')
/** A seal of the first version, under `KEY`, of the text `an-old-secret` for the row `webhook_1`. */
const OLD_SEAL = 'v1.AAECAwQFBgcICQoL.TIuWE7V8/9/NvwPbBX81iQPe9OyoHL8b035d8c8='

/** Flips one bit of one byte of the nonce (part 1) or of the ciphertext with its tag (part 2). */
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

  test.each([
    ['in another row', { ...OWNER, id: 'webhook_2' }, 'secret'],
    ['in another workspace', { ...OWNER, workspaceId: 'globex' }, 'secret'],
    ['as another field', OWNER, 'auth'],
  ])('cannot be opened %s', async (_, owner, field) => {
    await expect(vault.open(await seal(), owner, field)).rejects.toThrow()
  })

  test('of the first version is opened in its row, and known as old', async () => {
    expect(await vault.open(OLD_SEAL, OWNER, 'secret')).toBe('an-old-secret')
    await expect(vault.open(OLD_SEAL, { ...OWNER, id: 'webhook_2' }, 'secret')).rejects.toThrow()
    expect([isOldSeal(OLD_SEAL), isOldSeal(await seal())]).toEqual([true, false])
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
      fc.asyncProperty(fc.constantFrom(1, 2), fc.nat(200), fc.nat(7), async (part, at, bit) => {
        await expect(vault.open(flip(sealed, part, at, bit), OWNER, 'secret')).rejects.toThrow()
      }),
    )
  })

  test.each([
    ['is cut', (sealed: string) => sealed.slice(0, -8)],
    ['has lost its nonce', (sealed: string) => sealed.replace(/\.[^.]+\./, '.')],
    ['is of another version', (sealed: string) => sealed.replace('v2', 'v3')],
    ['claims to be of the first version', (sealed: string) => sealed.replace('v2', 'v1')],
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
    expect(new Set(seals.map((sealed) => sealed.split('.')[1])).size).toBe(100)
  })

  test.each([
    ['as it is', SECRET],
    ['in base64', btoa(SECRET).replace(/=+$/, '').slice(4, -4)],
  ])('does not show the secret %s', async (_, form) => {
    expect(await seal()).not.toContain(form)
  })

  test('does not show the secret in its bytes', async () => {
    const data = atob((await seal()).split('.')[2] ?? '')
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

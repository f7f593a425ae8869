/// <reference types="node" />
import { createPublicKey, verify } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test, vi } from 'vitest'
import {
  generateEd25519,
  importV1aKey,
  publicJwk,
  publicKeyOf,
  signV1a,
} from '../../../src/signature/ed25519.ts'
import vectors from '../../vectors/standard-webhooks-ed25519.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)
const [vector] = vectors as [(typeof vectors)[number]]

/** RFC 8032 section 7.1, tests 1 and 2. */
const RFC_8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  ],
] as const

/** Whether node:crypto accepts a `v1a,…` under a JWK. */
async function accepts(publicKey: string, signature: string, content: Uint8Array): Promise<boolean> {
  const { kid: _, ...jwk } = await publicJwk(publicKey)
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return verify(null, content, key, Buffer.from(signature.replace('v1a,', ''), 'base64'))
}

describe('v1a', () => {
  test.each(vectors)('gives the published signature: $source', async (each) => {
    const key = await importV1aKey(each.secretKey)
    expect(await signV1a(key, { ...each, body: utf8(each.body) })).toBe(each.signature)
    expect(publicKeyOf(each.secretKey)).toBe(each.publicKey)
  })

  test('is accepted by node:crypto under the JWK, and not once a bit of the content has flipped', async () => {
    const { secretKey, publicKey } = await generateEd25519()
    const key = await importV1aKey(secretKey)
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.nat(7),
        async (body, at, bit) => {
          const signature = await signV1a(key, { id: 'evt_1', timestampSeconds: 17, body })
          const content = Buffer.concat([utf8('evt_1.17.'), body])
          expect(await accepts(publicKey, signature, content)).toBe(true)
          content[at % content.length]! ^= 1 << bit
          expect(await accepts(publicKey, signature, content)).toBe(false)
        },
      ),
    )
  })

  test('refuses an id with a dot', async () => {
    const key = await importV1aKey(vector.secretKey)
    const message = { id: 'a.b', timestampSeconds: 1, body: utf8('{}') }
    await expect(signV1a(key, message)).rejects.toThrow(RangeError)
  })
})

describe('a generated key pair', () => {
  test('is whsk_ with 64 bytes and whpk_ with the last 32 of them, new each time', async () => {
    const [one, other] = [await generateEd25519(), await generateEd25519()]
    expect(one.secretKey).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/)
    expect(one.publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/)
    expect(publicKeyOf(one.secretKey)).toBe(one.publicKey)
    expect(one.secretKey).not.toBe(other.secretKey)
  })
})

describe('importing a secret key', () => {
  test.each(RFC_8032)('takes RFC 8032’s seed %s with its public key', async (seed, publicKey) => {
    const secretKey = `whsk_${Buffer.from(seed + publicKey, 'hex').toString('base64')}`
    await expect(importV1aKey(secretKey)).resolves.toBeDefined()
  })

  test('refuses a seed with the public key of another', async () => {
    const secretKey = `whsk_${Buffer.from(RFC_8032[0][0] + RFC_8032[1][1], 'hex').toString('base64')}`
    await expect(importV1aKey(secretKey)).rejects.toThrow(RangeError)
  })

  test.each([
    ['', 'nothing'],
    ['whsk_', 'no key'],
    [`whsk_${btoa('x'.repeat(32))}`, 'the seed alone'],
    [`whsk_${btoa('x'.repeat(65))}`, 'a byte too many'],
    [vector.secretKey.replace('whsk_', 'whsec_'), 'another prefix'],
    [vector.secretKey.replace('6Xb', '!!!'), 'no base64'],
  ])('refuses %j: %s', async (secretKey) => {
    await expect(importV1aKey(secretKey)).rejects.toThrow(RangeError)
    expect(() => publicKeyOf(secretKey)).toThrow(RangeError)
  })

  test('keeps a key that cannot be exported, and shows nothing when printed', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey')
    const key = await importV1aKey(vector.secretKey)
    const kept: CryptoKey = await importKey.mock.results.at(-1)!.value
    importKey.mockRestore()
    expect(kept.extractable).toBe(false)
    expect(JSON.stringify(key)).toBe('{}')
    expect(inspect(key, { showHidden: true, depth: 9 })).not.toContain('6Xb/')
  })
})

describe('the JWK of a public key', () => {
  test('is the key with its thumbprint, as the jose library computes it', async () => {
    const jwk = await publicJwk(vector.publicKey)
    const x = '1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4'
    expect(jwk).toEqual({ kty: 'OKP', crv: 'Ed25519', x, kid: await calculateJwkThumbprint(jwk, 'sha256') })
  })

  test('has base64url even where base64 has + and /', async () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i % 3 === 0 ? 251 : 255))
    const { x } = await publicJwk(`whpk_${Buffer.from(bytes).toString('base64')}`)
    expect(x).toBe(Buffer.from(bytes).toString('base64url'))
  })

  test.each([vector.secretKey, 'whpk_', 'whpk_AAAA', vector.publicKey.slice(5)])(
    'is not made of %s',
    async (text) => {
      await expect(publicJwk(text)).rejects.toThrow(RangeError)
    },
  )
})

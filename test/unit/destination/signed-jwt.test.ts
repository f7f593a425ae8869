import {
  decodeProtectedHeader,
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { describe, expect, test } from 'vitest'
import type { JwtAuth } from '../../../src/destination/auth.ts'
import { checkAuth, signJwt } from '../../../src/destination/signed-jwt.ts'

const NOW_MS = Date.UTC(2026, 10, 2, 12, 0, 0, 700)
const NOW_S = Math.floor(NOW_MS / 1000)
const HS256: JwtAuth = { type: 'jwt', algorithm: 'HS256', key: 'a-secret-both-sides-know' }
const AT_NOW: JWTVerifyOptions = { currentDate: new Date(NOW_MS) }

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
const pairs = {
  RS256: await generateKeyPair('RS256', { extractable: true }),
  ES256: await generateKeyPair('ES256', { extractable: true }),
  EdDSA: await generateKeyPair('EdDSA', { extractable: true }),
}
const pemOf = (algorithm: keyof typeof pairs) => exportPKCS8(pairs[algorithm].privateKey)
const jwkOf = async (algorithm: keyof typeof pairs) =>
  JSON.stringify(await exportJWK(pairs[algorithm].privateKey))

describe('a signed JWT', () => {
  test('of a shared secret is accepted by whoever knows it, and by nobody else', async () => {
    const token = await signJwt(HS256, NOW_MS)
    const { payload, protectedHeader } = await jwtVerify(token, new TextEncoder().encode(HS256.key), AT_NOW)
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(payload).toEqual({ iat: NOW_S, exp: NOW_S + 300 })
    await expect(jwtVerify(token, new TextEncoder().encode('another-secret'), AT_NOW)).rejects.toThrow()
  })

  test.each(ALGORITHMS)(
    'of a %s key as PEM or as JWK is accepted under the public key',
    async (algorithm) => {
      for (const key of [await pemOf(algorithm), `\n${await pemOf(algorithm)}\n`, await jwkOf(algorithm)]) {
        const token = await signJwt({ type: 'jwt', algorithm, key, issuer: 'acme' }, NOW_MS)
        const options = { ...AT_NOW, algorithms: [algorithm] }
        expect((await jwtVerify(token, pairs[algorithm].publicKey, options)).payload.iss).toBe('acme')
      }
    },
  )

  test('says all it was told to say', async () => {
    const claims = { tenant: 'a', level: 3, live: true }
    const named = { keyId: 'k1', issuer: 'acme', subject: 'relay', audience: 'crm' }
    const auth = { ...HS256, ...named, expiresInSeconds: 60, claims }
    const token = await signJwt(auth, NOW_MS)
    const { payload } = await jwtVerify(token, new TextEncoder().encode(HS256.key), AT_NOW)
    expect(payload).toEqual({
      ...{ iss: 'acme', sub: 'relay', aud: 'crm', iat: NOW_S, exp: NOW_S + 60 },
      ...claims,
    })
    expect(decodeProtectedHeader(token).kid).toBe('k1')
  })

  test('is worth nothing once it has expired', async () => {
    const token = await signJwt({ ...HS256, expiresInSeconds: 30 }, NOW_MS)
    const later = { currentDate: new Date(NOW_MS + 31_000) }
    await expect(jwtVerify(token, new TextEncoder().encode(HS256.key), later)).rejects.toThrow('exp')
  })
})

describe('a key', () => {
  test.each(ALGORITHMS)('that signs with %s is accepted', async (algorithm) => {
    expect(await checkAuth({ type: 'jwt', algorithm, key: await pemOf(algorithm) })).toEqual([])
    expect(await checkAuth({ type: 'jwt', algorithm, key: await jwkOf(algorithm) })).toEqual([])
  })

  test('of another auth is not asked for', async () => {
    expect(await checkAuth({ type: 'bearer', token: 'x' })).toEqual([])
    expect(await checkAuth(HS256)).toEqual([])
  })

  test.each([
    ['RS256', 'an RSA private key of at least 2,048 bits'],
    ['ES256', 'a private key on the curve P-256'],
    ['EdDSA', 'an Ed25519 private key'],
  ] as const)('that does not sign with %s is refused, saying what would', async (algorithm, wanted) => {
    const others = ALGORITHMS.filter((other) => other !== algorithm)
    const pem = await pemOf(algorithm)
    const keys = [
      ...(await Promise.all(others.flatMap((other) => [pemOf(other), jwkOf(other)]))),
      await exportSPKI(pairs[algorithm].publicKey),
      JSON.stringify(await exportJWK(pairs[algorithm].publicKey)),
      JSON.stringify({ kty: 'oct', k: btoa('0123456789abcdef0123456789abcdef') }),
      pem.replaceAll('PRIVATE KEY', 'RSA PRIVATE KEY'),
      pem.slice(0, 80),
      'just a secret text',
      '{"kty":',
      '{}',
    ]
    for (const key of keys) {
      const problems = await checkAuth({ type: 'jwt', algorithm, key })
      expect(problems).toEqual([{ path: 'auth.key', message: expect.stringContaining(wanted) }])
    }
  })

  test('of 1,024 bits is too short for RS256', async () => {
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) }
    const short = (await crypto.subtle.generateKey({ ...rsa, modulusLength: 1024 }, true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair
    const key = await exportPKCS8(short.privateKey)
    expect(await checkAuth({ type: 'jwt', algorithm: 'RS256', key })).toMatchObject([{ path: 'auth.key' }])
  })
})

/// <reference types="node" />
import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { PROFILES, type Profile, profileSupportsAsymmetric } from '../../../src/shape/profile.ts'
import { importSigner, type SignerConfig, signDelivery } from '../../../src/signature/schemes.ts'
import standardVectors from '../../vectors/standard-webhooks.json' with { type: 'json' }
import ed25519Vectors from '../../vectors/standard-webhooks-ed25519.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)

const NEW = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OLD = 'the old secret, a text'
const BODY = '{"total":2567.50,"name":"Zoë"}'
const MESSAGE = { id: 'evt_abc123', timestampSeconds: 1_640_995_200, event: 'post.created', body: utf8(BODY) }
const CUSTOM = {
  signature: {
    header: 'X-My-Signature',
    algorithm: 'sha512',
    encoding: 'base64',
    content: 'v0:{timestamp}:{id}:{event}:{body}',
    value: 'v0={signature}',
    key: 'text',
  },
  timestampHeader: 'X-My-Time',
  idHeader: 'X-My-Id',
  eventHeader: 'X-My-Event',
} as const

/** The signer of a profile, which a custom scheme completes. */
function signerOf(profile: Profile, rest: Omit<SignerConfig, 'profile'>) {
  return importSigner({ profile, ...(profile === 'custom' && { custom: CUSTOM }), ...rest })
}

async function headersOf(profile: Profile, rest: Omit<SignerConfig, 'profile'>, message = MESSAGE) {
  return await signDelivery(await signerOf(profile, rest), message)
}

// The oracle: node:crypto, and nothing of the code under test.
const hexOf = (secret: string, content: string) => createHmac('sha256', secret).update(content).digest('hex')
const v1 = (secret: string) => {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret
  return `v1,${createHmac('sha256', key).update(`evt_abc123.1640995200.${BODY}`).digest('base64')}`
}
const ledgerly = (secret: string) => `v1=${hexOf(secret, `1640995200.${BODY}`)}`
const custom = (secret: string) =>
  `v0=${createHmac('sha512', secret).update(`v0:1640995200:evt_abc123:post.created:${BODY}`).digest('base64')}`
const WEBHOOK = { 'webhook-id': 'evt_abc123', 'webhook-timestamp': '1640995200' }
const CORE = { 'X-Webhook-ID': 'evt_abc123', 'X-Webhook-Timestamp': '1640995200' }
const MINE = { 'X-My-Id': 'evt_abc123', 'X-My-Time': '1640995200', 'X-My-Event': 'post.created' }
const ofBody = (secret: string) => `sha256=${hexOf(secret, BODY)}`

/** A profile's headers under one secret, and under two. */
const TABLE: [Profile, (secret: string) => object, object][] = [
  [
    'standard',
    (secret) => ({ ...WEBHOOK, 'webhook-signature': v1(secret), 'X-Signature': ofBody(secret) }),
    {
      ...WEBHOOK,
      'webhook-signature': `${v1(OLD)} ${v1(NEW)}`,
      'X-Signature': ofBody(OLD),
      'X-Signature-Next': ofBody(NEW),
    },
  ],
  [
    'cloudevents',
    (secret) => ({ ...WEBHOOK, 'webhook-signature': v1(secret), 'X-Signature': ofBody(secret) }),
    {
      ...WEBHOOK,
      'webhook-signature': `${v1(OLD)} ${v1(NEW)}`,
      'X-Signature': ofBody(OLD),
      'X-Signature-Next': ofBody(NEW),
    },
  ],
  [
    'standard-webhooks',
    (secret) => ({ ...WEBHOOK, 'webhook-signature': v1(secret) }),
    { ...WEBHOOK, 'webhook-signature': `${v1(OLD)} ${v1(NEW)}` },
  ],
  [
    'bigledger',
    (secret) => ({ 'X-Signature': ofBody(secret) }),
    { 'X-Signature': ofBody(OLD), 'X-Signature-Next': ofBody(NEW) },
  ],
  [
    'core',
    (secret) => ({ ...CORE, 'X-Webhook-Signature': ofBody(secret) }),
    { ...CORE, 'X-Webhook-Signature': ofBody(OLD), 'X-Webhook-Signature-Next': ofBody(NEW) },
  ],
  [
    'marko',
    (secret) => ({ 'X-Webhook-Signature': ofBody(secret) }),
    { 'X-Webhook-Signature': ofBody(OLD), 'X-Webhook-Signature-Next': ofBody(NEW) },
  ],
  [
    'ledgerly',
    (secret) => ({
      'X-Ledgerly-Timestamp': '1640995200',
      'X-Ledgerly-Signature': `t=1640995200,${ledgerly(secret)}`,
    }),
    {
      'X-Ledgerly-Timestamp': '1640995200',
      'X-Ledgerly-Signature': `t=1640995200,${ledgerly(OLD)},${ledgerly(NEW)}`,
    },
  ],
  [
    'custom',
    (secret) => ({ ...MINE, 'X-My-Signature': custom(secret) }),
    { ...MINE, 'X-My-Signature': custom(OLD), 'X-My-Signature-Next': custom(NEW) },
  ],
]

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the headers of a profile', () => {
  test('are listed here for every profile', () => {
    expect(TABLE.map(([profile]) => profile).toSorted()).toEqual(PROFILES.toSorted())
  })

  test.each(TABLE)('%s: node:crypto’s signatures, whsec_ or not', async (profile, expected) => {
    expect(await headersOf(profile, { secret: NEW })).toEqual(expected(NEW))
    expect(await headersOf(profile, { secret: OLD, previousSecret: null })).toEqual(expected(OLD))
  })

  test.each(TABLE)('%s while the old secret is still valid', async (profile, _, expected) => {
    expect(await headersOf(profile, { secret: NEW, previousSecret: OLD })).toEqual(expected)
  })

  test.each(TABLE)('%s after a rotation to the same secret: one signature', async (profile, expected) => {
    expect(await headersOf(profile, { secret: NEW, previousSecret: NEW })).toEqual(expected(NEW))
  })

  test.each(standardVectors)('hold the published v1 signature: $source', async ({ secret, ...vector }) => {
    const message = { ...vector, event: 'a', body: utf8(vector.body) }
    for (const profile of ['standard', 'cloudevents', 'standard-webhooks'] as const) {
      const headers = await headersOf(profile, { secret }, message)
      expect(headers['webhook-signature']).toBe(vector.signature)
    }
  })
})

describe('asymmetric signatures', () => {
  const [vector] = ed25519Vectors as [(typeof ed25519Vectors)[number]]
  const message = { ...vector, event: 'a', body: utf8(vector.body) }
  // RFC 8032 section 7.1, test 1.
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
  const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  const previous = `whsk_${Buffer.from(seed + publicKey, 'hex').toString('base64')}`

  test.each(PROFILES)(
    '%s: v1a beside v1 where there is a webhook-signature, else nothing',
    async (profile) => {
      const plain = await headersOf(profile, { secret: NEW }, message)
      const ed25519 = { current: vector.secretKey }
      const both = await headersOf(profile, { secret: NEW, ed25519 }, message)
      const signature = `${plain['webhook-signature']} ${vector.signature}`
      expect(both).toEqual(
        profileSupportsAsymmetric(profile) ? { ...plain, 'webhook-signature': signature } : plain,
      )
    },
  )

  test('with two secrets and two keys: all four, old before new', async () => {
    const config = { secret: NEW, previousSecret: OLD, ed25519: { current: vector.secretKey, previous } }
    const { 'webhook-signature': list = '' } = await headersOf('standard-webhooks', config, message)
    const signatures = list.split(' ')
    expect(signatures.map((each) => each.split(',')[0])).toEqual(['v1', 'v1', 'v1a', 'v1a'])
    expect([signatures[1], signatures[3]]).toEqual([standardVectors[0]?.signature, vector.signature])
  })

  test('with a key that is none: no signer', async () => {
    const config = { profile: 'standard', secret: NEW, ed25519: { current: 'whsk_AAAA' } } as const
    await expect(importSigner(config)).rejects.toThrow(RangeError)
  })
})

describe('any secret, any bytes', () => {
  const secrets = fc.oneof(
    fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }).filter((text) => !text.startsWith('whsec_')),
    fc
      .uint8Array({ minLength: 3, maxLength: 60 })
      .map((key) => `whsec_${Buffer.from(key).toString('base64')}`),
  )
  const bodies = fc.uint8Array({ maxLength: 300 })
  const seconds = fc.integer({ min: 0, max: 4_000_000_000 })

  test('are signed as node:crypto signs them, under one secret or two', async () => {
    await fc.assert(
      fc.asyncProperty(
        secrets,
        fc.option(secrets),
        bodies,
        seconds,
        async (secret, previousSecret, body, timestampSeconds) => {
          const message = { ...MESSAGE, body, timestampSeconds }
          const sign = (profile: Profile) => headersOf(profile, { secret, previousSecret }, message)
          const first = previousSecret ?? secret
          const hmac = (content: Uint8Array) => createHmac('sha256', first).update(content).digest('hex')
          expect((await sign('standard'))['X-Signature']).toBe(`sha256=${hmac(body)}`)
          expect((await sign('core'))['X-Webhook-Signature']).toBe(`sha256=${hmac(body)}`)
          const timed = hmac(Buffer.concat([utf8(`${timestampSeconds}.`), body]))
          const { 'X-Ledgerly-Signature': pairs = '' } = await sign('ledgerly')
          expect(pairs.split(',').slice(0, 2)).toEqual([`t=${timestampSeconds}`, `v1=${timed}`])
        },
      ),
    )
  })

  test.each(PROFILES)(
    '%s: a flipped bit of the body or of the secret gives another signature',
    async (profile) => {
      const ids = new Set(['webhook-id', 'webhook-timestamp', ...Object.keys(CORE), ...Object.keys(MINE)])
      const signatures = async (secret: string, body: Uint8Array) =>
        Object.entries(await headersOf(profile, { secret }, { ...MESSAGE, body }))
          .filter(([name]) => !ids.has(name) && name !== 'X-Ledgerly-Timestamp')
          .map(([, value]) => value)
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ minLength: 1, maxLength: 80 }),
          fc.nat(),
          fc.nat(7),
          async (body, at, bit) => {
            const flipped = body.slice()
            flipped[at % body.length]! ^= 1 << bit
            const before = await signatures(OLD, body)
            const after = [
              ...(await signatures(OLD, flipped)),
              ...(await signatures('The old secret, a text', body)),
            ]
            expect(before.length).toBeGreaterThan(0)
            expect(after.filter((each) => before.includes(each))).toEqual([])
          },
        ),
        { numRuns: 30 },
      )
    },
  )
})

describe('a signer', () => {
  test.each([
    ['standard', 2],
    ['cloudevents', 2],
    ['standard-webhooks', 1],
    ['bigledger', 1],
    ['core', 1],
    ['ledgerly', 1],
    ['marko', 1],
    ['custom', 1],
  ] as const)('%s imports %i key(s) for a secret, none of them extractable', async (profile, count) => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey')
    await signerOf(profile, { secret: NEW })
    await signerOf(profile, { secret: NEW, previousSecret: OLD })
    expect(importKey.mock.calls).toHaveLength(3 * count)
    const keys = (await Promise.all(importKey.mock.results.map(({ value }) => value))) as CryptoKey[]
    expect(keys.map(({ extractable }) => extractable)).toEqual(keys.map(() => false))
  })

  test.each(PROFILES)('%s shows nothing of its secrets when printed', async (profile) => {
    const secret = `whsec_${btoa('hunter2hunter2hunter2')}`
    const previousSecret = 'hunter2 the first'
    const signer = await signerOf(profile, { secret, previousSecret })
    expect(JSON.stringify(signer)).toBe('{}')
    expect(inspect(signer, { showHidden: true, depth: 9 })).not.toMatch(/hunter2|aHVudGVyM/)
  })

  test.each(PROFILES)('%s refuses what would make signed content ambiguous', async (profile) => {
    const signer = await signerOf(profile, { secret: NEW, previousSecret: OLD })
    for (const wrong of [{ id: 'a.b' }, { id: '' }, { id: 'a\nb' }, { timestampSeconds: 1.5 }]) {
      await expect(signDelivery(signer, { ...MESSAGE, ...wrong })).rejects.toThrow(RangeError)
    }
  })

  test('is not made for a custom profile without a scheme, nor of broken base64', async () => {
    await expect(importSigner({ profile: 'custom', secret: NEW })).rejects.toThrow(RangeError)
    await expect(importSigner({ profile: 'standard', secret: 'whsec_!' })).rejects.toThrow(RangeError)
  })

  test('leaves the body as it was, also a window on a larger buffer', async () => {
    const window = utf8(`xx${BODY}yy`).subarray(2, -2)
    for (const profile of PROFILES) {
      const secrets = { secret: NEW, previousSecret: OLD }
      expect(await headersOf(profile, secrets, { ...MESSAGE, body: window })).toEqual(
        await headersOf(profile, secrets),
      )
    }
    expect(new TextDecoder().decode(window)).toBe(BODY)
  })
})

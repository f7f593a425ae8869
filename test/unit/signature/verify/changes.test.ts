/// <reference types="node" />
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verify, verifyRequest, verifySignature } from '../../../../src/signature/index.ts'
import { BODY, delivery, NOW, PUBLIC_KEY, SECRET, TIMESTAMP, V1A } from './oracle.ts'

const PROFILES = [
  'standard',
  'standard-webhooks',
  'cloudevents',
  'bigledger',
  'core',
  'ledgerly',
  'marko',
] as const
/** Headers that nothing signs, and which the result does not tell either. */
const UNSIGNED: Record<string, readonly string[]> = {
  standard: ['X-Signature'],
  cloudevents: ['X-Signature'],
  core: ['X-Webhook-Timestamp', 'X-Webhook-ID'],
}

const withFlippedBit = (text: string, bit: number): string => {
  const bytes = Buffer.from(text, 'latin1')
  bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7))
  return bytes.toString('latin1')
}

describe('any flipped bit is refused', () => {
  test.each(PROFILES)('of each signed header of %s', async (profile) => {
    const { headers, ...rest } = { ...delivery(profile), profile, toleranceSeconds: Number.POSITIVE_INFINITY }
    const believed: string[] = []
    for (const [name, value] of Object.entries(headers)) {
      if (UNSIGNED[profile]?.includes(name)) continue
      for (let bit = 0; bit < value.length * 8; bit++) {
        const changed = { ...headers, [name]: withFlippedBit(value, bit) }
        if ((await verify({ ...rest, headers: changed })).ok) believed.push(`${name}: ${changed[name]}`)
      }
    }
    expect(believed).toEqual([])
    expect((await verify({ ...rest, headers })).ok).toBe(true)
  })

  test.each(PROFILES)('of the body of %s', async (profile) => {
    const genuine = { ...delivery(profile), profile }
    for (let bit = 0; bit < BODY.length * 8; bit++) {
      const body = Buffer.from(withFlippedBit(BODY, bit), 'latin1')
      expect((await verify({ ...genuine, body })).ok).toBe(false)
    }
  })

  test('of a v1a signature', async () => {
    const headers = { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': String(TIMESTAMP) }
    const outcomeOf = async (signature: string) =>
      (
        await verify({
          body: BODY,
          headers: { ...headers, 'webhook-signature': signature },
          publicKey: PUBLIC_KEY,
          now: NOW,
        })
      ).ok
    for (let bit = 0; bit < V1A.length * 8; bit++)
      expect(await outcomeOf(withFlippedBit(V1A, bit))).toBe(false)
    expect(await outcomeOf(V1A)).toBe(true)
  })

  test('of a secret that is text', async () => {
    const genuine = {
      ...delivery('bigledger', { secret: 'your-webhook-secret-key' }),
      profile: 'bigledger' as const,
    }
    for (let bit = 0; bit < genuine.secret.length * 8; bit++) {
      expect((await verify({ ...genuine, secret: withFlippedBit(genuine.secret, bit) })).ok).toBe(false)
    }
  })
})

describe('garbage is refused and never throws', () => {
  const NAMES = [
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
    'X-Signature',
    'X-Signature-Next',
    'X-Webhook-Signature',
    'X-Ledgerly-Signature',
    'X-Ledgerly-Timestamp',
  ]
  const almost = fc.oneof(
    fc.constantFrom(
      'v1,',
      'v1a,AAAA',
      `v1,${'A'.repeat(43)}=`,
      't=1,v1=',
      `sha256=${'a'.repeat(64)}`,
      '1614265330',
    ),
    fc.stringMatching(/^[vt]1?[=,][A-Za-z0-9+/=, ]{0,80}$/),
    fc.string({ maxLength: 60, unit: 'binary' }),
  )
  const headers = fc.oneof(
    fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(almost, fc.array(almost, { maxLength: 3 })), {
      maxKeys: 8,
    }),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), almost), { maxLength: 8 }),
    fc.anything({ withMap: true, withSet: true, withTypedArray: true, withNullPrototype: true }),
  )
  const profile = fc.constantFrom(undefined, 'any' as const, 'custom' as const, ...PROFILES)
  const custom = {
    signature: {
      header: 'X-Signature',
      value: 't={timestamp},v1={signature}',
      content: '{id}{timestamp}{event}{body}',
    },
  }

  test('whatever the headers, the body and the profile', async () => {
    await fc.assert(
      fc.asyncProperty(
        headers,
        fc.oneof(fc.string(), fc.uint8Array(), fc.anything()),
        profile,
        async (given, body, name) => {
          const options = {
            secret: SECRET,
            publicKey: PUBLIC_KEY,
            profile: name,
            now: NOW,
            ...(name === 'custom' && { custom }),
          }
          const result = await verify({ ...options, body: body as string, headers: given as never })
          expect(result).toEqual({ ok: false, reason: expect.any(String), message: expect.any(String) })
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('whatever the options', async () => {
    const option = fc.anything()
    const options = fc.record(
      {
        secret: option,
        publicKey: option,
        profile: option,
        custom: option,
        toleranceSeconds: option,
        now: option,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(options, fc.anything()), async (given) => {
        const input = { body: '', headers: { 'X-Signature': 'sha256=' }, ...(given as object) }
        expect(await verify(input as never)).toMatchObject({ ok: false })
        expect(await verifyRequest({} as never, given as never)).toMatchObject({ ok: false })
      }),
      { numRuns: 1000 },
    )
  })

  test('in a signature alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything(),
        fc.oneof(almost, fc.anything()),
        fc.anything(),
        async (body, signature, secret) => {
          expect(await verifySignature(body as never, signature as never, secret as never)).toBe(false)
        },
      ),
    )
  })

  test('headers that throw when they are read', async () => {
    const hostile = new Proxy({}, { ownKeys: () => expect.fail('read') as never })
    const result = await verify({ body: '', headers: hostile, secret: SECRET })
    expect(result).toMatchObject({ ok: false, reason: 'invalid_options' })
  })
})

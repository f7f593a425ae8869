/// <reference types="node" />
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { hexHmac, importSigningKeys, signStandard, signV1 } from '../../../src/signature/sign.ts'
import hexVectors from '../../vectors/hex-hmac.json' with { type: 'json' }
import standardVectors from '../../vectors/standard-webhooks.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)

/** The secret as the receivers' library wants it: it base64-decodes even a text without the prefix. */
const forLibrary = (secret: string) =>
  secret.startsWith('whsec_') ? secret : `whsec_${Buffer.from(secret).toString('base64')}`

const prefixedSecret = fc
  .uint8Array({ minLength: 2, maxLength: 100 })
  .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`)
const plainSecret = fc
  .string({ minLength: 8, maxLength: 60, unit: 'grapheme' })
  .filter((secret) => !secret.startsWith('whsec_'))
const message = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
  timestampSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
  body: fc.string({ maxLength: 500, unit: 'grapheme' }),
})

describe('Standard Webhooks v1', () => {
  test.each(standardVectors)('gives the published signature: $source', async (vector) => {
    const keys = await importSigningKeys(vector.secret)
    const signature = await signV1(keys, { ...vector, body: utf8(vector.body) })
    expect(signature).toBe(vector.signature)
  })

  test('is the standardwebhooks library’s for every secret, with and without whsec_', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(prefixedSecret, plainSecret),
        message,
        async (secret, { id, timestampSeconds, body }) => {
          const keys = await importSigningKeys(secret)
          const signature = await signV1(keys, { id, timestampSeconds, body: utf8(body) })
          const oracle = new Webhook(forLibrary(secret)).sign(id, new Date(timestampSeconds * 1000), body)
          expect(signature).toBe(oracle)
        },
      ),
    )
  })

  test.each([
    ['an empty id', { id: '' }],
    ['a dot in the id', { id: 'a.b' }],
    ['an id beyond ASCII', { id: 'é' }],
    ['a fraction of a second', { timestampSeconds: 1.5 }],
    ['no number', { timestampSeconds: Number.NaN }],
  ])('refuses %s', async (_, wrong) => {
    const keys = await importSigningKeys('your-secret-key')
    const valid = { id: 'evt_1', timestampSeconds: 1, body: utf8('{}') }
    await expect(signV1(keys, { ...valid, ...wrong })).rejects.toThrow(RangeError)
  })
})

describe('hex HMAC-SHA256', () => {
  test.each(hexVectors)('gives the published signature: $source', async ({ secret, body, hex }) => {
    expect(await hexHmac(await importSigningKeys(secret), utf8(body))).toBe(hex)
  })

  test('is node:crypto’s, over the whole secret string, for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(prefixedSecret, plainSecret),
        fc.uint8Array({ maxLength: 300 }),
        async (secret, body) => {
          const oracle = createHmac('sha256', secret).update(body).digest('hex')
          expect(await hexHmac(await importSigningKeys(secret), body)).toBe(oracle)
        },
      ),
    )
  })
})

describe('the standard profile’s headers', () => {
  test('are the id, the timestamp and both signatures', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const body = '{"test": 2432232314}'
    const keys = await importSigningKeys(secret)
    const headers = await signStandard(keys, {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampSeconds: 1614265330,
      body: utf8(body),
    })
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      'X-Signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    })
  })

  test('sign a body that is a window on a larger buffer, and leave it as it was', async () => {
    const keys = await importSigningKeys('your-secret-key')
    const window = utf8('xx{"a":1}yy').subarray(2, 9)
    const fields = { id: 'evt_1', timestampSeconds: 1 }
    const ofWindow = await signStandard(keys, { ...fields, body: window })
    const ofCopy = await signStandard(keys, { ...fields, body: utf8('{"a":1}') })
    expect(ofWindow).toEqual(ofCopy)
    expect(new TextDecoder().decode(window)).toBe('{"a":1}')
  })
})

test('keys show nothing of the secret when printed', async () => {
  const keys = await importSigningKeys('your-secret-key')
  expect(JSON.stringify(keys)).toBe('{}')
  expect(Object.keys(keys)).toEqual([])
})

/// <reference types="node" />
import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { describe, expect, test } from 'vitest'
import { verify } from '../../../../src/signature/index.ts'
import standardVectors from '../../../vectors/standard-webhooks.json' with { type: 'json' }
import { BODY, ID, NOW, PUBLIC_KEY, SECRET, TIMESTAMP, V1, V1A } from './oracle.ts'

const webhookHeaders = (signature: string, changes: Record<string, string> = {}) => ({
  'webhook-id': ID,
  'webhook-timestamp': String(TIMESTAMP),
  'webhook-signature': signature,
  ...changes,
})
const outcome = async (headers: Record<string, string>, changes: object = {}) => {
  const result = await verify({ body: BODY, headers, secret: SECRET, now: NOW, ...changes })
  return result.ok ? 'ok' : result.reason
}

describe('the published vectors', () => {
  test.each(standardVectors)('v1: $source', async ({ secret, id, timestampSeconds, body, signature }) => {
    const headers = webhookHeaders(signature, {
      'webhook-id': id,
      'webhook-timestamp': String(timestampSeconds),
    })
    expect(await verify({ body, headers, secret, now: timestampSeconds * 1000 })).toEqual({
      ok: true,
      event: JSON.parse(body),
      events: [JSON.parse(body)],
      id,
      timestampSeconds,
      matchedSecret: 0,
      matchedPublicKey: null,
    })
  })

  test('v1a: by the public key alone', async () => {
    const input = { body: BODY, headers: webhookHeaders(V1A), publicKey: PUBLIC_KEY, now: NOW }
    expect(await verify(input)).toMatchObject({
      ok: true,
      id: ID,
      matchedSecret: null,
      matchedPublicKey: 0,
    })
  })
})

describe('v1a', () => {
  const OTHER_KEY = `whpk_${Buffer.alloc(32, 1).toString('base64')}`

  test('any of several public keys will do, and the result says which', async () => {
    const input = { body: BODY, headers: webhookHeaders(V1A), publicKey: [OTHER_KEY, PUBLIC_KEY], now: NOW }
    expect(await verify(input)).toMatchObject({ ok: true, matchedPublicKey: 1 })
  })

  test.each([
    ['beside v1, by the secret', `${V1} ${V1A}`, { secret: SECRET }, 'ok'],
    ['beside v1, by the public key', `${V1} ${V1A}`, { secret: undefined, publicKey: PUBLIC_KEY }, 'ok'],
    ['beside a v1 of another secret', `v1,${'A'.repeat(43)}= ${V1A}`, { publicKey: PUBLIC_KEY }, 'ok'],
    ['under another public key', V1A, { secret: undefined, publicKey: OTHER_KEY }, 'no_matching_signature'],
    ['without a public key', V1A, { secret: SECRET }, 'no_matching_signature'],
    ['called v1', V1A.replace('v1a', 'v1'), { publicKey: PUBLIC_KEY }, 'no_matching_signature'],
    ['absent', V1, { secret: undefined, publicKey: PUBLIC_KEY }, 'no_matching_signature'],
    ['of another message', V1A, { publicKey: PUBLIC_KEY, body: '{}' }, 'no_matching_signature'],
    ['of an old message', V1A, { publicKey: PUBLIC_KEY, now: NOW + 301_000 }, 'timestamp_too_old'],
  ])('%s', async (_, signature, changes, expected) => {
    expect(await outcome(webhookHeaders(signature), changes)).toBe(expected)
  })

  test('made by node:crypto is verified', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
    const signature = sign(null, Buffer.from(`${ID}.${TIMESTAMP}.${BODY}`), privateKey).toString('base64')
    const input = { secret: undefined, publicKey: `whpk_${raw.toString('base64')}` }
    expect(await outcome(webhookHeaders(`v1a,${signature}`), input)).toBe('ok')
  })
})

describe('the cases the libraries test', () => {
  const WRONG = 'Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='

  test.each([
    ['a v2 and a wrong v1 before the right one', `v1,${WRONG} v2,${WRONG} ${V1}`, {}, 'ok'],
    ['a wrong signature', `v1,${WRONG}`, {}, 'no_matching_signature'],
    ['a part of the signature', V1.slice(0, 11), {}, 'no_matching_signature'],
    ['an empty signature', 'v1,', {}, 'malformed_header'],
    ['no version', V1.slice(3), {}, 'malformed_header'],
    ['an unknown version only', V1.replace('v1', 'v2'), {}, 'no_matching_signature'],
    ['no signature', '', {}, 'missing_header'],
    ['no padding', V1.replace('=', ''), {}, 'ok'],
    ['no id', V1, { 'webhook-id': '' }, 'missing_header'],
    ['no timestamp', V1, { 'webhook-timestamp': '' }, 'missing_header'],
    ['another id', V1, { 'webhook-id': 'msg_2' }, 'no_matching_signature'],
    ['another timestamp', V1, { 'webhook-timestamp': String(TIMESTAMP + 1) }, 'no_matching_signature'],
    ['a timestamp in words', V1, { 'webhook-timestamp': 'now' }, 'malformed_header'],
    ['a timestamp with a fraction', V1, { 'webhook-timestamp': `${TIMESTAMP}.0` }, 'malformed_header'],
    ['a timestamp with a zero before it', V1, { 'webhook-timestamp': `0${TIMESTAMP}` }, 'malformed_header'],
    ['two timestamps', V1, { 'webhook-timestamp': `${TIMESTAMP}, ${TIMESTAMP}` }, 'malformed_header'],
    ['two ids', V1, { 'webhook-id': `${ID}, ${ID}` }, 'malformed_header'],
  ])('%s', async (_, signature, changes, expected) => {
    expect(await outcome(webhookHeaders(signature, changes))).toBe(expected)
  })

  test('a dot in the id is refused, genuine or not: it could have been moved there from the timestamp', async () => {
    const signature = new Webhook(SECRET).sign('a.b', new Date(NOW), BODY)
    expect(await outcome(webhookHeaders(signature, { 'webhook-id': 'a.b' }))).toBe('malformed_header')
  })

  test('more signatures than any rotation needs are refused before they are compared', async () => {
    const many = (count: number) => [...new Array(count).fill(`v1,${WRONG}`), V1].join(' ')
    expect([await outcome(webhookHeaders(many(15))), await outcome(webhookHeaders(many(16)))]).toEqual([
      'ok',
      'malformed_header',
    ])
  })
})

describe('what the libraries sign is verified', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 64 })
  const message = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
    timestamp: fc.integer({ min: 0, max: 4_000_000_000 }),
    body: fc.string({ maxLength: 300, unit: 'grapheme' }),
  })

  test.each([
    ['standardwebhooks', Webhook],
    ['svix', SvixWebhook],
  ])('%s', async (_, Library) => {
    const verifies = async (
      bytes: Uint8Array,
      { id, timestamp, body }: { id: string; timestamp: number; body: string },
    ) => {
      const secret = `whsec_${Buffer.from(bytes).toString('base64')}`
      const signature = new Library(secret).sign(id, new Date(timestamp * 1000), body)
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signature,
      }
      expect(await verify({ body, headers, secret, now: timestamp * 1000 })).toMatchObject({ ok: true, id })
    }
    await fc.assert(fc.asyncProperty(key, message, verifies))
  })
})

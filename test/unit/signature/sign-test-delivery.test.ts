/// <reference types="node" />
import { describe, expect, test } from 'vitest'
import { generateKeyPair, sign, verify } from '../../../src/signature/index.ts'
import {
  BODY,
  headersOf,
  ID,
  NOW,
  PUBLIC_KEY,
  SECRET,
  SECRET_KEY,
  TIMESTAMP,
  V1,
  V1A,
} from './verify/oracle.ts'

const EVENT = '{"id":"evt_1","event":"invoice.paid","data":{"total":2567.50}}'
const BATCH = `{"batch":true,"events":[${EVENT}],"batchId":"batch_1"}`
const PROFILES = [
  'standard',
  'standard-webhooks',
  'cloudevents',
  'bigledger',
  'core',
  'ledgerly',
  'marko',
] as const

describe.each(PROFILES)('sign for %s', (profile) => {
  test('makes the headers of a delivery', async () => {
    const headers = await sign({ body: BODY, secret: SECRET, profile, id: ID, now: NOW })
    expect(headers).toMatchObject(headersOf(profile, { body: BODY, secret: SECRET }))
  })

  test('is believed now, under its own secret only, whatever form the body has', async () => {
    const bytes = new TextEncoder().encode(EVENT)
    for (const body of [EVENT, bytes, bytes.buffer as ArrayBuffer]) {
      const headers = await sign({ body, secret: SECRET, profile })
      expect(await verify({ body, headers, secret: SECRET, profile })).toMatchObject({ ok: true })
      expect(await verify({ body, headers, secret: 'another-secret', profile })).toMatchObject({ ok: false })
    }
  })

  test('signs with both secrets of a rotation', async () => {
    const headers = await sign({ body: EVENT, secret: ['the-new-secret', 'the-old-secret'], profile })
    for (const secret of ['the-new-secret', 'the-old-secret']) {
      expect(await verify({ body: EVENT, headers, secret, profile })).toMatchObject({ ok: true })
    }
  })
})

test('sign is for the profile standard unless another is named', async () => {
  expect(await sign({ body: BODY, secret: SECRET, id: ID, now: NOW + 999 })).toMatchObject({
    'webhook-id': ID,
    'webhook-timestamp': String(TIMESTAMP),
    'webhook-signature': V1,
  })
})

test('sign takes the id from the body, or makes one', async () => {
  expect(await sign({ body: EVENT, secret: SECRET })).toMatchObject({ 'webhook-id': 'evt_1' })
  expect(await sign({ body: BATCH, secret: SECRET })).toMatchObject({ 'webhook-id': 'batch_1' })
  const made = await Promise.all([1, 2].map(() => sign({ body: '{}', secret: SECRET })))
  expect(new Set(made.map((headers) => headers['webhook-id'])).size).toBe(2)
})

test('sign adds v1a with a secret key', async () => {
  const headers = await sign({ body: BODY, secret: SECRET, secretKey: SECRET_KEY, id: ID, now: NOW })
  expect(headers['webhook-signature']).toBe(`${V1} ${V1A}`)
  expect(await verify({ body: BODY, headers, publicKey: PUBLIC_KEY, now: NOW })).toMatchObject({ ok: true })
  const { secretKey, publicKey } = await generateKeyPair()
  const own = await sign({ body: BODY, secret: SECRET, secretKey })
  expect(await verify({ body: BODY, headers: own, publicKey })).toMatchObject({ matchedPublicKey: 0 })
})

test.each([
  [{ signature: { header: 'X-Acme-Signature' } }],
  [
    {
      signature: {
        header: 'X-Acme-Signature',
        algorithm: 'sha512',
        encoding: 'base64url',
        content: '{id}.{timestamp}.{event}.{body}',
        value: 't={timestamp},s={signature}',
        key: 'base64',
      },
      idHeader: 'X-Acme-Id',
      timestampHeader: 'X-Acme-Timestamp',
      eventHeader: null,
      payload: 'standard',
    },
  ],
] as const)('sign makes a scheme of its own: %j', async (custom) => {
  const headers = await sign({ body: EVENT, secret: SECRET, profile: 'custom', custom })
  expect(await verify({ body: EVENT, headers, secret: SECRET, profile: 'custom', custom })).toMatchObject({
    ok: true,
  })
  expect(headers).not.toHaveProperty('webhook-id')
})

test.each([
  [{ secret: '' }, 'secret'],
  [{ secret: undefined }, 'secret'],
  [{ body: { id: 'evt_1' } }, 'body'],
  [{ profile: 'any' }, 'profile'],
  [{ profile: 'custom' }, 'custom'],
  [{ profile: 'custom', custom: { signature: { header: 'X-A', encoding: 'hexadecimal' } } }, 'custom'],
  [{ secretKey: 'whsk_' }, 'key'],
  [{ secret: 'whsec_!' }, 'secret'],
  [{ id: 'a.b' }, 'id'],
])('sign refuses %j', async (wrong, named) => {
  const input = { body: EVENT, secret: SECRET, ...wrong } as Parameters<typeof sign>[0]
  await expect(sign(input)).rejects.toThrow(named)
})

test('a result lists the events of its payload', async () => {
  const eventsOf = async (body: string) => {
    const result = await verify({ body, headers: await sign({ body, secret: SECRET }), secret: SECRET })
    return result.ok ? result.events : result
  }
  expect(await eventsOf(EVENT)).toEqual([JSON.parse(EVENT)])
  expect(await eventsOf(BATCH)).toEqual([JSON.parse(EVENT)])
  expect(await eventsOf(`[${EVENT},${EVENT}]`)).toHaveLength(2)
  expect(await eventsOf('not JSON')).toEqual([])
})

/// <reference types="node" />
import { describe, expect, test } from 'vitest'
import { verify } from '../../../../src/signature/index.ts'
import { BODY, delivery, headersOf, hmac, ID, NOW, SECRET, type Signed, TIMESTAMP } from './oracle.ts'

const PROFILES = [
  'standard',
  'standard-webhooks',
  'cloudevents',
  'bigledger',
  'core',
  'ledgerly',
  'marko',
] as const
const SIGNS_TIME: readonly Signed[] = ['standard', 'standard-webhooks', 'cloudevents', 'ledgerly']
const SECRETS = [SECRET, 'your-webhook-secret-key', 'Schlüssel-密钥-🔑']
const reasonOf = async (input: Parameters<typeof verify>[0]) => {
  const result = await verify(input)
  return result.ok ? 'ok' : result.reason
}

describe.each(PROFILES)('a delivery of the profile %s', (profile) => {
  test.each(SECRETS)('is verified under %s', async (secret) => {
    const body = '{"id":"evt_1","data":{"total":2567.50,"name":"é 日本 🧾"}}'
    expect(await verify({ ...delivery(profile, { secret, body }), profile })).toMatchObject({
      ok: true,
      event: { id: 'evt_1', data: { total: 2567.5, name: 'é 日本 🧾' } },
      matchedSecret: 0,
      matchedPublicKey: null,
    })
  })

  test('is refused under another secret, in another body and without headers', async () => {
    const genuine = { ...delivery(profile), profile }
    expect([
      await reasonOf({ ...genuine, secret: 'another-secret-of-mine' }),
      await reasonOf({ ...genuine, body: BODY.replace(' ', '') }),
      await reasonOf({ ...genuine, headers: {} }),
    ]).toEqual(['no_matching_signature', 'no_matching_signature', 'missing_header'])
  })

  test('is verified by any of several secrets, and says by which', async () => {
    const secret = ['another-secret-of-mine', SECRET, SECRET]
    expect(await verify({ ...delivery(profile), profile, secret })).toMatchObject({ matchedSecret: 1 })
  })

  test('tells the time and the id only as far as they are signed', async () => {
    const result = await verify({ ...delivery(profile, { body: '{"id":"evt_of_payload"}' }), profile })
    const isWebhook = profile === 'standard' || profile === 'standard-webhooks' || profile === 'cloudevents'
    expect(result).toMatchObject({
      id: isWebhook ? ID : 'evt_of_payload',
      timestampSeconds: SIGNS_TIME.includes(profile) ? TIMESTAMP : null,
    })
  })

  test.each([
    [-301, 'timestamp_too_new'],
    [-300, 'ok'],
    [300, 'ok'],
    [301, 'timestamp_too_old'],
  ])('that is %i s old is accepted to the edge of the tolerance', async (ageSeconds, reason) => {
    const input = { ...delivery(profile), profile, now: NOW + ageSeconds * 1000 }
    expect(await reasonOf(input)).toBe(SIGNS_TIME.includes(profile) ? reason : 'ok')
  })

  test('is read from every form of body and headers', async () => {
    const { headers, ...rest } = { ...delivery(profile), profile }
    const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
    const padded = Buffer.from(`xx${BODY}yy`)
    const bodies = [
      BODY,
      Buffer.from(BODY),
      new Uint8Array(Buffer.from(BODY)).buffer,
      padded.subarray(2, padded.length - 2),
    ]
    const forms = [
      headers,
      new Headers(headers),
      new Map(lowerCase),
      lowerCase,
      Object.fromEntries(lowerCase),
      Object.fromEntries(lowerCase.map(([name, value]) => [name.toUpperCase(), [value]])),
      { forEach: (each: (value: string, name: string) => void) => new Headers(headers).forEach(each) },
    ]
    for (const body of bodies) {
      for (const form of forms) expect(await reasonOf({ ...rest, body, headers: form })).toBe('ok')
    }
  })

  test('is refused when its signature is there twice, joined or apart', async () => {
    const { headers, ...rest } = { ...delivery(profile), profile }
    const name = Object.keys(headers).find((each) => /signature/i.test(each))!
    const wrong = headersOf(profile, { secret: 'another-secret-of-mine', body: BODY })[name]!
    for (const values of [
      [wrong, headers[name]!],
      [headers[name]!, wrong],
    ]) {
      const joined = await reasonOf({ ...rest, headers: { ...headers, [name]: values.join(', ') } })
      const apart = await reasonOf({ ...rest, headers: { ...headers, [name]: values } })
      const inTwoCases = { ...headers, [name.toUpperCase()]: values[0], [name.toLowerCase()]: values[1] }
      delete (inTwoCases as Record<string, unknown>)[name]
      expect([joined, apart]).toEqual(['malformed_header', 'malformed_header'])
      if (Object.keys(inTwoCases).length > Object.keys(headers).length) {
        expect(await reasonOf({ ...rest, headers: inTwoCases })).toBe('malformed_header')
      }
    }
  })
})

describe('rotation at the sender', () => {
  const NEW = 'the-new-secret-of-mine'

  test.each([
    ['bigledger', 'X-Signature'],
    ['core', 'X-Webhook-Signature'],
    ['marko', 'X-Webhook-Signature'],
  ] as const)('%s: a receiver with the new secret only is served by %s-Next', async (profile, name) => {
    const genuine = { ...delivery(profile), profile }
    const headers = { ...genuine.headers, [`${name}-Next`]: `sha256=${hmac(NEW, BODY)}` }
    const outcomes = [SECRET, NEW, [NEW, SECRET], 'neither-of-the-two'].map((secret) =>
      reasonOf({ ...genuine, headers, secret }),
    )
    expect(await Promise.all(outcomes)).toEqual(['ok', 'ok', 'ok', 'no_matching_signature'])
  })

  test('X-Ledgerly-Signature holds both', async () => {
    const genuine = { ...delivery('ledgerly'), profile: 'ledgerly' as const }
    const signature = `${genuine.headers['X-Ledgerly-Signature']},v1=${hmac(NEW, `${TIMESTAMP}.${BODY}`)}`
    const headers = { ...genuine.headers, 'X-Ledgerly-Signature': signature }
    const outcomes = [SECRET, NEW, 'neither-of-the-two'].map((secret) =>
      reasonOf({ ...genuine, headers, secret }),
    )
    expect(await Promise.all(outcomes)).toEqual(['ok', 'ok', 'no_matching_signature'])
  })
})

describe('without a profile', () => {
  test.each(['standard', 'standard-webhooks', 'ledgerly'] as const)('%s is recognised', async (profile) => {
    expect(await reasonOf(delivery(profile))).toBe('ok')
  })

  test.each([
    ['bigledger', 'bigledger'],
    ['core', 'core'],
    ['marko', 'core'],
  ] as const)(
    '%s is refused, as its time is not signed, with the profile to give',
    async (profile, named) => {
      expect(await verify(delivery(profile))).toMatchObject({
        reason: 'missing_header',
        message: expect.stringContaining(`"${named}"`),
      })
    },
  )

  test('an old delivery is not made young by leaving headers out, unless any header will do', async () => {
    const old = { ...delivery('standard'), now: NOW + 86_400_000 }
    const stripped = { ...old, headers: { 'X-Signature': old.headers['X-Signature'] } }
    const outcomes = [
      old,
      stripped,
      { ...stripped, profile: 'standard' as const },
      { ...stripped, profile: 'any' as const },
    ].map(reasonOf)
    expect(await Promise.all(outcomes)).toEqual([
      'timestamp_too_old',
      'missing_header',
      'missing_header',
      'ok',
    ])
  })

  test.each(PROFILES)('any: %s is recognised', async (profile) => {
    expect(await reasonOf({ ...delivery(profile), profile: 'any' })).toBe('ok')
  })
})

describe('the id', () => {
  test('is never that of a header which is not signed', async () => {
    const genuine = { ...delivery('core', { body: '{"id":"evt_1"}' }), profile: 'core' as const }
    const replayed = { ...genuine, headers: { ...genuine.headers, 'X-Webhook-ID': 'evt_2' } }
    expect(await verify(replayed)).toMatchObject({ ok: true, id: 'evt_1' })
  })

  test.each([
    ['{"batch":true,"events":[{"id":"evt_1"}],"batchId":"batch_1"}', 'batch_1'],
    ['{"id":"evt_1","batchId":"of the business"}', 'evt_1'],
    ['{"event":"order.created","data":{"id":"1"}}', null],
    ['{"id":5}', null],
    ['[{"id":"evt_1"}]', null],
    ['null', null],
    ['', null],
  ])('of the payload %s is %s', async (body, id) => {
    expect(await verify({ ...delivery('bigledger', { body }), profile: 'bigledger' })).toMatchObject({
      ok: true,
      id,
    })
  })
})

test.each([
  ['not JSON', 'plain text', undefined],
  ['nothing', '', undefined],
  ['JSON null', 'null', null],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), undefined],
])('a genuine body of %s is verified, and its event says so', async (_, body, event) => {
  const signature = { 'X-Signature': `sha256=${hmac(SECRET, body as string)}` }
  expect(await verify({ body, headers: signature, secret: SECRET, profile: 'bigledger' })).toMatchObject({
    ok: true,
    event,
  })
})

test.each([
  ['another time than the signed one', '1614265331', 'malformed_header'],
  ['no time', 'yesterday', 'malformed_header'],
])('X-Ledgerly-Timestamp must not show %s', async (_, value, reason) => {
  const genuine = delivery('ledgerly')
  expect(await reasonOf({ ...genuine, headers: { ...genuine.headers, 'X-Ledgerly-Timestamp': value } })).toBe(
    reason,
  )
})

test.each([
  't=1614265330',
  'v1=abc',
  `v1=${'a'.repeat(64)}`,
  `t=1614265330,t=1614265330,v1=${'a'.repeat(64)}`,
  `t=,v1=${'a'.repeat(64)}`,
  `t=1614265330;v1=${'a'.repeat(64)}`,
  `t=1614265330,v1=${'a'.repeat(64)},`,
  hmac(SECRET, BODY),
])('X-Ledgerly-Signature: %s is malformed', async (signature) => {
  const headers = { 'X-Ledgerly-Signature': signature }
  expect(await reasonOf({ ...delivery('ledgerly'), headers })).toBe('malformed_header')
})

test('toleranceSeconds: Infinity accepts any time, 0 the same second', async () => {
  const genuine = delivery('standard')
  const outcomes = [
    { now: 0, toleranceSeconds: Number.POSITIVE_INFINITY },
    { now: NOW + 999, toleranceSeconds: 0 },
    { now: NOW + 1000, toleranceSeconds: 0 },
  ].map((times) => reasonOf({ ...genuine, ...times }))
  expect(await Promise.all(outcomes)).toEqual(['ok', 'ok', 'timestamp_too_old'])
})

test('the clock is Date.now() when none is given', async () => {
  const headers = headersOf('standard', {
    secret: SECRET,
    body: BODY,
    timestamp: Math.floor(Date.now() / 1000),
  })
  expect(await reasonOf({ body: BODY, headers, secret: SECRET })).toBe('ok')
  const { now: _, ...old } = delivery('standard')
  expect(await reasonOf(old)).toBe('timestamp_too_old')
})

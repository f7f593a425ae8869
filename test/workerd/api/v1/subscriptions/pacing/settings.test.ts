import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { Client, expectInvalid, type SubscriptionAnswer } from '../../../../../support/process/http-client.ts'
import { BAD_PACING, type Case } from './cases.ts'

const good = { url: 'https://a.example.com/hooks', events: ['*'] }
const NONE = {
  ...{ batchSettings: null, ordered: false, orderingKey: null, onExhausted: 'block' },
  ...{ rateLimit: null, concurrency: null },
}
const BATCH = { enabled: true, maxEvents: 7, maxWaitTime: 8, maxBytes: 9000, flushOnEvent: ['a.b', 'c.*'] }
const FULL = {
  batchSettings: BATCH,
  ordered: true,
  orderingKey: 'data.object.customerId',
  onExhausted: 'skip',
  rateLimit: { requests: 100, perSeconds: 60 },
  concurrency: 10,
}

const shown = async (client: Client, id: string) => (await client.get(`/webhooks/${id}`)).data

describe('bad settings are refused by name:', () => {
  const client = new Client()

  test.each(BAD_PACING)('POST /webhooks/subscribe, %s', async (_, fields, path, message) => {
    expectInvalid(await client.post('/webhooks/subscribe', { ...good, ...fields }), path, message)
  })

  test.each(BAD_PACING)('POST /webhooks/preview, %s', async (_, fields, path, message) => {
    const answer = await client.post('/webhooks/preview', { subscription: { ...good, ...fields } })
    expectInvalid(answer, `subscription.${path}`, message)
  })

  describe.each(['PUT', 'PATCH'])('%s', (method) => {
    let id: string
    let before: unknown
    const row = () => env.DB.prepare('SELECT * FROM subscription WHERE id = ?1').bind(id).first()
    beforeAll(async () => {
      id = (await client.subscribe()).id
      before = await row()
    })

    test.each(BAD_PACING)('%s, and nothing is written', async (_, fields, path, message) => {
      expectInvalid(await client.call(method, `/webhooks/${id}`, { json: fields }), path, message)
      expect(await row()).toEqual(before)
    })
  })

  test.each(Object.entries(FULL))('a dispatch does not take %s', async (name, value) => {
    const target = { url: good.url, secret: 'your-secret-key', [name]: value }
    const answer = await client.post('/dispatch', { event: 'a', data: {}, ...target })
    expectInvalid(answer, name, /is not a field of this request/)
  })
})

/** A custom scheme that signs the message's id. */
const SIGNED_ID = { header: 'X-A', content: '{id}.{body}' }

describe('what goes together only as a whole is checked after a change:', () => {
  const text = { template: 'x', contentType: 'text/plain' }
  const cases: [string, Record<string, unknown>, object, string, RegExp][] = [
    [
      'a text transform for batches',
      { batchSettings: BATCH },
      { transform: text },
      'batchSettings',
      /text\/plain/,
    ],
    ['batches of texts', { transform: text }, { batchSettings: {} }, 'batchSettings', /JSON/],
    [
      'batches of texts, on again',
      { transform: text, batchSettings: { enabled: false } },
      { batchSettings: { enabled: true } },
      'batchSettings',
      /JSON/,
    ],
    [
      'batches of CloudEvents whose id is signed and not sent',
      { profile: 'custom', custom: { signature: SIGNED_ID, payload: 'cloudevents' } },
      { batchSettings: {} },
      'custom.signature.content',
      /idHeader/,
    ],
    ['a key without an order', {}, { orderingKey: 'data.id' }, 'orderingKey', /"ordered": true/],
    [
      'a key with an order that ends',
      { ordered: true },
      { ordered: false, orderingKey: 'data.id' },
      'orderingKey',
      /"ordered": true/,
    ],
  ]

  test.each(cases)('%s', async (_, before, change, path, message) => {
    const client = new Client()
    const { id } = await client.subscribe(before)
    expectInvalid(await client.call('PATCH', `/webhooks/${id}`, { json: change }), path, message)
  })
})

test.each<[string, Record<string, unknown>]>([
  [
    'batches under a custom scheme',
    { batchSettings: {}, profile: 'custom', custom: { signature: { header: 'X-A' } } },
  ],
  [
    'batches as CloudEvents under a custom scheme that sends the id',
    {
      batchSettings: {},
      profile: 'custom',
      custom: { signature: SIGNED_ID, payload: 'cloudevents', idHeader: 'X-Id' },
    },
  ],
  ['batches as CloudEvents', { batchSettings: {}, profile: 'cloudevents' }],
  ['batches of JSON by a transform', { batchSettings: {}, transform: { template: { a: 1 } } }],
  [
    'batches of a JSON type by a transform',
    {
      batchSettings: {},
      transform: { template: { a: 1 }, contentType: 'application/vnd.a+json; charset=utf-8' },
    },
  ],
  [
    'batching that is off beside texts',
    { batchSettings: { enabled: false }, transform: { template: 'x', contentType: 'text/plain' } },
  ],
  ['what becomes of exhausted ones without an order', { onExhausted: 'skip' }],
  [
    'nulls where nothing is meant',
    { batchSettings: null, orderingKey: null, rateLimit: null, concurrency: null },
  ],
  [
    'a flush event that is not subscribed',
    { events: ['a'], batchSettings: { flushOnEvent: ['b', 'c.*', '*', 'posthorn.*'] } },
  ],
  [
    'the least of everything',
    {
      batchSettings: { maxEvents: 1, maxWaitTime: 1, maxBytes: 1000 },
      rateLimit: { requests: 1, perSeconds: 1 },
      concurrency: 1,
    },
  ],
  [
    'the most of everything',
    {
      batchSettings: { maxEvents: 1000, maxWaitTime: 300, maxBytes: 5_000_000 },
      rateLimit: { requests: 100_000, perSeconds: 3600 },
      concurrency: 100,
    },
  ],
])('%s: taken', async (_, fields) => {
  await new Client().subscribe(fields)
})

describe('every setting', () => {
  test('is shown as it was given, by creation, by itself and in the list', async () => {
    const client = new Client()
    const { id, ...created } = await client.subscribe(FULL)
    expect(created).toMatchObject(FULL)
    expect(await shown(client, id)).toMatchObject(FULL)
    expect((await client.get<SubscriptionAnswer[]>('/webhooks')).data).toMatchObject([FULL])
  })

  test.each(Object.keys(FULL) as (keyof typeof FULL)[])('is dropped alone: %s', async (name) => {
    const client = new Client()
    const { id } = await client.subscribe(FULL)
    // The key has no use without the order, and goes with it.
    const dropped = { [name]: NONE[name], ...(name === 'ordered' && { orderingKey: null }) }
    const answer = await client.call('PATCH', `/webhooks/${id}`, { json: { [name]: NONE[name] } })
    expect(answer.data).toMatchObject({ ...FULL, ...dropped })
    expect(await shown(client, id)).toMatchObject({ ...FULL, ...dropped })
  })

  test.each(Object.keys(FULL) as (keyof typeof FULL)[])('is added alone: %s', async (name) => {
    const client = new Client()
    const before = name === 'orderingKey' ? { ...NONE, ordered: true } : NONE
    const { id } = await client.subscribe(before)
    await client.call('PATCH', `/webhooks/${id}`, { json: { [name]: FULL[name] } })
    expect(await shown(client, id)).toMatchObject({ ...before, [name]: FULL[name] })
  })

  test('has no value in rows that were written before it existed', async () => {
    const client = new Client()
    const { id } = await client.subscribe(FULL)
    const names = Object.keys(FULL).map((name) => `'$.${name}'`)
    await env.DB.prepare(
      `UPDATE subscription SET config = json_remove(config, ${names.join(', ')}) WHERE id = ?1`,
    )
      .bind(id)
      .run()
    expect(await shown(client, id)).toMatchObject(NONE)
  })
})

describe.each(['PUT', 'PATCH'])('%s of batchSettings', (method) => {
  const DEFAULTS = { enabled: true, maxEvents: 100, maxWaitTime: 30, maxBytes: 1_000_000, flushOnEvent: [] }

  test.each<[string, object | null, object | null, object | null]>([
    ['fills in defaults where there was none', null, { maxEvents: 5 }, { ...DEFAULTS, maxEvents: 5 }],
    ['switches off and keeps the limits', BATCH, { enabled: false }, { ...BATCH, enabled: false }],
    ['switches on with the limits there were', { ...BATCH, enabled: false }, { enabled: true }, BATCH],
    ['changes one limit', BATCH, { maxWaitTime: 9 }, { ...BATCH, maxWaitTime: 9 }],
    ['replaces the list of flush events', BATCH, { flushOnEvent: ['d'] }, { ...BATCH, flushOnEvent: ['d'] }],
    ['forgets them with null', BATCH, null, null],
  ])('%s', async (_, before, change, after) => {
    const client = new Client()
    const { id } = await client.subscribe({ batchSettings: before })
    const changed = await client.call(method, `/webhooks/${id}`, { json: { batchSettings: change } })
    expect(changed.data).toMatchObject({ batchSettings: after })
    expect(await shown(client, id)).toMatchObject({ batchSettings: after })
  })
})

test('seed 002’s batch subscription is taken as it stands', async () => {
  const body = `{
  "url": "https://your-app.com/webhooks/batch",
  "events": ["invoice.created", "payment.received"],
  "batchSettings": {
    "enabled": true,
    "maxEvents": 100,
    "maxWaitTime": 30,
    "flushOnEvent": ["invoice.paid"]
  }
}`
  const { status, data } = await new Client().call('POST', '/webhooks/subscribe', { body })
  expect(status).toBe(201)
  expect(data).toMatchObject({
    ...(JSON.parse(body) as object),
    batchSettings: {
      enabled: true,
      maxEvents: 100,
      maxWaitTime: 30,
      maxBytes: 1_000_000,
      flushOnEvent: ['invoice.paid'],
    },
  })
})

test('a change of pacing shows no secret and loses none', async () => {
  const client = new Client()
  const secrets = ['do-not-show-me', 'nor-me-in-a-header', 'nor-me-in-auth']
  const { id } = await client.subscribe({
    ...{
      secret: secrets[0],
      headers: { 'X-Api-Key': secrets[1] },
      auth: { type: 'bearer', token: secrets[2] },
    },
  })
  const stored = () =>
    env.DB.prepare(
      "SELECT secret_cipher, auth_cipher, config ->> 'headersCipher' AS headers FROM subscription WHERE id = ?1",
    )
      .bind(id)
      .first()
  const before = await stored()
  const changed = await client.call<SubscriptionAnswer>('PATCH', `/webhooks/${id}`, { json: FULL })
  for (const secret of secrets) expect(changed.text).not.toContain(secret)
  const MASKED = '********'
  expect(changed.data).toMatchObject({ ...FULL, secret: MASKED, headers: { 'X-Api-Key': MASKED } })
  expect(await stored()).toEqual(before)
  expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual({ secret: secrets[0] })
})

test('bad settings cover every field', () => {
  const named = new Set(BAD_PACING.flatMap(([, fields]: Case) => Object.keys(fields)))
  expect([...named].sort()).toEqual([...Object.keys(FULL), 'transform'].sort())
})

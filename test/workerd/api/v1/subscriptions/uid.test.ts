import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { findSubscriptionByUid } from '../../../../../src/subscription/subscriptions.sql.ts'
import {
  Client,
  concurrentClient,
  expectInvalid,
  expectRefusal,
  type SubscriptionAnswer,
} from '../../../../support/process/http-client.ts'
import { clientWith } from '../../../../support/process/keys.ts'
import { meterD1 } from '../../../../support/rig/d1-watch.ts'

const UID = 'crm:contacts-1'
const SUBSCRIPTION = {
  uid: UID,
  url: 'https://a.example.com/hooks',
  events: ['a.*'],
  filters: { 'data.total': { min: 10, max: 20 } },
  headers: { 'X-Api-Key': 'header-credential', 'X-Team': 'billing' },
  auth: { type: 'basic', username: 'u', password: 'auth-credential' },
  retryPolicy: { maxRetries: 3, retryDelay: 5, backoffMultiplier: 2 },
}

const create = (client: Client, change: object = {}) =>
  client.post<SubscriptionAnswer>('/webhooks/subscribe', { ...SUBSCRIPTION, ...change })

async function countOf(client: Client): Promise<number> {
  return (await client.all('/webhooks', 100)).length
}

describe('a subscription with a uid', () => {
  test('is named by it or by its id in every call', async () => {
    const client = new Client()
    const { data: created } = await create(client)
    expect(created['uid']).toBe(UID)
    for (const name of [UID, created.id, encodeURIComponent(UID)]) {
      const found = await client.get<SubscriptionAnswer>(`/webhooks/${name}`)
      expect(found.data).toMatchObject({ id: created.id, uid: UID })
    }
    const changed = await client.call('PUT', `/webhooks/${UID}`, { json: { events: ['b.*'] } })
    expect(changed.data).toMatchObject({ id: created.id, events: ['b.*'] })
    for (const [method, path, status] of [
      ['GET', 'secret', 200],
      ['GET', 'logs', 200],
      ['GET', 'statistics', 200],
      ['POST', 'pause', 200],
      ['POST', 'resume', 200],
      ['POST', 'disable', 200],
      ['POST', 'enable', 200],
      ['POST', 'rotate-secret', 200],
    ] as const) {
      expect((await client.call(method, `/webhooks/${UID}/${path}`)).status, path).toBe(status)
    }
    expect((await client.call('DELETE', `/webhooks/${UID}`)).data).toMatchObject({ id: created.id })
    expectRefusal(await client.get(`/webhooks/${UID}`), 404, 'not_found')
  })

  test('is not there for another workspace, which may use the same', async () => {
    const [one, other] = [new Client(), new Client()]
    const { data: first } = await create(one)
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['GET', '/secret'],
      ['GET', '/logs'],
      ['POST', '/disable'],
    ] as const) {
      const json = method === 'PUT' ? { json: { events: ['*'] } } : {}
      expectRefusal(await other.call(method, `/webhooks/${UID}${path}`, json), 404, 'not_found')
    }
    const second = await create(other)
    expect([second.status, second.data.id === first.id]).toEqual([201, false])
    expect((await one.get(`/webhooks/${UID}`)).data).toMatchObject({ id: first.id })
  })

  test('is the only item of a list by its uid', async () => {
    const client = new Client()
    const { data: created } = await create(client)
    await client.subscribe()
    const found = await client.get<SubscriptionAnswer[]>(`/webhooks?uid=${UID}`)
    expect([found.data.map(({ id }) => id), found.nextCursor]).toEqual([[created.id], null])
    expect((await client.get('/webhooks?uid=other')).data).toEqual([])
    expectInvalid(await client.get('/webhooks?uid=a.b'), 'uid', /no dot/)
  })

  test('keeps it: a change may send it back, and set no other', async () => {
    const client = new Client()
    await create(client)
    const { data: shown } = await client.get<SubscriptionAnswer>(`/webhooks/${UID}`)
    const back = await client.call('PUT', `/webhooks/${UID}`, { json: { ...shown, description: 'd' } })
    expect([back.status, back.data['description']]).toEqual([200, 'd'])
    expectInvalid(
      await client.call('PUT', `/webhooks/${UID}`, { json: { uid: 'other' } }),
      'uid',
      /is set at creation and stays: it is "crm:contacts-1"/,
    )
    const { id } = await client.subscribe()
    expectInvalid(
      await client.call('PUT', `/webhooks/${id}`, { json: { uid: 'mine' } }),
      'uid',
      /created without one/,
    )
  })

  test('gives it back when it is deleted', async () => {
    const client = new Client()
    const { data: first } = await create(client)
    await client.call('DELETE', `/webhooks/${UID}`)
    const second = await create(client, { url: 'https://b.example.com/hooks' })
    expect([second.status, second.data.id === first.id]).toEqual([201, false])
    expect((await client.get(`/webhooks/${first.id}/logs`)).status).toBe(200)
  })

  test.each([
    ['webhook_1', /must not begin with "webhook_"/],
    ['a.b', /no dot/],
    ['', /1-128 characters/],
    ['é', /1-128 characters/],
  ])('cannot have the uid %j', async (uid, message) => {
    expectInvalid(await create(new Client(), { uid }), 'uid', message)
  })

  test('is found by reading two rows, however many there are', async () => {
    const client = new Client()
    for (let n = 0; n < 20; n++) await client.subscribe({ uid: `other:${n}` })
    await create(client)
    const { db, meter } = meterD1(env.DB)
    expect(await findSubscriptionByUid(db, client.workspace, UID)).not.toBeNull()
    expect(meter.rowsRead).toBeLessThanOrEqual(4)
  })
})

describe('a creation that is repeated under its uid', () => {
  test('answers 200 with the subscription, its secret masked, and makes no second', async () => {
    const client = new Client()
    const first = await create(client)
    const { filters, ...others } = SUBSCRIPTION
    const reordered = { ...others, filters: { 'data.total': { max: 20, min: filters['data.total'].min } } }
    const again = await client.post<SubscriptionAnswer>('/webhooks', reordered)
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.data).toEqual({ ...first.data, secret: '********' })
    expect(await countOf(client)).toBe(1)
  })

  test('is the same with its own secret, and whatever has switched it off since', async () => {
    const client = new Client()
    const secret = 'a-secret-of-my-own-making'
    const { status } = await create(client, { secret })
    await client.post(`/webhooks/${UID}/disable`)
    const again = await create(client, { secret })
    expect([status, again.status, again.data.active]).toEqual([201, 200, false])
    expect((await create(client)).status).toBe(200)
  })

  test.each([
    ['url', { url: 'https://b.example.com/hooks' }],
    ['events', { events: ['a.*', 'b.*'] }],
    ['filters', { filters: { 'data.total': { min: 10, max: 21 } } }],
    ['filters', { filters: undefined }],
    ['headers', { headers: { ...SUBSCRIPTION.headers, 'X-Api-Key': 'another-credential' } }],
    ['auth', { auth: { ...SUBSCRIPTION.auth, password: 'another-credential' } }],
    ['retryPolicy', { retryPolicy: null }],
    ['secret', { secret: 'a-secret-of-my-own-making' }],
    ['active', { active: false }],
    ['rateLimit', { rateLimit: { requests: 1, perSeconds: 1 } }],
  ])('conflicts where its %s is otherwise, and says how to change it', async (path, change) => {
    const client = new Client()
    const { data: first } = await create(client)
    const answer = await create(client, change)
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message).toMatch(new RegExp(`another ${path}.*PUT /webhooks/${UID}`))
    expect(answer.error.details?.map((detail) => detail.path)).toEqual([path])
    expect(answer.text).not.toContain('credential')
    expect((await client.get(`/webhooks/${UID}`)).data).toMatchObject({
      url: first.url,
      events: first.events,
    })
    expect(await countOf(client)).toBe(1)
  })

  test.each([
    ['secret', { secret: 'a-secret-that-is-guessed' }],
    ['auth', { auth: { ...SUBSCRIPTION.auth, password: 'another-credential' } }],
    ['headers', { headers: { ...SUBSCRIPTION.headers, 'X-Api-Key': 'another-credential' } }],
  ])('tells a caller who may not see a secret nothing of its %s, right or wrong', async (path, wrong) => {
    const client = new Client()
    const right = { secret: 'a-secret-of-my-own-making' }
    expect((await create(client, right)).status).toBe(201)
    const guesser = await clientWith(client, { scopes: ['webhooks:read', 'webhooks:write'] })
    const answers = [await create(guesser, right), await create(guesser, { ...right, ...wrong })]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers[0]?.data).toEqual(answers[1]?.data)
    const warned = answers[1]?.data['warnings'] as { path: string }[]
    expect(warned.map((warning) => warning.path)).toContain(path)
    expect((await create(client, { ...right, ...wrong })).status).toBe(409)
  })

  test('conflicts for such a caller where what everyone sees is otherwise', async () => {
    const client = new Client()
    await create(client)
    const guesser = await clientWith(client, { scopes: ['webhooks:write'] })
    const headers = { ...SUBSCRIPTION.headers, 'X-Team': 'sales' }
    const answer = await create(guesser, { headers, auth: { ...SUBSCRIPTION.auth, username: 'v' } })
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.details?.map(({ path }) => path).sort()).toEqual(['auth', 'headers'])
  })

  test('shows its first answer under an Idempotency-Key to no caller who may not see the secret', async () => {
    const client = new Client()
    const writer = await clientWith(client, { scopes: ['webhooks:write'] })
    const call = { headers: { 'Idempotency-Key': 'k' } }
    const first = await client.post<SubscriptionAnswer>('/webhooks/subscribe', SUBSCRIPTION, call)
    const again = await writer.post('/webhooks/subscribe', SUBSCRIPTION, call)
    expectRefusal(again, 409, 'conflict')
    expect(again.text).not.toContain(first.data.secret)
    const own = { headers: { 'Idempotency-Key': 'of-the-writer' } }
    const masked = await writer.post('/webhooks', SUBSCRIPTION, own)
    expect((await writer.post('/webhooks', SUBSCRIPTION, own)).text).toBe(masked.text)
  })

  test('is refused for what is wrong with it before it is compared', async () => {
    const client = new Client()
    await create(client)
    expectInvalid(await create(client, { events: [] }), 'events', /at least one/)
  })

  test('makes one of many at the same time', async () => {
    const client = concurrentClient()
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(client)))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201])
    expect(new Set(answers.map(({ data }) => data.id)).size).toBe(1)
  })

  test('gets its first answer, secret and all, under an Idempotency-Key', async () => {
    const client = new Client()
    const call = { headers: { 'Idempotency-Key': 'k' } }
    const first = await client.post('/webhooks/subscribe', SUBSCRIPTION, call)
    const again = await client.post('/webhooks/subscribe', SUBSCRIPTION, call)
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
  })
})

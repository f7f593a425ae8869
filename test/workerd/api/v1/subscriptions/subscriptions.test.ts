import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import {
  Client,
  concurrentClient,
  expectRefusal,
  type SubscriptionAnswer,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const MASKED = '********'
const seed002 = {
  url: 'https://your-app.com/webhooks/bigledger',
  events: ['invoice.created', 'invoice.paid'],
  secret: 'your-secret-key',
  description: 'Main webhook for invoice and payment events',
  active: true,
  retryPolicy: { maxRetries: 3, retryDelay: 5, backoffMultiplier: 2 },
}

describe('POST /webhooks/subscribe', () => {
  test.each(['/webhooks/subscribe', '/v1/webhooks/subscribe'])(
    '%s answers 201 in the shape of seed 002',
    async (path) => {
      const answer = await new Client().post(path, seed002)
      expect(answer.status).toBe(201)
      expect(JSON.parse(answer.text)).toEqual({
        success: true,
        data: {
          id: expect.stringMatching(/^webhook_[0-9a-f]{32}$/),
          uid: null,
          ...seed002,
          temporary: false,
          name: null,
          metadata: {},
          headers: {},
          timeoutSeconds: 10,
          profile: 'standard',
          ...{ filters: null, conditions: null, conditionLogic: 'AND', livemode: null, apiVersion: null },
          ...{ transform: null, custom: null, asymmetric: false, auth: null },
          ...{ responseRules: null, disablePolicy: null, expiresAfterSeconds: null },
          ...{ batchSettings: null, ordered: false, orderingKey: null, onExhausted: 'block' },
          ...{ rateLimit: null, concurrency: null, destinationIps: null },
          retryPolicyInForce: { ...seed002.retryPolicy, source: 'subscription' },
          warnings: [{ path: 'secret', message: expect.stringContaining('can be guessed') }],
          ...{ health: 'unproven', pausedAt: null, disabledReason: null, verification: null, failing: null },
          breaker: { state: 'closed', faultsInRow: 0, heldUntil: null },
          createdAt: expect.stringMatching(TIME),
          updatedAt: expect.stringMatching(TIME),
          statistics: { totalDelivered: 0, totalFailed: 0, lastDelivery: null },
        },
      })
    },
  )

  test('fills in what is left out and generates a secret of 32 bytes', async () => {
    const created = await new Client().subscribe({ url: 'https://a.example.com', events: ['*'] })
    expect(created).toMatchObject({
      url: 'https://a.example.com',
      name: null,
      description: null,
      active: true,
      metadata: {},
      headers: {},
      retryPolicy: null,
      timeoutSeconds: 10,
    })
    expect(atob(created.secret.replace(/^whsec_/, ''))).toHaveLength(32)
    const other = await new Client().subscribe()
    expect(other.secret).not.toBe(created.secret)
  })

  test.each([
    [{ schedule: [5, 300, 1800] }],
    [{ tries: 3, backoff: [10, 30, 60] }],
    [{ maxRetries: 0 }],
    [{ maxAgeSeconds: 86_400, jitter: 0.5, retryClientErrors: false }],
    [{ maxRetries: 5, byEvent: { entry_persisted: { tries: 1 }, constructor: { schedule: [] } } }],
    [{}],
  ])('keeps retryPolicy %j as it was given', async (retryPolicy) => {
    const client = new Client()
    const { id } = await client.subscribe({ retryPolicy })
    expect((await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data.retryPolicy).toEqual(retryPolicy)
  })

  test('keeps metadata as it was given', async () => {
    const client = new Client()
    const metadata = {
      team: 'billing',
      'any name ✓': '',
      constructor: 'x',
      half: '\ud800',
      k: 'v'.repeat(500),
    }
    const { id } = await client.subscribe({ metadata })
    expect((await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data.metadata).toEqual(metadata)
  })
})

describe('PUT and PATCH /webhooks/{id}', () => {
  const standard = { schedule: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400], jitter: 0.1 }
  const inForce = (own: unknown) =>
    own === null ? { ...standard, source: 'profile' } : { ...(own as object), source: 'subscription' }
  const changes: [string, object][] = [
    ['events', { events: ['customer.created', 'invoice.*', '*'] }],
    ['url', { url: 'https://other.example.com/hooks?x=1' }],
    ['description', { description: null }],
    ['active', { active: false }],
    ['metadata', { metadata: { b: '2' } }],
    ['no metadata', { metadata: {} }],
    ['headers', { headers: { 'X-Other': '2' } }],
    ['no headers', { headers: {} }],
    ['retryPolicy', { retryPolicy: { tries: 1 } }],
    ['no retryPolicy', { retryPolicy: null }],
    ['timeoutSeconds', { timeoutSeconds: 30 }],
    ['nothing', {}],
    ['several', { active: false, description: 'b', timeoutSeconds: 1 }],
  ]

  describe.each(['PUT', 'PATCH'])('%s', (method) => {
    test.each(changes)('changes %s and leaves the rest', async (_, change) => {
      const client = new Client()
      const whole = { ...seed002, metadata: { a: '1' }, headers: { 'X-Team': 'billing' }, timeoutSeconds: 5 }
      const created = await client.subscribe(whole)
      const changed = await client.call<SubscriptionAnswer>(method, `/webhooks/${created.id}`, {
        json: change,
      })
      const { warnings: _warnings, ...shown } = created
      const expected = {
        ...shown,
        secret: MASKED,
        ...change,
        ...('retryPolicy' in change && { retryPolicyInForce: inForce(change.retryPolicy) }),
        ...('active' in change &&
          change.active === false && { disabledReason: 'manual', health: 'disabled' }),
        updatedAt: expect.stringMatching(TIME),
      }
      expect(changed.status).toBe(200)
      expect(changed.data).toEqual(expected)
      expect((await client.get(`/webhooks/${created.id}`)).data).toEqual(expected)
      expect(Date.parse(changed.data.updatedAt)).toBeGreaterThanOrEqual(Date.parse(created.updatedAt))
    })

    test('changes the secret and does not show it', async () => {
      const client = new Client()
      const { id } = await client.subscribe(seed002)
      const secret = 'another-secret-key'
      const changed = await client.call(method, `/webhooks/${id}`, { json: { secret } })
      expect(changed.text).not.toContain(secret)
      expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual({ secret })
    })
  })

  test('of many changes to different fields at once none is lost', async () => {
    const client = new Client()
    const { id } = await client.subscribe()
    const answers = await Promise.all([
      client.call('PATCH', `/webhooks/${id}`, { json: { description: 'd' } }),
      client.call('PATCH', `/webhooks/${id}`, { json: { timeoutSeconds: 7 } }),
      client.call('PUT', `/webhooks/${id}`, { json: { metadata: { a: '1' } } }),
      client.call('PUT', `/webhooks/${id}`, { json: { active: false } }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await client.get(`/webhooks/${id}`)).data).toMatchObject({
      ...{ description: 'd', timeoutSeconds: 7, metadata: { a: '1' }, active: false },
    })
  })
})

describe('a secret', () => {
  test('is shown by creation and by /secret, and masked everywhere else', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id, secret } = await client.subscribe({ url, secret: 'do-not-show-me-again' })
    expect(secret).toBe('do-not-show-me-again')
    expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual({ secret })
    const event = await client.publish({ event: 'a', data: {} })
    const [delivery] = await client.settled(id, 'success', 1)
    for (const path of [
      '/webhooks',
      `/webhooks/${id}`,
      `/webhooks/${id}/logs`,
      `/webhooks/${id}/statistics`,
      `/events/${event.id}/deliveries`,
      `/deliveries/${delivery?.id}`,
    ]) {
      expect((await client.get(path)).text, path).not.toContain(secret)
    }
    expect((await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data.secret).toBe(MASKED)
  })

  test('and custom headers are not readable in the database', async () => {
    const client = new Client()
    const { id } = await client.subscribe({
      secret: 'do-not-store-me-plain',
      headers: { 'X-Api-Key': 'nor-store-me-plain' },
    })
    const row = await env.DB.prepare('SELECT * FROM subscription WHERE id = ?1').bind(id).first()
    expect(JSON.stringify(row)).not.toMatch(/store-me-plain|X-Api-Key/)
  })
})

test('headers whose names promise a credential are masked, and delivered whole', async () => {
  const client = new Client()
  const url = receivers.url()
  const secrets = {
    ...{ Authorization: 'Bearer a', 'X-Api-Key': 'b', Cookie: 'c=d', 'X-Auth-Token': 'e' },
    ...{ 'X-Client-Secret': 'f', 'X-Password': 'g' },
  }
  const headers = { ...secrets, 'X-Team': 'billing', 'X-Empty': '' }
  const { id, ...created } = await client.subscribe({ url, headers })
  const masked = Object.fromEntries(Object.keys(secrets).map((name) => [name, MASKED]))
  const shown = { ...masked, 'X-Team': 'billing', 'X-Empty': '' }
  expect(created.headers).toEqual(shown)
  expect((await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data.headers).toEqual(shown)
  expect((await client.get<SubscriptionAnswer[]>('/webhooks')).data[0]?.headers).toEqual(shown)
  await client.publish({ event: 'a', data: {} })
  await client.settled(id, 'success', 1)
  const [request] = receivers.received(url)
  for (const [name, value] of Object.entries(headers)) expect(request?.headers.get(name)).toBe(value)
})

describe('DELETE /webhooks/{id}', () => {
  test('answers with the id, and from then on the subscription is gone', async () => {
    const client = new Client()
    const { id } = await client.subscribe()
    const deleted = await client.call('DELETE', `/webhooks/${id}`)
    expect(deleted.status).toBe(200)
    expect(deleted.data).toEqual({ id, deleted: true })
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/secret'],
      ['PUT', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/test'],
    ] as const) {
      const call = method === 'PUT' || method === 'PATCH' ? { json: { active: true } } : {}
      expectRefusal(await client.call(method, `/webhooks/${id}${path}`, call), 404, 'not_found')
    }
    expect((await client.get<unknown[]>('/webhooks')).data).toEqual([])
  })

  test('wipes custom headers, which may carry credentials', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: receivers.url(), headers: { Authorization: 'Bearer x' } })
    const headersOf = () =>
      env.DB.prepare("SELECT config ->> 'headersCipher' AS cipher FROM subscription WHERE id = ?1")
        .bind(id)
        .first('cipher')
    expect(await headersOf()).toMatch(/^v3\./)
    await client.call('DELETE', `/webhooks/${id}`)
    expect(await headersOf()).toBeNull()
  })

  test('wipes the secret in the database and leaves the log readable', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: receivers.url() })
    await client.publish({ event: 'a', data: {} })
    await client.settled(id, 'success', 1)
    const secretOf = () =>
      env.DB.prepare('SELECT secret_cipher FROM subscription WHERE id = ?1').bind(id).first('secret_cipher')
    expect(await secretOf()).not.toBeNull()
    await client.call('DELETE', `/webhooks/${id}`)
    expect(await secretOf()).toBeNull()
    expect((await client.get<unknown[]>(`/webhooks/${id}/logs`)).data).toHaveLength(1)
    expect((await client.get(`/webhooks/${id}/statistics`)).data).toMatchObject({ totalDelivered: 1 })
  })
})

test('a new, changed, disabled, enabled and deleted subscription takes effect for the very next publish', async () => {
  // One relay, and so one cached configuration, publishes; others, as on other isolates, change the subscription.
  const publisher = concurrentClient()
  const client = new Client(publisher.workspace)
  const matched = async (event: string) => (await publisher.publish({ event, data: {} })).matched
  expect(await matched('a.b')).toBe(0)
  const { id } = await client.subscribe({ url: receivers.url(), events: ['a.b'] })
  expect(await matched('a.b')).toBe(1)
  await client.call('PATCH', `/webhooks/${id}`, { json: { events: ['c.*'] } })
  expect([await matched('a.b'), await matched('c.d.e')]).toEqual([0, 1])
  await client.call('PUT', `/webhooks/${id}`, { json: { active: false } })
  expect(await matched('c.d')).toBe(0)
  await client.call('PUT', `/webhooks/${id}`, { json: { active: true } })
  expect(await matched('c.d')).toBe(1)
  await client.call('DELETE', `/webhooks/${id}`)
  expect(await matched('c.d')).toBe(0)
})

import { describe, expect, test } from 'vitest'
import {
  type Accepted,
  appWith,
  type Bulk,
  Client,
  concurrentClient,
  expectInvalid,
  expectRefusal,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { EXAMPLES } from '../../examples.ts'

type EventAnswer = { id: string; event: string; acceptedAt: string; matched: number; payload: string }
const event = { event: 'invoice.paid', data: { n: 1 } }
const HOUR_MS = 3_600_000

describe('POST /events', () => {
  test('answers 202 with the id, the status and the number of subscriptions matched', async () => {
    const client = new Client()
    await client.subscribe({ url: receivers.url() })
    await client.subscribe({ url: receivers.url(), events: ['invoice.*'] })
    await client.subscribe({ url: receivers.url(), events: ['payment.*'] })
    await client.subscribe({ url: receivers.url(), active: false })
    const answer = await client.post('/events', event)
    expect(answer.status).toBe(202)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    expect(JSON.parse(answer.text)).toEqual({
      success: true,
      data: { id: expect.stringMatching(/^evt_0[0-9a-z]{18}$/), status: 'accepted', matched: 2 },
    })
  })

  test('fills in what is left out', async () => {
    const client = new Client()
    const before = Date.now()
    const { id } = await client.publish({ event: 'a.b', data: {} })
    const { data } = await client.get<EventAnswer>(`/events/${id}`)
    const payload = JSON.parse(data.payload) as Record<string, unknown>
    expect(payload).toEqual({
      id,
      event: 'a.b',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      livemode: true,
      api_version: 'v1',
      data: {},
      context: {},
    })
    expect(Date.parse(String(payload['timestamp']))).toBeGreaterThanOrEqual(before)
  })

  test.each([
    ['timestamp', { timestamp: '2024-01-15T12:30:00.5+02:00' }, '"timestamp":"2024-01-15T12:30:00.5+02:00"'],
    ['created_at', { created_at: '2024-01-15T10:30:00Z' }, '"timestamp":"2024-01-15T10:30:00Z"'],
    ['livemode', { livemode: false }, '"livemode":false'],
    ['api_version', { api_version: '2024-01-15' }, '"api_version":"2024-01-15"'],
    ['context', { context: { userId: 'u' } }, '"context":{"userId":"u"}'],
  ])('passes %s on as it was sent', async (_, fields, expected) => {
    const client = new Client()
    const { id } = await client.publish({ ...event, ...fields })
    expect((await client.get<EventAnswer>(`/events/${id}`)).data.payload).toContain(expected)
  })

  test('takes type for event, and both when they agree', async () => {
    const client = new Client()
    for (const names of [{ type: 'post.created' }, { type: 'post.created', event: 'post.created' }]) {
      const { id } = await client.publish({ ...names, data: {} })
      expect((await client.get<EventAnswer>(`/events/${id}`)).data.event).toBe('post.created')
    }
  })

  test.each([456, null, 'x', { a: 1 }])('ignores workspace_id %j', async (workspaceId) => {
    const client = new Client()
    const { id } = await client.publish({ ...event, workspace_id: workspaceId })
    const { data } = await client.get<EventAnswer>(`/events/${id}`)
    expect(data.payload).not.toContain('workspace_id')
  })

  test.each(['/api/v1/events', '/v1/events'])(
    'takes every example of the seeds as it stands at %s',
    async (path) => {
      const client = new Client()
      expect(EXAMPLES.length).toBeGreaterThanOrEqual(13)
      for (const [name, body] of EXAMPLES) {
        const answer = await client.call<Accepted>('POST', path, { body })
        expect(answer.status, `${name}: ${answer.text}`).toBe(202)
        const sent = JSON.parse(body) as { id?: string; event?: string; type?: string; data: object }
        const { data } = await client.get<EventAnswer>(`/events/${answer.data.id}`)
        expect(JSON.parse(data.payload)).toMatchObject({ event: sent.event ?? sent.type, data: sent.data })
        if (sent.id !== undefined) expect(answer.data.id).toBe(sent.id)
      }
    },
  )

  test('delivers numbers and spacing to the byte', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    const data = '{ "total": 2567.50,\n "long": 12345678901234567890, "e": 1E2, "half": "\\ud83d" }'
    await client.call('POST', '/events', { body: `{"event":"a","data": ${data} ,"context":{"x": 0.10}}` })
    await client.settled(id, 'success', 1)
    expect(receivers.received(url)[0]?.body).toContain(`"data":${data},"context":{"x": 0.10}}`)
  })
})

describe('an own id', () => {
  test('is the event id; the same content again is a duplicate, other content a conflict', async () => {
    const client = new Client()
    await client.subscribe({ url: receivers.url() })
    const own = { ...event, id: 'order-42_paid' }
    expect(await client.publish(own)).toEqual({ id: 'order-42_paid', status: 'accepted', matched: 1 })
    expect(await client.publish(own)).toEqual({ id: 'order-42_paid', status: 'duplicate', matched: 1 })
    const conflict = await client.post('/events', { ...own, data: { n: 2 } })
    expectRefusal(conflict, 409, 'conflict')
    expect(conflict.error.details).toEqual([
      { path: 'id', message: expect.stringMatching(/already used for another event/) },
    ])
    expect((await client.get<unknown[]>('/events')).data).toHaveLength(1)
  })

  test.each([
    ['event', { event: 'invoice.sent' }],
    ['timestamp', { timestamp: '2024-01-15T10:30:00Z' }],
    ['livemode', { livemode: false }],
    ['api_version', { api_version: 'v2' }],
    ['context', { context: { a: 1 } }],
  ])('with another %s is a conflict', async (_, fields) => {
    const client = new Client()
    await client.publish({ ...event, id: 'x' })
    expectRefusal(await client.post('/events', { ...event, id: 'x', ...fields }), 409, 'conflict')
  })

  test('may not be one this workspace has generated, and may be any other', async () => {
    const [client, other] = [new Client(), new Client()]
    const { id } = await client.publish(event)
    expectInvalid(await client.post('/events', { ...event, id }), 'id', /form of an id this relay generates/)
    expect(await other.publish({ ...event, id })).toMatchObject({ id, status: 'accepted' })
    expect(await client.publish({ ...event, id: 'evt_001' })).toMatchObject({ id: 'evt_001' })
  })

  test('decides for good, an Idempotency-Key for 24 hours', async () => {
    const client = new Client()
    const later = (ms: number) => {
      const publishLater = appWith((relay) => ({
        publish: (background) => ({ ...relay.publish(background), now: () => Date.now() + ms }),
      }))
      return new Client(client.workspace, { target: publishLater })
    }
    const headers = { 'Idempotency-Key': 'k' }
    await client.publish({ ...event, id: 'own' })
    const first = await client.publish(event, { headers })
    expect(await later(23 * HOUR_MS).publish(event, { headers })).toMatchObject({
      ...first,
      status: 'duplicate',
    })
    const second = await later(25 * HOUR_MS).publish({ ...event, data: { n: 2 } }, { headers })
    expect(second.status).toBe('accepted')
    expect(second.id).not.toBe(first.id)
    expect(await later(25 * HOUR_MS).publish({ ...event, id: 'own' })).toMatchObject({ status: 'duplicate' })
  })
})

describe('an Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'key-1' }

  test('makes the same content a duplicate with the first id, other content a conflict', async () => {
    const client = new Client()
    const first = await client.publish(event, { headers })
    expect(await client.publish(event, { headers })).toEqual({ ...first, status: 'duplicate' })
    const conflict = await client.post('/events', { ...event, data: { n: 2 } }, { headers })
    expectRefusal(conflict, 409, 'conflict')
    expect(conflict.error.details?.[0]?.path).toBe('Idempotency-Key')
    expect(await client.publish(event)).toMatchObject({ status: 'accepted' })
  })

  test('is no own id: both may have the same text', async () => {
    const client = new Client()
    const keyed = await client.publish(event, { headers })
    expect(await client.publish({ ...event, id: 'key-1' })).toMatchObject({ id: 'key-1', status: 'accepted' })
    expect(keyed.id).not.toBe('key-1')
  })

  test('covers a bulk publish event by event', async () => {
    const client = new Client()
    const events = [event, { ...event, data: { n: 2 } }, event]
    const first = (await client.post<Bulk>('/events', { events }, { headers })).data.events as Accepted[]
    expect(first.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted'])
    const again = (await client.post<Bulk>('/events', { events }, { headers })).data.events
    expect(again).toEqual(first.map((item) => ({ ...item, status: 'duplicate' })))
  })

  test('of 20 publishes at once lets exactly one through', async () => {
    const client = concurrentClient()
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.publish(event, { headers })))
    expect(answers.filter(({ status }) => status === 'accepted')).toHaveLength(1)
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect((await client.get<unknown[]>('/events')).data).toHaveLength(1)
  })
})

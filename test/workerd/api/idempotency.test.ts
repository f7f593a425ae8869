import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } })
const SUBSCRIPTION = { url: 'https://a.example.com/hooks', events: ['a.b'] }
type Created = { id: string; secret: string }

async function idsOf(client: Client, path = '/webhooks'): Promise<string[]> {
  return (await client.all<{ id: string }>(path, 100)).map(({ id }) => id)
}

/** Leaves a request as one is left whose isolate ended before its answer was kept. */
async function cutOff(client: Client, key: string): Promise<void> {
  const { meta } = await env.DB.prepare(
    'UPDATE request_answer SET status = NULL, answer_cipher = NULL, leased_until_ms = 0 WHERE workspace_id = ?1 AND key = ?2',
  )
    .bind(client.workspace, key)
    .run()
  expect(meta.changes).toBe(1)
}

describe('a subscription that is created again under its key', () => {
  test('is the same, and the answer is the first one, secret and all', async () => {
    const client = new Client()
    const first = await client.post<Created>('/webhooks/subscribe', SUBSCRIPTION, keyed('create:1'))
    const again = await client.post<Created>('/v1/webhooks/subscribe', SUBSCRIPTION, keyed('create:1'))
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.text).toBe(first.text)
    expect(first.headers.get('Idempotent-Replayed')).toBeNull()
    expect(again.headers.get('Idempotent-Replayed')).toBe('true')
    expect(await idsOf(client)).toEqual([first.data.id])
    const rows = await env.DB.prepare('SELECT * FROM request_answer WHERE workspace_id = ?1')
      .bind(client.workspace)
      .all()
    expect(JSON.stringify(rows.results)).not.toContain(first.data.secret)
  })

  test('conflicts where it says something else, in another call too', async () => {
    const client = new Client()
    const { data } = await client.post<Created>('/webhooks/subscribe', SUBSCRIPTION, keyed('k'))
    const other = { ...SUBSCRIPTION, events: ['c'] }
    for (const answer of [
      await client.post('/webhooks/subscribe', other, keyed('k')),
      await client.post('/webhooks', SUBSCRIPTION, keyed('k')),
      await client.post(`/webhooks/${data.id}/pause`, undefined, keyed('k')),
    ]) {
      expectRefusal(answer, 409, 'conflict')
      expect(answer.error.details?.[0]?.path).toBe('Idempotency-Key')
      expect(answer.error.message).toMatch(/already used for another request/)
    }
    expect(await idsOf(client)).toEqual([data.id])
  })

  test('is another one in another workspace', async () => {
    const [one, other] = [new Client(), new Client()]
    const first = await one.post<Created>('/webhooks/subscribe', SUBSCRIPTION, keyed('k'))
    const second = await other.post<Created>('/webhooks/subscribe', SUBSCRIPTION, keyed('k'))
    expect(second.data.id).not.toBe(first.data.id)
  })

  test('is created once by many requests at the same time', async () => {
    const client = new Client()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.post<Created>('/webhooks', SUBSCRIPTION, keyed('k'))),
    )
    const created = answers.filter(({ status }) => status === 201)
    expect(new Set(created.map(({ data }) => data.id)).size).toBe(1)
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectRefusal(answer, 409, 'conflict')
      expect(answer.error.message).toMatch(/still being answered/)
      expect(answer.headers.get('Retry-After')).toBe('2')
    }
    expect(await idsOf(client)).toHaveLength(1)
  })

  test('is the same where the first request was cut off after its insert', async () => {
    const client = new Client()
    const first = await client.post<Created>('/webhooks', SUBSCRIPTION, keyed('k'))
    await cutOff(client, 'k')
    const again = await client.post<Created>('/webhooks', SUBSCRIPTION, keyed('k'))
    expect(again.status).toBe(201)
    expect(again.data).toEqual(first.data)
    expect(await idsOf(client)).toEqual([first.data.id])
  })

  test('is created anew after a day', async () => {
    const client = new Client()
    const first = await client.post<Created>('/webhooks', SUBSCRIPTION, keyed('k'))
    await env.DB.prepare('UPDATE request_answer SET expires_at_ms = 1 WHERE workspace_id = ?1')
      .bind(client.workspace)
      .run()
    const again = await client.post<Created>('/webhooks', SUBSCRIPTION, keyed('other'))
    expect(again.data.id).not.toBe(first.data.id)
    const { results } = await env.DB.prepare('SELECT key FROM request_answer WHERE workspace_id = ?1')
      .bind(client.workspace)
      .all()
    expect(results).toEqual([{ key: 'other' }])
  })
})

test('a refused request gives its key back', async () => {
  const client = new Client()
  const bad = { ...SUBSCRIPTION, url: 'ftp://a.example.com/' }
  expectInvalid(await client.post('/webhooks', bad, keyed('k')), 'url', /must begin with/)
  expect((await client.post('/webhooks', SUBSCRIPTION, keyed('k'))).status).toBe(201)
  const gone = () => client.post('/webhooks/webhook_none/pause', undefined, keyed('p'))
  expectRefusal(await gone(), 404, 'not_found')
  expectRefusal(await gone(), 404, 'not_found')
})

test('a secret is rotated once, a test event and a dispatch are sent once', async () => {
  const client = new Client()
  const url = receivers.url()
  const { id } = await client.subscribe({ url })
  const target = { url, secret: 'a-secret-of-ours', event: 'a', data: {}, wait: true }
  const calls: [string, object | undefined][] = [
    [`/webhooks/${id}/rotate-secret`, undefined],
    [`/webhooks/${id}/test`, { message: 'Hi' }],
    ['/dispatch', target],
  ]
  for (const [path, body] of calls) {
    const first = await client.post(path, body, keyed(`key-of${path.replaceAll('/', ':')}`))
    const again = await client.post(path, body, keyed(`key-of${path.replaceAll('/', ':')}`))
    expect(first.status, first.text).toBeLessThan(300)
    expect(again.text).toBe(first.text)
  }
  expect(receivers.received(url)).toHaveLength(2)
})

test('a replay is started once, also where the first request was cut off', async () => {
  const client = new Client()
  const { id } = await client.subscribe()
  const start = () => client.post<{ id: string }>(`/webhooks/${id}/replay`, {}, keyed('r'))
  const first = await start()
  expect(first.status).toBe(202)
  expect((await start()).data.id).toBe(first.data.id)
  await cutOff(client, 'r')
  expect((await start()).data.id).toBe(first.data.id)
  expect(await idsOf(client, '/replays')).toEqual([first.data.id])
})

describe('a key, and an own id of an event,', () => {
  test.each(['order:1', 'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66'])('may be %s', async (id) => {
    const client = new Client()
    expect((await client.publish({ id, event: 'a', data: {} })).id).toBe(id)
    expect((await client.publish({ id, event: 'a', data: {} })).status).toBe('duplicate')
    for (const path of [`/events/${id}`, `/events/${encodeURIComponent(id)}`]) {
      expect((await client.get(path)).data['id']).toBe(id)
    }
    await client.publish({ event: 'b', data: {} }, keyed(id))
    expect((await client.publish({ event: 'b', data: {} }, keyed(id))).status).toBe('duplicate')
    expect((await client.post('/webhooks', SUBSCRIPTION, keyed(id))).status).toBe(201)
  })

  test.each(['a.b', 'a b', 'ü', 'a'.repeat(129)])('may not be %j', async (id) => {
    const client = new Client()
    const HINT = /1-128 characters of A-Z a-z 0-9 _ - : \(no dot: signatures are over id\.timestamp\.body\)/
    expectInvalid(await client.post('/events', { id, event: 'a', data: {} }), 'id', HINT)
    const header = keyed(encodeURIComponent(id) === id ? id : 'a.b')
    expectInvalid(await client.post('/webhooks', SUBSCRIPTION, header), 'Idempotency-Key', HINT)
  })
})

import { describe, expect, test, vi } from 'vitest'
import type { LimitsChange } from '../../../../../src/limits/limits.ts'
import {
  type Answer,
  type Bulk,
  Client,
  concurrentClient,
  expectInvalid,
  expectRefusal,
} from '../../../../support/process/http-client.ts'
import { makeKey } from '../../../../support/process/keys.ts'
import { createRig, type Rig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

const NONE = {
  ...{ requestsPerSecond: null, eventsPerSecond: null, eventsPerDay: null },
  ...{ subscriptions: null, payloadBytes: null, storedEvents: null },
}

const setLimits = (client: Client, limits: unknown) =>
  client.call<{ limits: LimitsChange }>('PUT', `/workspaces/${client.workspace}`, { json: { limits } })

/** A client of an isolate whose clock stands still, in a workspace that has limits. */
async function limitedClient(limits: LimitsChange): Promise<{ rig: Rig; client: Client }> {
  const rig = await createRig()
  const client = clientOf(rig)
  expect((await setLimits(client, limits)).status).toBe(200)
  return { rig, client }
}

const event = (n = 0) => ({ event: 'a', data: { n } })
const events = (count: number) => Array.from({ length: count }, (_, n) => event(n))

describe('limits of a workspace', () => {
  test('are set by name, taken away by null, and shown', async () => {
    const client = new Client()
    expect((await setLimits(client, { eventsPerSecond: 10, subscriptions: 0 })).data.limits).toEqual({
      ...NONE,
      eventsPerSecond: 10,
      subscriptions: 0,
    })
    expect((await setLimits(client, { eventsPerSecond: null, payloadBytes: 5 })).data.limits).toEqual({
      ...NONE,
      subscriptions: 0,
      payloadBytes: 5,
    })
    const { data } = await client.get(`/workspaces/${client.workspace}`)
    expect(data['limits']).toMatchObject({ payloadBytes: 5 })
  })

  test.each<[unknown, string, RegExp]>([
    [{ eventsPerSecond: 0 }, 'limits.eventsPerSecond', /whole number, at least 1/],
    [{ eventsPerDay: 1.5 }, 'limits.eventsPerDay', /whole number/],
    [{ subscriptions: -1 }, 'limits.subscriptions', /at least 0/],
    [{ requestsPerSecond: '5' }, 'limits.requestsPerSecond', /whole number/],
    [{ eventsPerHour: 5 }, 'limits.eventsPerHour', /is not a field/],
  ])('are refused where they make no sense: %j', async (limits, path, message) => {
    expectInvalid(await setLimits(new Client(), limits), path, message)
  })
})

function expectLimited(answer: Answer, name: string, retryAfter: string): void {
  expectRefusal(answer, 429, 'rate_limited')
  expect(answer.error.details?.[0]?.path).toBe(name)
  expect(answer.headers.get('retry-after')).toBe(retryAfter)
}

describe('events above a limit', () => {
  test('are refused one by one with 429, and say when to try again', async () => {
    const { rig, client } = await limitedClient({ eventsPerSecond: 3 })
    for (let n = 0; n < 3; n++) {
      const answer = await client.post('/events', event(n))
      expect(answer.status).toBe(202)
      expect(answer.headers.get('ratelimit-policy')).toBe('"eventsPerSecond";q=3;qu="events";w=1')
      expect(answer.headers.get('ratelimit')).toBe(`"eventsPerSecond";r=${2 - n};t=1`)
    }
    const refused = await client.post('/events', event())
    expectLimited(refused, 'eventsPerSecond', '1')
    expect(refused.headers.get('ratelimit')).toBe('"eventsPerSecond";r=0;t=1')
    rig.clock.nowMs += 1_000
    expect((await client.post('/events', event())).status).toBe(202)
  })

  test('of a bulk publish are rejected, and those before them pass', async () => {
    const { client } = await limitedClient({ eventsPerSecond: 4 })
    const list = [...events(2), { event: 'not a type' }, ...events(4)]
    const answer = await client.post<Bulk>('/events', { events: list })
    expect(answer.status).toBe(202)
    expect(answer.data.events.map(({ status }) => status)).toEqual([
      ...['accepted', 'accepted', 'rejected', 'accepted', 'accepted', 'rejected', 'rejected'],
    ])
    expect(answer.data.events.at(-1)).toMatchObject({
      error: {
        code: 'rate_limited',
        message: 'This workspace may use 4 events per second; try again in 1 s.',
      },
    })
    const { data } = await client.get<unknown[]>('/events')
    expect(data).toHaveLength(4)
  })

  test('wait for midnight where the day is used up; duplicates use nothing of it', async () => {
    const { client } = await limitedClient({ eventsPerDay: 2 })
    for (let n = 0; n < 3; n++) {
      expect((await client.post('/events', { ...event(), id: 'same' })).status).toBe(202)
    }
    expect((await client.post('/events', event())).status).toBe(202)
    expectLimited(await client.post('/events', event()), 'eventsPerDay', String(12 * 3600))
  })

  test('of a dispatch are refused as well', async () => {
    const { client } = await limitedClient({ eventsPerSecond: 1 })
    const dispatch = {
      url: 'https://receiver.example.com/hooks',
      secret: 'a secret of some length',
      ...event(),
    }
    expect((await client.post('/dispatch', dispatch)).status).toBe(202)
    expectLimited(await client.post('/dispatch', dispatch), 'eventsPerSecond', '1')
  })
})

test('a payload above the limit is refused with 413, in bulk alone, whatever its characters', async () => {
  const { client } = await limitedClient({ payloadBytes: 40 })
  const withText = (text: string) => ({ event: 'a', data: { text } })
  // {"text":""} and {} take 13 bytes.
  const list = [
    withText('x'.repeat(27)),
    withText('x'.repeat(28)),
    withText('€'.repeat(9)),
    withText('€'.repeat(10)),
  ]
  const { data } = await client.post<Bulk>('/events', { events: list })
  expect(data.events.map(({ status }) => status)).toEqual(['accepted', 'rejected', 'accepted', 'rejected'])
  expectRefusal(await client.post('/events', list[3]), 413, 'payload_too_large')
  expect((await client.post('/events', list[0])).headers.get('ratelimit')).toBeNull()
})

describe('calls above a limit', () => {
  test('are refused; of the operator’s own only publishes count', async () => {
    const { client } = await limitedClient({ requestsPerSecond: 2 })
    // The first publish of an isolate finds the limits out.
    for (let n = 0; n < 3; n++) expect((await client.post('/events', event(n))).status).toBe(202)
    const refused = await client.post('/events', event())
    expectLimited(refused, 'requestsPerSecond', '1')
    expect(refused.headers.get('ratelimit-policy')).toBe('"requestsPerSecond";q=2;w=1')
    for (let n = 0; n < 5; n++) expect((await client.get('/events')).status).toBe(200)
  })

  test('with a key are refused, whatever they are', async () => {
    const { rig, client } = await limitedClient({ requestsPerSecond: 3 })
    const viewer = clientOf(rig, rig.workspace, (await makeKey(client, { role: 'viewer' })).key)
    for (let n = 0; n < 3; n++) expect((await viewer.get('/events')).status).toBe(200)
    expectLimited(await viewer.get('/webhooks'), 'requestsPerSecond', '1')
    rig.clock.nowMs += 1_000
    expect((await viewer.get('/webhooks')).status).toBe(200)
  })

  test('are known within ten seconds after the limit was set', async () => {
    const { rig, client } = await limitedClient({})
    const viewer = clientOf(rig, rig.workspace, (await makeKey(client, { role: 'viewer' })).key)
    expect((await viewer.get('/events')).status).toBe(200)
    await setLimits(client, { requestsPerSecond: 1 })
    rig.clock.nowMs += 10_000
    await viewer.get('/events')
    await vi.waitFor(async () => expect((await viewer.get('/events')).status).toBe(429))
  })
})

describe('limits of a key', () => {
  test('hold it, and no other key of its workspace', async () => {
    const { rig, client } = await limitedClient({})
    const settings = { role: 'publisher', limits: { eventsPerSecond: 2, payloadBytes: 20 } }
    const shown = await makeKey(client, settings)
    expect(shown['limits']).toEqual({ ...NONE, eventsPerSecond: 2, payloadBytes: 20 })
    const publisher = clientOf(rig, rig.workspace, shown.key)
    const other = clientOf(rig, rig.workspace, (await makeKey(client, { role: 'publisher' })).key)
    const { data } = await publisher.post<Bulk>('/events', { events: events(3) })
    expect(data.events.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'rejected'])
    const refused = await publisher.post('/events', event())
    expectLimited(refused, 'eventsPerSecond', '1')
    expect(refused.headers.get('ratelimit')).toBe('"key-eventsPerSecond";r=0;t=1')
    expect(refused.error.message).toMatch(/^This key may use 2 events per second/)
    expect((await other.post('/events', event())).status).toBe(202)
  })

  test('change by name, and for its very next publish', async () => {
    const { rig, client } = await limitedClient({})
    const shown = await makeKey(client, { role: 'publisher', limits: { eventsPerDay: 5, subscriptions: 1 } })
    const publisher = clientOf(rig, rig.workspace, shown.key)
    expect((await publisher.post('/events', event())).status).toBe(202)
    const limits = { eventsPerDay: 1, subscriptions: null }
    const changed = await client.call('PATCH', `/keys/${shown.id}`, { json: { limits } })
    expect(changed.data['limits']).toEqual({ ...NONE, eventsPerDay: 1 })
    await publisher.post('/events', event())
    expectLimited(await publisher.post('/events', event()), 'eventsPerDay', String(12 * 3600))
  })

  test('are no wider than those of the key that makes it', async () => {
    const { rig, client } = await limitedClient({})
    const settings = { role: 'integration-administrator', limits: { eventsPerSecond: 5 } }
    const admin = clientOf(rig, rig.workspace, (await makeKey(client, settings)).key)
    const refused = await admin.post('/keys', { name: 'k', role: 'publisher' })
    expectRefusal(refused, 403, 'forbidden')
    expect(refused.error.details).toMatchObject([{ path: 'limits.eventsPerSecond' }])
    await makeKey(admin, { role: 'publisher', limits: { eventsPerSecond: 5 } })
  })

  test('bound the subscriptions of the workspace for those who hold it', async () => {
    const { rig, client } = await limitedClient({})
    const settings = { role: 'integration-administrator', limits: { subscriptions: 1 } }
    const admin = clientOf(rig, rig.workspace, (await makeKey(client, settings)).key)
    await client.subscribe()
    const subscription = { url: 'https://receiver.example.com/hooks', events: ['*'] }
    expectLimited(await admin.post('/webhooks', subscription), 'subscriptions', '60')
    await client.subscribe()
  })
})

test('the limits of a workspace are changed by the operator alone', async () => {
  const { rig, client } = await limitedClient({ eventsPerDay: 100 })
  const key = await makeKey(client, { role: 'integration-administrator' })
  const admin = clientOf(rig, rig.workspace, key.key)
  expectRefusal(await setLimits(admin, { eventsPerDay: 101 }), 403, 'forbidden')
  expectRefusal(await setLimits(admin, { eventsPerDay: null }), 403, 'forbidden')
  // Settings are sent back as they were read.
  const { data } = await admin.get(`/workspaces/${rig.workspace}`)
  const sent = await admin.call('PUT', `/workspaces/${rig.workspace}`, { json: { ...data, livemode: false } })
  expect(sent.status, sent.text).toBe(200)
})

test('GET /session shows the limits, and what is left of them', async () => {
  const { rig, client } = await limitedClient({
    ...{ requestsPerSecond: 50, eventsPerDay: 10, subscriptions: 3, storedEvents: 20, payloadBytes: 900 },
  })
  await client.subscribe()
  await client.post('/events', { events: events(4) })
  const settings = { role: 'integration-administrator', limits: { eventsPerSecond: 7 } }
  const admin = clientOf(rig, rig.workspace, (await makeKey(client, settings)).key)
  const ofWorkspace = (name: string, limit: number, left: number, resetSeconds: number | null) => {
    return { of: 'workspace', name, limit, left, resetSeconds }
  }
  const { data } = await admin.get<{ limits: object[] }>('/session')
  expect(data.limits).toEqual([
    ofWorkspace('requestsPerSecond', 50, 49, 1),
    ofWorkspace('eventsPerDay', 10, 6, 43_200),
    ofWorkspace('subscriptions', 3, 2, null),
    ofWorkspace('payloadBytes', 900, 900, null),
    ofWorkspace('storedEvents', 20, 16, null),
    { of: 'key', name: 'eventsPerSecond', limit: 7, left: 7, resetSeconds: 1 },
  ])
  expect((await new Client().get<{ limits: object[] }>('/session')).data.limits).toEqual([])
})

describe('subscriptions', () => {
  const subscription = { url: 'https://receiver.example.com/hooks', events: ['*'] }

  test('above the limit are refused, until one is deleted', async () => {
    const client = new Client()
    await setLimits(client, { subscriptions: 2 })
    const first = await client.subscribe()
    await client.subscribe()
    const refused = await client.post('/webhooks', subscription)
    expectLimited(refused, 'subscriptions', '60')
    await client.call('DELETE', `/webhooks/${first.id}`)
    await client.subscribe()
    const { data } = await client.get<unknown[]>('/webhooks')
    expect(data).toHaveLength(2)
  })

  test('that come at once take no more places than there are', async () => {
    const client = concurrentClient()
    await setLimits(client, { subscriptions: 3 })
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => client.post('/webhooks', subscription)),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7)
    expect((await client.get<unknown[]>('/webhooks')).data).toHaveLength(3)
  })

  test('that are sent again under their key get their first answer, though the last place is theirs', async () => {
    const client = new Client()
    await setLimits(client, { subscriptions: 1 })
    const call = { headers: { 'Idempotency-Key': 'k1' } }
    const first = await client.post('/webhooks', subscription, call)
    const again = await client.post('/webhooks', subscription, call)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.data['id']).toBe(first.data['id'])
  })
})

test('without limits an answer has no such headers', async () => {
  const answer = await new Client().post('/events', event())
  expect([answer.headers.get('ratelimit'), answer.headers.get('ratelimit-policy')]).toEqual([null, null])
})

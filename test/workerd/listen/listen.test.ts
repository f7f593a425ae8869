import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { ListenSession } from '../../../src/listen/session/object.ts'
import { LISTENERS_MAX } from '../../../src/listen/terms.ts'
import { Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'
import { clientWith } from '../../support/process/keys.ts'
import { portalClient } from '../../support/process/portal.ts'
import { freshStore } from '../../support/rig/builders.ts'
import { connectWith, expectNoSocket, openListener, TestListener } from './listener.ts'

const ONCE = { retryPolicy: { maxRetries: 0 } }

beforeEach(freshStore)

/** Lets the lease of a listener run out, as it does within a minute. */
async function lapse(id: string): Promise<void> {
  const session = env.LISTENERS.getByName(id)
  await runInDurableObject(session, async (_, { storage }) => {
    const stored = await storage.get<object>('session')
    await storage.put('session', { ...stored, renewByMs: Date.now() })
  })
  await runDurableObjectAlarm(session)
}

async function liveIds(client: Client): Promise<string[]> {
  const { data } = await client.get<{ id: string }[]>('/webhooks')
  return data.map(({ id }) => id)
}

describe('a listener', () => {
  test('receives what is delivered, signed like any other, and its answer is that of the attempt', async () => {
    const client = new Client()
    const statuses = [200, 500]
    const listener = await TestListener.open(client, ONCE, ({ body }) => ({
      status: statuses[JSON.parse(body).data.n] ?? 404,
      body: `seen ${JSON.parse(body).data.n}`,
    }))
    await client.publish({ id: 'e-0', event: 'a.b', data: { n: 0 } })
    await client.publish({ id: 'e-1', event: 'a.b', data: { n: 1 } })
    await client.settled(listener.id, 'success', 1)
    const [bad, good] = await client.settled(listener.id, 'failed', 1)
    expect(good).toMatchObject({ eventId: 'e-0', responseCode: 200, responseBody: 'seen 0' })
    expect(bad).toMatchObject({
      eventId: 'e-1',
      error: 'http_status',
      attempts: [{ attempt: 1, responseCode: 500, responseBody: 'seen 1' }],
    })
    expect(listener.received[0]?.headers).toMatchObject({
      'Content-Type': 'application/json',
      'webhook-signature': expect.stringMatching(/^v1,/),
    })
  })

  test('does not take from another one: each has its own copy, chosen by its own settings', async () => {
    const client = new Client()
    const [one, other, picky] = [
      await TestListener.open(client),
      await TestListener.open(client),
      await TestListener.open(client, { events: ['a.c'] }),
    ]
    for (const event of ['a.b', 'a.c']) await client.publish({ event, data: {} })
    for (const [listener, count] of [
      [one, 2],
      [other, 2],
      [picky, 1],
    ] as const)
      await client.settled(listener.id, 'success', count)
    const events = (listener: TestListener) =>
      listener.received.map(({ body }) => JSON.parse(body).event).sort()
    expect([events(one), events(other), events(picky)]).toEqual([['a.b', 'a.c'], ['a.b', 'a.c'], ['a.c']])
  })

  test('that does not answer times out like a receiver that hangs, and is told to stop', async () => {
    const client = new Client()
    const listener = await TestListener.open(client, { ...ONCE, timeoutSeconds: 1 }, () => null)
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(listener.id, 'failed', 1)
    expect(row).toMatchObject({ error: 'timeout_headers', responseCode: null })
    await listener.until(() => listener.cancelled.length === 1)
    expect(listener.cancelled).toEqual([listener.received[0]?.id])
  })

  test('gets a large body whole, in messages that any socket takes', async () => {
    const client = new Client()
    const listener = await TestListener.open(client)
    const text = 'é'.repeat(1_000_000)
    await client.publish({ event: 'a', data: { text } })
    await listener.until(() => listener.received.length === 1)
    await client.settled(listener.id, 'success', 1)
    const bytes = Uint8Array.from(listener.received[0]!.body, (character) => character.charCodeAt(0))
    expect(JSON.parse(new TextDecoder().decode(bytes)).data.text === text).toBe(true)
    expect(listener.messages).toBeGreaterThan(5)
  })

  test('whose local receiver is away has a failed attempt that says so', async () => {
    const client = new Client()
    const listener = await TestListener.open(client, ONCE, ({ id }) => {
      listener.send({ type: 'failed', id, message: 'ECONNREFUSED' })
      return null
    })
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(listener.id, 'failed', 1)
    expect(row).toMatchObject({ error: 'connection', errorMessage: expect.stringContaining('ECONNREFUSED') })
    expect(listener.received).toHaveLength(1)
  })

  test('that is not connected has failed attempts, and gets the retries once it is', async () => {
    const client = new Client()
    const { data: opened } = await openListener(client, { retryPolicy: { schedule: [1, 1, 1, 1, 1] } })
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(opened.id, 'failed', 1)
    expect(row).toMatchObject({
      error: 'connection',
      errorMessage: expect.stringContaining('disconnected'),
      nextRetryAt: expect.any(String),
    })
    const listener = await TestListener.connect(opened)
    await client.settled(opened.id, 'success', 1)
    expect(listener.received).toHaveLength(1)
  })

  test('whose connection breaks with a delivery in hand has failed at once, not after its time', async () => {
    const client = new Client()
    const listener = await TestListener.open(client, ONCE, () => null)
    await client.publish({ event: 'a', data: {} })
    await listener.until(() => listener.received.length === 1)
    listener.close(1001)
    const [row] = await client.settled(listener.id, 'failed', 1)
    expect(row).toMatchObject({ error: 'connection' })
    expect(await liveIds(client)).toEqual([listener.id])
  })

  test('that says what is no message is cut off; what it says of unknown requests changes nothing', async () => {
    const client = new Client()
    const listener = await TestListener.open(client)
    listener.send('ping')
    listener.send({ type: 'answer', id: 'x.1', status: 200, headers: [], body: '' })
    await client.publish({ event: 'a', data: {} })
    await client.settled(listener.id, 'success', 1)
    listener.send('{"type":"answer","status":99}')
    await listener.until(() => listener.closedWith !== null)
    expect(listener.closedWith).toBe(4003)
  })
})

describe('a temporary subscription', () => {
  test('is marked in lists, and cannot be pointed elsewhere', async () => {
    const client = new Client()
    const { id } = await TestListener.open(client)
    const own = await client.subscribe({ url: 'http://127.0.0.1:9/hooks' })
    const { data } = await client.get<{ id: string; url: string; temporary: boolean }[]>('/webhooks')
    expect(data.map(({ id: each, temporary }) => [each, temporary])).toEqual([
      [own.id, false],
      [id, true],
    ])
    expect(data[1]?.url).toBe(`listener:${id}`)
    const moved = await client.call('PATCH', `/webhooks/${id}`, { json: { url: 'https://example.com/' } })
    expectInvalid(moved, 'url', /listener/)
    const renamed = await client.call('PATCH', `/webhooks/${id}`, { json: { name: 'mine' } })
    expect(renamed.status).toBe(200)
  })

  test('has an address that no caller can give', async () => {
    const client = new Client()
    const { id } = await TestListener.open(client)
    const url = `listener:${id}`
    expectInvalid(await client.post('/webhooks', { url, events: ['*'] }), 'url', /http/)
    const own = await client.subscribe({ url: 'http://127.0.0.1:9/hooks' })
    expectInvalid(await client.call('PATCH', `/webhooks/${own.id}`, { json: { url } }), 'url', /http/)
    const dispatched = await client.post('/dispatch', {
      url,
      secret: 'a-secret-of-mine',
      event: 'a',
      data: {},
    })
    expect(dispatched.status).toBe(400)
  })

  test.each([
    ['its end is asked for', 4000, (client: Client, id: string) => client.call('DELETE', `/listeners/${id}`)],
    ['it is deleted', 4000, (client: Client, id: string) => client.call('DELETE', `/webhooks/${id}`)],
    ['its listener is not heard of any more', 4004, (_: Client, id: string) => lapse(id)],
  ])('is gone once %s, with its socket and what it was owed', async (_, code, end) => {
    const client = new Client()
    const listener = await TestListener.open(client, { retryPolicy: { schedule: [3600] } }, () => ({
      status: 500,
    }))
    await client.publish({ event: 'a', data: {} })
    await client.settled(listener.id, 'failed', 1)
    await end(client, listener.id)
    await listener.until(() => listener.closedWith !== null)
    expect(listener.closedWith).toBe(code)
    expect(await liveIds(client)).toEqual([])
    const [row] = (await client.get<Record<string, unknown>[]>(`/webhooks/${listener.id}/logs`)).data
    expect([row?.['status'], row?.['reason'] ?? row?.['nextRetryAt']]).toEqual(['skipped', 'deleted'])
    expectRefusal(await client.call('PUT', `/listeners/${listener.id}`), 404, 'not_found')
    await expectNoSocket(listener.opened, listener.opened.protocols)
  })

  test('is gone once its listener closes the socket by its own wish', async () => {
    const client = new Client()
    const listener = await TestListener.open(client)
    listener.close(1000)
    await vi.waitFor(async () => expect(await liveIds(client)).toEqual([]), { timeout: 5_000, interval: 20 })
  })

  test('stays while its listener calls', async () => {
    const client = new Client()
    const listener = await TestListener.open(client)
    const renewed = await client.call('PUT', `/listeners/${listener.id}`)
    expect(renewed.data).toMatchObject({ id: listener.id, connected: true })
    await runDurableObjectAlarm(env.LISTENERS.getByName(listener.id))
    expect(await liveIds(client)).toEqual([listener.id])
    expect(listener.closedWith).toBeNull()
  })

  test(`is one of ${LISTENERS_MAX} of a workspace at most, and of its subscriptions`, async () => {
    const client = new Client()
    for (let n = 0; n < LISTENERS_MAX; n++) expect((await openListener(client)).status).toBe(201)
    const refused = await openListener(client)
    expectRefusal(refused, 429, 'rate_limited')
    expect(refused.error.message).toContain('10 listeners')
    expect((await openListener(new Client())).status).toBe(201)
    const limited = await clientWith(client, { role: 'developer', limits: { subscriptions: LISTENERS_MAX } })
    await client.call('DELETE', `/listeners/${(await liveIds(client))[0]}`)
    await client.subscribe({ url: 'http://127.0.0.1:9/hooks' })
    expect((await openListener(limited)).error.message).toContain('10 subscriptions')
  })
})

describe('nobody connects', () => {
  test('without the ticket of this very listener', async () => {
    const [client, other] = [new Client(), new Client()]
    const { data: opened } = await openListener(client)
    const { data: foreign } = await openListener(other)
    const [protocol = ''] = opened.protocols
    await expectNoSocket(opened, [protocol])
    await expectNoSocket(opened, [protocol, 'ticket.guess'])
    await expectNoSocket(opened, foreign.protocols)
    await expectNoSocket({ socketUrl: opened.socketUrl.replace(opened.id, 'webhook_x') }, opened.protocols)
    expect((await connectWith(opened, ['other'])).status).toBe(400)
  })

  test('or renews or ends a listener of another workspace, or what is none', async () => {
    const [client, other] = [new Client(), new Client()]
    const { id } = await TestListener.open(client)
    const { id: permanent } = await other.subscribe({ url: 'http://127.0.0.1:9/hooks' })
    for (const each of [id, permanent, 'webhook_x']) {
      expectRefusal(await other.call('PUT', `/listeners/${each}`), 404, 'not_found')
      expectRefusal(await other.call('DELETE', `/listeners/${each}`), 404, 'not_found')
    }
    expect(await liveIds(other)).toEqual([permanent])
  })

  test('for a customer, or without the scope', async () => {
    const client = new Client()
    const bound = await portalClient(client, {
      scopes: ['webhooks:read', 'webhooks:write'],
      webhooks: { metadata: { customerId: '42' } },
    })
    expectRefusal(await openListener(bound), 403, 'forbidden')
    const viewer = await clientWith(client, { role: 'viewer' })
    const refused = await openListener(viewer)
    expectRefusal(refused, 403, 'forbidden')
    expect(refused.error.message).toContain('webhooks:write')
  })

  test('twice: the later connection takes the place of the earlier one, whose end changes nothing', async () => {
    const client = new Client()
    const first = await TestListener.open(client)
    const session = env.LISTENERS.getByName(first.id)
    const second = await runInDurableObject(session, async (instance: ListenSession, state) => {
      const [replaced] = state.getWebSockets()
      const connected = await TestListener.connect(first.opened)
      // Its listener may have wished to end just before.
      await instance.webSocketClose(replaced!, 1000)
      return connected
    })
    await first.until(() => first.closedWith !== null)
    expect(first.closedWith).toBe(4001)
    await client.publish({ event: 'a', data: {} })
    await client.settled(first.id, 'success', 1)
    expect([first.received.length, second.received.length]).toEqual([0, 1])
  })
})

test('an answer that shows no secret to one who may not see it', async () => {
  const client = new Client()
  const writer = await clientWith(client, { scopes: ['webhooks:write', 'webhooks:read'] })
  const { data } = await openListener(writer)
  expect(data.webhook).toMatchObject({ secret: '********' })
  expect((await openListener(client)).data.webhook).toMatchObject({
    secret: expect.stringMatching(/^whsec_/),
  })
})

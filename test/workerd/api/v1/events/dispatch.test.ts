import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { Client, type DeliveryAnswer, expectRefusal } from '../../../../support/process/http-client.ts'
import { hmacHex } from '../../../../support/receivers/hmac.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { createRig, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { clientOf, deliver } from '../../../../support/rig/rig-client.ts'
import { type Dispatched, deliveryOf, dispatch, payloadOf, SECRET, settled, targets } from './dispatches.ts'

type Row = {
  webhookId: string
  url: string
  matched: boolean
  reason: string | null
  delivery: DeliveryAnswer
}

describe('POST /dispatch', () => {
  test.each(['/dispatch', '/v1/dispatch'])(
    "%s delivers seed 003's payload, signed as it says, and logs it",
    async (path) => {
      const client = new Client()
      const url = receivers.url({ status: 201, body: 'Thanks' })
      const answer = await client.post<Dispatched>(path, { ...payloadOf(url), profile: 'marko' })
      expect(answer.status, answer.text).toBe(202)
      expect(answer.data).toMatchObject({ status: 'pending', event: 'order.shipped' })
      const { deliveryId, eventId } = answer.data
      expect(await settled(client, deliveryId)).toMatchObject({
        ...{ id: deliveryId, eventId, event: 'order.shipped', status: 'success', test: false },
        attempts: [{ attempt: 1, responseCode: 201, responseBody: 'Thanks' }],
      })
      const [request, ...more] = receivers.received(url)
      expect(more).toEqual([])
      expect(request?.body).toBe('{"event":"order.shipped","data":{"order_id":42,"tracking":"ABC123"}}')
      expect(request?.headers.get('x-webhook-signature')).toBe(
        `sha256=${await hmacHex(SECRET, request?.body ?? '')}`,
      )
      const [target] = await targets(client)
      const rows = await client.get<Row[]>(`/events/${eventId}/deliveries`)
      expect(rows.data).toMatchObject([
        {
          webhookId: target,
          url,
          matched: true,
          reason: null,
          delivery: { id: deliveryId, status: 'success' },
        },
      ])
    },
  )

  test('shows its target on the first page of deliveries only', async () => {
    const client = new Client()
    for (let i = 0; i < 3; i++) await client.subscribe()
    const { data } = await dispatch(client, payloadOf(receivers.url()))
    await settled(client, data.deliveryId)
    for (const limit of [1, 2, 3, 4, 100]) {
      const rows = await client.all<Row>(`/events/${data.eventId}/deliveries`, limit)
      expect(rows.map(({ matched, reason }) => [matched, reason])).toEqual([
        [true, null],
        ...new Array(3).fill([false, 'dispatched_elsewhere']),
      ])
    }
  })

  test('reaches no subscription, whatever it subscribed to', async () => {
    const client = new Client()
    const star = await client.subscribe({ url: receivers.url() })
    const exact = await client.subscribe({ url: receivers.url(), events: ['order.shipped'] })
    const { data } = await dispatch(client, { ...payloadOf(receivers.url()), wait: true })
    expect(data.success).toBe(true)
    // What it owed to others would come before what is owed to them later.
    const { id } = await client.publish({ event: 'order.shipped', data: { after: true } })
    for (const subscription of [star, exact]) {
      await client.settled(subscription.id, 'success', 1)
      const bodies = receivers.received(subscription.url).map(({ body }) => JSON.parse(body).id)
      expect(bodies).toEqual([id])
    }
    const event = await client.get(`/events/${data.eventId}`)
    expect(event.data).toMatchObject({ matched: 1, test: false })
  })

  test('leaves a target that no list shows and no call finds', async () => {
    const client = new Client()
    const { data } = await dispatch(client, payloadOf(receivers.url()))
    await settled(client, data.deliveryId)
    const [id] = await targets(client)
    expect(id).toMatch(/^dispatch_/)
    expect((await client.get<unknown[]>('/webhooks')).data).toEqual([])
    const secret = { secret: 'another-secret' }
    for (const [method, path, json] of [
      ['GET', ''],
      ['GET', '/secret'],
      ['GET', '/logs'],
      ['GET', '/statistics'],
      ['PUT', '', secret],
      ['PATCH', '', secret],
      ['DELETE', ''],
      ['POST', '/test', {}],
      ['POST', '/preview', {}],
      ['POST', '/rotate-secret', secret],
    ] as const) {
      const call = json === undefined ? {} : { json }
      expectRefusal(await client.call(method, `/webhooks/${id}${path}`, call), 404, 'not_found')
    }
  })

  test('keeps one target for all dispatches that are alike, and shows its secrets nowhere', async () => {
    const client = new Client()
    const alike = {
      ...payloadOf(receivers.url()),
      auth: { type: 'bearer', token: 'token-of-acme' },
      headers: { 'X-Api-Key': 'key-of-acme' },
    }
    const answers = [await dispatch(client, alike), await dispatch(client, { ...alike, data: { other: 1 } })]
    expect(await targets(client)).toHaveLength(1)
    await dispatch(client, { ...alike, secret: 'another-shared-secret' })
    expect(await targets(client)).toHaveLength(2)
    for (const { data } of answers) {
      await settled(client, data.deliveryId)
      for (const path of [
        `/deliveries/${data.deliveryId}`,
        `/events/${data.eventId}/deliveries`,
        '/events',
      ]) {
        expect((await client.get(path)).text).not.toMatch(/shared-secret|of-acme/)
      }
    }
    const stored = await env.DB.prepare('SELECT * FROM subscription WHERE kind = 1').all()
    expect(JSON.stringify(stored.results)).not.toMatch(/shared-secret|of-acme/)
  })

  test('of two tenants with the same target has two', async () => {
    const [one, other] = [new Client(), new Client()]
    const url = receivers.url()
    const { data } = await dispatch(one, payloadOf(url))
    await settled(other, (await dispatch(other, payloadOf(url))).data.deliveryId)
    expect((await targets(one))[0]).not.toBe((await targets(other))[0])
    expectRefusal(await other.get(`/deliveries/${data.deliveryId}`), 404, 'not_found')
    expectRefusal(await other.get(`/events/${data.eventId}/deliveries`), 404, 'not_found')
  })

  test('carries a large event whole', async () => {
    const client = new Client()
    const url = receivers.url()
    const data = `{"pad":"${'é€😀'.repeat(20_000)}","t":2567.50}`
    const body = `{"url":"${url}","secret":"${SECRET}","event":"a","wait":true,"profile":"marko","data":${data}}`
    expect((await client.call<Dispatched>('POST', '/dispatch', { body })).data.success).toBe(true)
    expect(receivers.received(url)[0]?.body === `{"event":"a","data":${data}}`).toBe(true)
  })
})

describe('an answer that comes before the outcome', () => {
  test('says what the delivery waits for', async () => {
    const client = new Client()
    const deliverAt = new Date(Date.now() + 3_600_000).toISOString()
    const { data } = await dispatch(client, { ...payloadOf(receivers.url()), deliverAt })
    const waiting = { status: 'pending', waitingFor: { reason: 'schedule', until: deliverAt } }
    expect(data).toMatchObject({ ...waiting, responseCode: null, statusCode: null })
    expect(await deliveryOf(client, data.deliveryId)).toMatchObject(waiting)
  })
})

describe('wait: true', () => {
  test('answers 200 with what the receiver said', async () => {
    const client = new Client()
    const url = receivers.url({ status: 200, body: 'Got it' })
    const { status, data } = await dispatch(client, { ...payloadOf(url), wait: true })
    expect([status, data]).toMatchObject([
      200,
      { success: true, status: 'success', statusCode: 200, responseBody: 'Got it', error: null },
    ])
  })

  test('judges the answer by the response rules of the target', async () => {
    const target = { ...payloadOf(receivers.url({ status: 404 })), wait: true }
    const responseRules = [{ status: 404, outcome: 'success' }]
    const { data } = await dispatch(new Client(), { ...target, responseRules })
    expect(data).toMatchObject({ success: true, status: 'success', statusCode: 404 })
  })

  test('answers 200 when the receiver fails, after exactly one attempt and none to come', async () => {
    const client = new Client()
    const url = receivers.url({ status: 503, body: 'Not now', headers: { 'Retry-After': '1' } })
    const retryPolicy = { schedule: [1, 1] }
    const { status, data } = await dispatch(client, { ...payloadOf(url), wait: true, retryPolicy })
    expect([status, data]).toMatchObject([
      200,
      { success: false, status: 'failed', statusCode: 503, responseBody: 'Not now', error: 'http_status' },
    ])
    expect(await deliveryOf(client, data.deliveryId)).toMatchObject({ nextRetryAt: null, retryCount: 0 })
    expect(receivers.received(url)).toHaveLength(1)
  })
})

describe('retries', () => {
  beforeEach(freshStore)
  const attempts = (rig: Rig, url: string) => rig.posts.filter((post) => post.url === url)

  test.each([
    ["seed 003's", { schedule: [120, 240, 480] }, [120, 240, 480]],
    ["the profile's", undefined, [120, 240, 480]],
    ['an exponential one', { maxRetries: 2, retryDelay: 5, backoffMultiplier: 2 }, [5, 10]],
  ])('follow %s policy without wait, with the same bytes', async (_, retryPolicy, delays) => {
    const rig = await createRig()
    const client = clientOf(rig)
    const target = { ...payloadOf('https://a.example.com/hooks'), profile: 'marko', retryPolicy }
    rig.receivers.set(target.url, () => new Response('no', { status: 500 }))
    const { data } = await dispatch(client, target)
    await deliver(rig)
    for (const [at, delay] of delays.entries()) {
      const { nextRetryAt } = await deliveryOf(client, data.deliveryId)
      expect(Date.parse(nextRetryAt ?? '') - rig.clock.nowMs).toBe(delay * 1000)
      expect(attempts(rig, target.url)).toHaveLength(at + 1)
      rig.clock.nowMs += delay * 1000
      await rig.sweep()
      await rig.drain()
    }
    expect(await deliveryOf(client, data.deliveryId)).toMatchObject({ status: 'failed', nextRetryAt: null })
    expect(new Set(attempts(rig, target.url).map(({ body }) => body)).size).toBe(1)
  })
})

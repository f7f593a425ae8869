import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { pauseSubscription } from '../../../src/subscription/switches/switches.sql.ts'
import { type Bulk, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'
import {
  answer,
  createRig,
  freshStore,
  START_MS,
  type SubscriptionInput,
} from '../../support/rig/builders.ts'
import {
  FAILED,
  idOf,
  openBreaker,
  PENDING,
  rowsTo,
  SKIPPED,
  SUCCESS,
} from '../../support/rig/receiver-state.ts'
import { clientOf, deliver } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

const DAY_MS = 86_400_000
const inSeconds = (seconds: number) => new Date(START_MS + seconds * 1000).toISOString()

/** A subscription and a client; `at` moves the clock and lets a sweep and the consumers do what is due. */
async function scene(input: SubscriptionInput = {}) {
  const rig = await createRig()
  const subscription = await rig.subscribe(input)
  const client = clientOf(rig)
  const publish = async (event: object) => {
    const accepted = await client.publish({ event: 'a', data: {}, ...event })
    await deliver(rig)
    return accepted
  }
  const at = async (seconds: number) => {
    rig.clock.nowMs = START_MS + seconds * 1000
    await rig.sweep()
    await rig.drain()
  }
  const ends = async () => (await rowsTo(rig, subscription)).map(({ state, error }) => [state, error])
  return { rig, subscription, client, publish, at, ends }
}

describe('deliverAt', () => {
  test('an event waits as a row that is due then, without a message in any queue', async () => {
    const { rig, subscription, publish } = await scene()
    await publish({ deliverAt: inSeconds(3600) })
    expect(await rowsTo(rig, subscription)).toMatchObject([
      { state: PENDING, due_at_ms: START_MS + 3_600_000, attempts: 0 },
    ])
    expect([rig.posts, rig.retries.bodies]).toEqual([[], []])
  })

  test('it is not delivered a moment before, and is delivered then', async () => {
    const { rig, publish, at } = await scene()
    await publish({ deliverAt: inSeconds(3600) })
    for (const seconds of [60, 1800, 3540, 3599.999]) await at(seconds)
    expect(rig.posts).toEqual([])
    await at(3600)
    expect(rig.posts).toHaveLength(1)
  })

  test('a sweep a minute before sends the wake-up that delivers it on time', async () => {
    const { rig, publish, at } = await scene()
    await publish({ deliverAt: inSeconds(3630) })
    await at(3600)
    expect(rig.posts).toEqual([])
    rig.clock.nowMs = START_MS + 3_630_000
    await rig.drain()
    expect(rig.posts).toHaveLength(1)
  })

  test('a time that has passed means now', async () => {
    const { rig, publish } = await scene()
    await publish({ deliverAt: inSeconds(-3600) })
    expect(rig.posts).toHaveLength(1)
  })

  test('thirty days are taken', async () => {
    const { rig, publish, at } = await scene()
    await publish({ deliverAt: inSeconds(30 * 86_400) })
    await at(30 * 86_400)
    expect(rig.posts).toHaveLength(1)
  })

  test.each([inSeconds(30 * 86_400 + 1), 'tomorrow', '2026-11-02T13:00:00', 1_793_620_800_000])(
    '400: %s',
    async (deliverAt) => {
      const { client } = await scene()
      const refused = await client.post('/events', { event: 'a', data: {}, deliverAt })
      expectInvalid(refused, 'deliverAt', /must be an ISO 8601 date and time/)
    },
  )

  test('in bulk each event has its own, and one that is too late sinks no other', async () => {
    const { rig, client, at } = await scene()
    const events = [60, 120, 40 * 86_400, -5].map((seconds) => ({
      ...{ event: 'a', data: { seconds }, deliverAt: inSeconds(seconds) },
    }))
    const { data } = await client.post<Bulk>('/events', { events })
    expect(data.events.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'rejected', 'accepted'])
    expect(data.events[2]).toMatchObject({ error: { details: [{ path: 'events[2].deliverAt' }] } })
    await deliver(rig)
    const counts = [rig.posts.length]
    for (const seconds of [60, 120]) {
      await at(seconds)
      counts.push(rig.posts.length)
    }
    expect(counts).toEqual([1, 2, 3])
  })

  test('is part of what an idempotency key stands for', async () => {
    const { client } = await scene()
    const event = { event: 'a', id: 'own', data: {}, deliverAt: inSeconds(60) }
    expect((await client.publish(event)).status).toBe('accepted')
    expect((await client.publish(event)).status).toBe('duplicate')
    expectRefusal(await client.post('/events', { ...event, deliverAt: inSeconds(61) }), 409, 'conflict')
  })

  test('a pause outlasts it, and what came due meanwhile is delivered on resuming', async () => {
    const { rig, subscription, client, publish, at } = await scene()
    await publish({ deliverAt: inSeconds(60) })
    await pauseSubscription(env.DB, subscription, START_MS)
    await publish({ deliverAt: inSeconds(120) })
    await at(90)
    expect(rig.posts).toEqual([])
    await client.post(`/webhooks/${subscription.id}/resume`)
    await deliver(rig)
    expect(rig.posts).toHaveLength(1)
    await at(120)
    expect(rig.posts).toHaveLength(2)
  })

  test('an open breaker does not bring it forward', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig)
    rig.receivers.set(subscription.settings.url, answer(200))
    await clientOf(rig).publish({ event: 'a', data: {}, deliverAt: inSeconds(3600) })
    await deliver(rig)
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(10)
    rig.clock.nowMs = START_MS + 3_600_000
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(11)
  })

  test('hints that were lost bring it forward by nothing', async () => {
    const { rig, client, at } = await scene()
    await client.publish({ event: 'a', data: {}, deliverAt: inSeconds(3600) })
    rig.fast.lose()
    for (const seconds of [600, 1200, 3599]) await at(seconds)
    expect(rig.posts).toEqual([])
    await at(3600)
    expect(rig.posts).toHaveLength(1)
  })

  test('a retry that a person asks for does not wait for it', async () => {
    const { rig, subscription, client, publish } = await scene()
    await publish({ deliverAt: inSeconds(3600) })
    const [row] = await rowsTo(rig, subscription)
    expect((await client.post(`/deliveries/${idOf(row!)}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(rig.posts).toHaveLength(1)
  })
})

describe('expiresAfterSeconds', () => {
  /** An event that is published while its subscription is paused, which is resumed after some seconds. */
  async function resumedAfter(seconds: number, input: SubscriptionInput, event: object) {
    const one = await scene(input)
    await pauseSubscription(env.DB, one.subscription, START_MS)
    await one.publish(event)
    one.rig.clock.nowMs = START_MS + seconds * 1000
    await one.client.post(`/webhooks/${one.subscription.id}/resume`)
    await deliver(one.rig)
    return one
  }

  test.each([
    ['the subscription', { expiresAfterSeconds: 60 }, {}],
    ['the event', {}, { expiresAfterSeconds: 60 }],
    ['the shorter one, of the event', { expiresAfterSeconds: 600 }, { expiresAfterSeconds: 60 }],
    ['the shorter one, of the subscription', { expiresAfterSeconds: 60 }, { expiresAfterSeconds: 600 }],
  ])('of %s: delivered at its last moment, skipped after', async (_, input, event) => {
    const { ends } = await resumedAfter(60, input, event)
    expect(await ends()).toEqual([[SUCCESS, null]])
    await freshStore()
    const { ends: late, rig } = await resumedAfter(60.001, input, event)
    expect([await late(), rig.posts]).toEqual([[[SKIPPED, 'expired']], []])
  })

  test('a retry that is due after it is not made', async () => {
    const { rig, subscription, publish, at, ends } = await scene({ retryPolicy: { schedule: [30, 60] } })
    rig.receivers.set(subscription.settings.url, answer(500))
    await publish({ expiresAfterSeconds: 60 })
    await at(30)
    expect(rig.posts).toHaveLength(2)
    await at(90)
    expect([rig.posts.length, await ends()]).toEqual([2, [[SKIPPED, 'expired']]])
  })

  test('counts from deliverAt where there is one', async () => {
    const { publish, at, ends } = await scene()
    await publish({ deliverAt: inSeconds(3600), expiresAfterSeconds: 60 })
    await at(3660)
    expect(await ends()).toEqual([[SUCCESS, null]])
  })

  test('the log says that it expired', async () => {
    const { client, subscription } = await resumedAfter(61, { expiresAfterSeconds: 60 }, {})
    const { data } = await client.get<unknown[]>(`/webhooks/${subscription.id}/logs`)
    expect(data).toMatchObject([{ status: 'skipped', reason: 'expired' }])
  })

  test('a retry that a person asks for is made all the same', async () => {
    const { rig, client, subscription } = await resumedAfter(61, { expiresAfterSeconds: 60 }, {})
    const [row] = await rowsTo(rig, subscription)
    expect((await client.post(`/deliveries/${idOf(row!)}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(rig.posts).toHaveLength(1)
  })

  test('what never expires does not', async () => {
    const { ends } = await resumedAfter((20 * DAY_MS) / 1000, {}, {})
    expect(await ends()).toEqual([[SUCCESS, null]])
  })

  test('a delivery that failed before is not made to look expired', async () => {
    const { rig, subscription, publish, at, ends } = await scene({ retryPolicy: { schedule: [] } })
    rig.receivers.set(subscription.settings.url, answer(500))
    await publish({ expiresAfterSeconds: 60 })
    await at(120)
    expect(await ends()).toEqual([[FAILED, 'http_status']])
  })

  test.each([0, -1, 1.5, 30 * 86_400 + 1, '60', null])('400: %j', async (expiresAfterSeconds) => {
    const { client, subscription } = await scene()
    const message = /must be 1-2592000 whole seconds/
    const refused = await client.post('/events', { event: 'a', data: {}, expiresAfterSeconds })
    expectInvalid(refused, 'expiresAfterSeconds', message)
    if (expiresAfterSeconds === null) return
    const json = { expiresAfterSeconds }
    expectInvalid(
      await client.call('PATCH', `/webhooks/${subscription.id}`, { json }),
      'expiresAfterSeconds',
      message,
    )
  })

  test('is part of what an idempotency key stands for, and can be given in bulk', async () => {
    const { client } = await scene()
    const events = [60, 60, 61].map((expiresAfterSeconds) => ({
      ...{ event: 'a', id: 'own', data: {}, expiresAfterSeconds },
    }))
    const { data } = await client.post<Bulk>('/events', { events })
    expect(data.events.map(({ status }) => status)).toEqual(['accepted', 'duplicate', 'rejected'])
  })
})

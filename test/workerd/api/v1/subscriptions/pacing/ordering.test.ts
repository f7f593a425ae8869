import { beforeEach, describe, expect, test } from 'vitest'
import type {
  Client,
  DeliveryAnswer,
  SubscriptionAnswer,
} from '../../../../../support/process/http-client.ts'
import {
  createRig,
  freshStore,
  type Rig,
  type SubscriptionInput,
} from '../../../../../support/rig/builders.ts'
import { clientOf } from '../../../../../support/rig/rig-client.ts'
import { eventsFor, watchArrivals } from '../../../../deliver/paced/ordered/arrivals.ts'

beforeEach(freshStore)

const BLOCKS = { ordered: true, retryPolicy: { schedule: [10] } }

/** An ordered subscription whose receiver refuses the first event until it is mended, with all its retries used up. */
async function exhausted(settings: SubscriptionInput = BLOCKS) {
  const rig = await createRig()
  const subscription = await rig.subscribe(settings)
  const receiver = { isMended: false }
  const arrivals = watchArrivals(rig, subscription, ({ id }) =>
    id === 'e-0' && !receiver.isMended ? 500 : 200,
  )
  await rig.publish(...eventsFor('k', 3, 'e'))
  await rig.drain()
  rig.clock.nowMs += 10_000
  await rig.drain()
  const client = clientOf(rig)
  return { rig, client, subscription, arrivals, receiver, log: () => logOf(client, subscription.id) }
}

/** A subscription's log, oldest event first. */
async function logOf(client: Client, id: string): Promise<DeliveryAnswer[]> {
  return (await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs?limit=100`)).data.reverse()
}

/** Delivers what somebody was asked to look at, and no more: no sweep comes to help. */
async function deliver(rig: Rig): Promise<void> {
  // What an answer does not wait for is done within this turn.
  await new Promise((resolve) => setTimeout(resolve, 0))
  await rig.drain()
}

const statuses = (rows: DeliveryAnswer[]) => rows.map(({ status, blocked }) => [status, blocked])

describe('a delivery that has used up its retries and blocks those behind it', () => {
  test('is shown as failed, blocked, and with no retry ahead; those behind it as pending', async () => {
    const { client, arrivals, log } = await exhausted()
    const rows = await log()
    expect(rows).toMatchObject([
      {
        eventId: 'e-0',
        status: 'failed',
        blocked: true,
        nextRetryAt: null,
        retryCount: 1,
        responseCode: 500,
      },
      { eventId: 'e-1', status: 'pending', blocked: false, nextRetryAt: null },
      { eventId: 'e-2', status: 'pending', blocked: false, nextRetryAt: null },
    ])
    expect((await client.get(`/deliveries/${rows[0]?.id}`)).data).toMatchObject({
      blocked: true,
      nextRetryAt: null,
    })
    expect(arrivals.firsts()).toEqual(['e-0'])
  })

  test('before that it is not: its retry is scheduled', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe(BLOCKS)
    watchArrivals(rig, subscription, () => 500)
    await rig.publish(...eventsFor('k', 1, 'e'))
    await rig.drain()
    expect(await logOf(clientOf(rig), subscription.id)).toMatchObject([
      { status: 'failed', blocked: false, nextRetryAt: new Date(rig.clock.nowMs + 10_000).toISOString() },
    ])
  })

  test('stays so over sweeps and new events', async () => {
    const { rig, arrivals } = await exhausted()
    await rig.publish(...eventsFor('k', 1, 'new'))
    rig.clock.nowMs += 86_400_000
    await rig.sweep()
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0'])
  })

  test('retried by a person with success it lets the others follow, in order', async () => {
    const { rig, client, arrivals, receiver, log } = await exhausted()
    receiver.isMended = true
    const [head] = await log()
    expect((await client.post(`/deliveries/${head?.id}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(arrivals.successes()).toEqual(['e-0', 'e-1', 'e-2'])
    expect(statuses(await log())).toEqual(new Array(3).fill(['success', false]))
  })

  test('retried by a person in vain it blocks on', async () => {
    const { rig, client, arrivals, log } = await exhausted()
    const [head] = await log()
    expect((await client.post(`/deliveries/${head?.id}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(arrivals.all.map(({ id }) => id)).toEqual(['e-0', 'e-0', 'e-0'])
    expect(await log()).toMatchObject([
      { status: 'failed', blocked: true, retryCount: 2 },
      { status: 'pending' },
      { status: 'pending' },
    ])
  })

  test('cancelled it lets the others follow', async () => {
    const { rig, client, arrivals, log } = await exhausted()
    expect((await client.post('/events/e-0/cancel')).status).toBe(200)
    await rig.sweep()
    await deliver(rig)
    expect(arrivals.firsts()).toEqual(['e-0', 'e-1', 'e-2'])
    expect(statuses(await log())).toEqual([
      ['skipped', false],
      ['success', false],
      ['success', false],
    ])
  })

  test.each([
    ['onExhausted is changed to "skip"', { onExhausted: 'skip' }],
    ['the order is switched off', { ordered: false }],
  ])('when %s it has failed for good, and the others follow', async (_, json) => {
    const { rig, client, subscription, arrivals, log } = await exhausted()
    expect((await client.call('PATCH', `/webhooks/${subscription.id}`, { json })).status).toBe(200)
    await deliver(rig)
    expect(arrivals.successes().sort()).toEqual(['e-1', 'e-2'])
    expect(await log()).toMatchObject([
      { status: 'failed', blocked: false, nextRetryAt: null },
      { status: 'success' },
      { status: 'success' },
    ])
    const { data } = await client.get<SubscriptionAnswer>(`/webhooks/${subscription.id}`)
    expect(data['statistics']).toMatchObject({ totalDelivered: 2, totalFailed: 1 })
  })

  test('a change that keeps "block" releases nothing', async () => {
    const { rig, client, subscription, arrivals, log } = await exhausted()
    const json = { description: 'x', orderingKey: null, rateLimit: { requests: 100, perSeconds: 1 } }
    expect((await client.call('PATCH', `/webhooks/${subscription.id}`, { json })).status).toBe(200)
    await deliver(rig)
    expect(arrivals.firsts()).toEqual(['e-0'])
    expect((await log())[0]).toMatchObject({ blocked: true })
  })
})

describe('with onExhausted "skip"', () => {
  test('one that has used up its retries has failed for good, and the others follow in order', async () => {
    const { arrivals, log } = await exhausted({ ...BLOCKS, onExhausted: 'skip' })
    expect(arrivals.all.map(({ id }) => id)).toEqual(['e-0', 'e-0', 'e-1', 'e-2'])
    expect(statuses(await log())).toEqual([
      ['failed', false],
      ['success', false],
      ['success', false],
    ])
  })
})

describe('with an ordering key', () => {
  test('a blocked key holds its own events only', async () => {
    const { rig, arrivals } = await exhausted({ ...BLOCKS, orderingKey: 'data.object.customerId' })
    await rig.publish(...eventsFor('other', 3), ...eventsFor('k', 1, 'late'))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'other-0', 'other-1', 'other-2'])
  })
})

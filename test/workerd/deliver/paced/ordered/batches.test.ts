import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import type { DeliveryAnswer } from '../../../../support/process/http-client.ts'
import {
  createRig,
  createWorld,
  freshStore,
  type Rig,
  type SubscriptionInput,
} from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { BY_CUSTOMER, countStates, eventsFor, idsOf, type Verdict, watchArrivals } from './arrivals.ts'

beforeEach(freshStore)

/** Batches of ten that wait for no more than half a minute. */
const TEN = {
  batchSettings: { enabled: true, maxEvents: 10, maxWaitTime: 30, maxBytes: 1_000_000, flushOnEvent: [] },
}
const POLICY = { retryPolicy: { schedule: [10] } }

async function batched(settings: SubscriptionInput, verdict: Verdict = () => 200) {
  const world = createWorld()
  const one = await createRig({ world, workspace: 'ws' })
  const other = await createRig({ world, workspace: 'ws' })
  const subscription = await one.subscribe({ ...TEN, ...POLICY, ...settings })
  const arrivals = watchArrivals(one, subscription, verdict)
  return { one, other, subscription, arrivals, sizes: () => sizesOf(one, subscription) }
}

/** How many events each request carried. */
function sizesOf(rig: Rig, subscription: Subscription): number[] {
  return rig
    .postsTo(subscription)
    .map(({ body }) => (JSON.parse(body) as { events: unknown[] }).events.length)
}

/** What waits is flushed by its wait, whatever it takes in rounds. */
async function flushAll(rig: Rig, subscription: Subscription, rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    rig.clock.nowMs += 30_000
    rig.ring(subscription)
    await rig.drain()
    await rig.sweep()
    await rig.drain()
  }
}

describe('ordered batches', () => {
  test('go one after the other, in accepted order, with two consumers at once', async () => {
    const { one, other, subscription, arrivals, sizes } = await batched({ ordered: true })
    const events = eventsFor(undefined, 205, 'e')
    await one.publish(...events.slice(0, 90))
    one.paced.double()
    await Promise.all([one.drain(), other.drain(), other.publish(...events.slice(90))])
    await Promise.all([one.drain(), other.drain()])
    await flushAll(one, subscription)
    expect(arrivals.all.map(({ id }) => id)).toEqual(idsOf(events))
    expect(arrivals.atOnceMax()).toBe(1)
    expect(sizes()).toEqual([...new Array(20).fill(10), 5])
    expect(await countStates(one)).toEqual([0, 205, 0, 0])
  })

  test('one that fails is repeated before any that is behind it', async () => {
    let failures = 1
    const { one, subscription, arrivals } = await batched({ ordered: true }, ({ id }) =>
      id === 'e-13' && failures-- > 0 ? 500 : 200,
    )
    const events = eventsFor(undefined, 40, 'e')
    await one.publish(...events)
    await one.drain()
    expect(arrivals.firsts()).toEqual(idsOf(events.slice(0, 20)))
    one.clock.nowMs += 10_000
    await one.drain()
    await flushAll(one, subscription, 1)
    expect(arrivals.successes()).toEqual(idsOf(events))
    expect(arrivals.all.slice(20, 30).map(({ id }) => id)).toEqual(idsOf(events.slice(10, 20)))
  })

  test('one of several keys that fails is split by key, and what fails then holds its own key only', async () => {
    const { one, subscription, arrivals, sizes } = await batched(BY_CUSTOMER, ({ key, n }) =>
      key === 'bad' && n < 3 ? 500 : 200,
    )
    const mixed = Array.from({ length: 5 }, (_, n) => [
      ...eventsFor('bad', 1, 'bad', n),
      ...eventsFor('good', 1, 'good', n),
    ]).flat()
    await one.publish(...mixed)
    await one.drain()
    expect(sizes()).toEqual([10])
    one.clock.nowMs += 10_000
    await one.drain()
    expect(sizes().slice(1).sort()).toEqual([5, 5])
    expect(arrivals.successes()).toEqual(idsOf(eventsFor('good', 5)))
    await one.publish(...eventsFor('good', 10, 'more'), ...eventsFor('bad', 1, 'bad', 5))
    await one.drain()
    await flushAll(one, subscription)
    expect(arrivals.successes('good').slice(5)).toEqual(idsOf(eventsFor('good', 10, 'more')))
    expect(await countStates(one)).toEqual([1, 15, 5, 0])
    const [row] = (
      await clientOf(one).get<DeliveryAnswer[]>(`/webhooks/${subscription.id}/logs?status=failed`)
    ).data
    expect(row).toMatchObject({ blocked: true, nextRetryAt: null })
  })

  test('those of different keys follow each other in accepted order within each key', async () => {
    const { one, other, subscription, arrivals } = await batched(BY_CUSTOMER)
    const keys = ['a', 'b', 'c']
    const events = Array.from({ length: 60 }, (_, n) =>
      eventsFor(keys[n % 3], 1, `${keys[n % 3]}`, Math.floor(n / 3)),
    ).flat()
    for (let at = 0; at < 60; at += 12) await one.publish(...events.slice(at, at + 12))
    await Promise.all([one.drain(), other.drain()])
    await flushAll(one, subscription)
    for (const key of keys)
      expect(arrivals.all.filter((a) => a.key === key).map(({ id }) => id)).toEqual(idsOf(eventsFor(key, 20)))
    expect(arrivals.overlapping).toEqual([])
  })

  test('one that has used up its retries blocks until a person has seen to each of its events', async () => {
    let isDown = true
    const { one, subscription, arrivals } = await batched({ ordered: true }, () => (isDown ? 500 : 200))
    await one.publish(...eventsFor(undefined, 10, 'e'))
    await one.drain()
    one.clock.nowMs += 10_000
    await one.drain()
    await one.publish(...eventsFor(undefined, 10, 'f'))
    await one.drain()
    await flushAll(one, subscription, 1)
    expect(arrivals.firsts()).toHaveLength(10)
    isDown = false
    const client = clientOf(one)
    const rows = (
      await client.get<DeliveryAnswer[]>(`/webhooks/${subscription.id}/logs?status=failed`)
    ).data.reverse()
    expect(rows.map(({ blocked }) => blocked)).toEqual(new Array(10).fill(true))
    for (const { id, eventId } of rows.slice(0, 9)) {
      if (eventId === 'e-4') expect((await client.post('/events/e-4/cancel')).status).toBe(200)
      else expect((await client.post(`/deliveries/${id}/retry`)).status).toBe(202)
    }
    await vi.waitUntil(() => one.retries.visible > 0)
    await one.drain()
    expect(arrivals.firsts()).toHaveLength(10)
    expect((await client.post(`/deliveries/${rows[9]?.id}/retry`)).status).toBe(202)
    await vi.waitUntil(() => one.retries.visible > 0)
    await one.drain()
    await flushAll(one, subscription, 1)
    expect(arrivals.successes().slice(-10)).toEqual(idsOf(eventsFor(undefined, 10, 'f')))
    expect(await countStates(one)).toEqual([0, 19, 0, 1])
  })

  test.each([
    ['with "skip" one that has used up its retries lets the next follow', { onExhausted: 'skip' }, null],
    ['once "skip" is set', {}, { onExhausted: 'skip' }],
    ['once the order is switched off', {}, { ordered: false }],
    ['once batching is switched off and "skip" set', {}, { onExhausted: 'skip', batchSettings: null }],
  ] as const)('%s, everything behind an exhausted batch is delivered', async (_, settings, json) => {
    const { one, subscription, arrivals } = await batched({ ordered: true, ...settings }, ({ id }) =>
      id.startsWith('e') ? 500 : 200,
    )
    await one.publish(...eventsFor(undefined, 10, 'e'), ...eventsFor(undefined, 10, 'f'))
    await one.drain()
    one.clock.nowMs += 10_000
    await one.drain()
    if (json !== null) {
      expect(arrivals.firsts()).toHaveLength(10)
      const answer = await clientOf(one).call('PATCH', `/webhooks/${subscription.id}`, { json })
      expect(answer.status).toBe(200)
    }
    await flushAll(one, subscription, 2)
    expect(arrivals.successes()).toEqual(idsOf(eventsFor(undefined, 10, 'f')))
    expect(await countStates(one)).toEqual([0, 10, 10, 0])
  })
})

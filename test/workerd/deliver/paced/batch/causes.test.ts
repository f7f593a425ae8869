import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  askAndServe,
  batchesTo,
  batching,
  batchRows,
  drainAfter,
  event,
  events,
  expectBatches,
  ids,
  ringAfter,
} from '../../../../support/rig/batching.ts'
import { createRig, freshStore, type Rig, type SubscriptionInput } from '../../../../support/rig/builders.ts'
import { PENDING, rowsTo } from '../../../../support/rig/receiver-state.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

type Scene = { rig: Rig; subscription: Subscription }
type Change = readonly [method: string, path: string, json?: object]

const SECOND = 1000

/** A change of the subscription, or a call about it, by the API. */
const call =
  (...[method, path, json]: Change) =>
  ({ rig, subscription: { id } }: Scene) =>
    askAndServe(rig, method, `/webhooks/${id}${path}`, json)

const publish =
  (...types: string[]) =>
  async ({ rig }: Scene) => {
    await rig.publish(...types.map((type, n) => event(`f${n}`, type)))
    await rig.drain()
  }

/** What lets three events that wait leave; `also` are the ids that leave with them, after them. */
const CAUSES: {
  name: string
  cause: string
  settings: SubscriptionInput
  act: (scene: Scene) => Promise<unknown>
  also?: string[]
}[] = [
  {
    name: 'its count is reached',
    cause: 'count',
    settings: { batchSettings: batching({ maxEvents: 4 }) },
    act: publish('invoice.created'),
    also: ['f0'],
  },
  {
    name: 'its first event has waited long enough',
    cause: 'wait',
    settings: { batchSettings: batching({ maxWaitTime: 30 }) },
    act: ({ rig, subscription }) => ringAfter(rig, subscription, 30 * SECOND),
  },
  {
    name: 'a flush event is published that is subscribed: it is in the batch, last',
    cause: 'event',
    settings: { events: ['invoice.*'], batchSettings: batching({ flushOnEvent: ['invoice.paid'] }) },
    act: publish('invoice.paid'),
    also: ['f0'],
  },
  {
    name: 'a flush event is published that is not subscribed: it is not delivered',
    cause: 'event',
    settings: { events: ['invoice.created'], batchSettings: batching({ flushOnEvent: ['invoice.paid'] }) },
    act: publish('invoice.paid'),
  },
  {
    name: 'a flush event is published that its filters refuse: it is not delivered',
    cause: 'event',
    settings: {
      events: ['invoice.*'],
      conditions: [{ field: 'data.id', operator: 'startsWith', value: 'e' }],
      batchSettings: batching({ flushOnEvent: ['invoice.paid'] }),
    },
    act: publish('invoice.paid'),
  },
  {
    name: 'an event fits one of its flush patterns',
    cause: 'event',
    settings: { events: ['invoice.created'], batchSettings: batching({ flushOnEvent: ['a.b', 'day.*'] }) },
    act: publish('day.closing.done'),
  },
  {
    name: 'somebody asks for it',
    cause: 'request',
    settings: { batchSettings: batching() },
    act: call('POST', '/flush'),
  },
  {
    name: 'batching is switched off',
    cause: 'change',
    settings: { batchSettings: batching() },
    act: call('PATCH', '', { batchSettings: { enabled: false } }),
  },
  {
    name: 'batching is dropped',
    cause: 'change',
    settings: { batchSettings: batching() },
    act: call('PUT', '', { batchSettings: null }),
  },
  {
    name: 'its events change',
    cause: 'change',
    settings: { batchSettings: batching() },
    act: call('PATCH', '', { events: ['other.*'] }),
  },
  {
    name: 'its limits change',
    cause: 'change',
    settings: { batchSettings: batching() },
    act: call('PATCH', '', { batchSettings: { maxEvents: 900 } }),
  },
  {
    name: 'its description changes',
    cause: 'change',
    settings: { batchSettings: batching() },
    act: call('PATCH', '', { description: 'still here' }),
  },
]

describe('what waits leaves in one batch, in accepted order, when', () => {
  test.each(CAUSES)('$name', async ({ cause, settings, act, also = [] }) => {
    const rig = await createRig()
    const subscription = await rig.subscribe(settings)
    await rig.publish(...events(3))
    await rig.drain()
    expect(rig.posts).toEqual([])
    await act({ rig, subscription })
    await expectBatches(rig, subscription, [[cause, [...ids(3), ...also]]])
    expect((await rowsTo(rig, subscription)).filter(({ state }) => state === PENDING)).toEqual([])
  })

  test('its URL changes: it goes to the new one', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching() })
    await rig.publish(...events(3))
    await rig.drain()
    const url = 'https://moved.example.com/'
    await askAndServe(rig, 'PATCH', `/webhooks/${subscription.id}`, { url })
    expect(rig.postsTo(subscription)).toEqual([])
    const moved = { ...subscription, settings: { ...subscription.settings, url } }
    await expectBatches(rig, moved, [['change', ids(3)]])
  })

  test('its subscription is resumed after its wait, with what was accepted meanwhile', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxWaitTime: 30 }) })
    const path = `/webhooks/${subscription.id}`
    await rig.publish(...events(2))
    await rig.drain()
    await clientOf(rig).post(`${path}/pause`)
    await rig.publish(...events(1, 2))
    await ringAfter(rig, subscription, 40 * SECOND)
    expect(rig.posts).toEqual([])
    await askAndServe(rig, 'POST', `${path}/resume`)
    await expectBatches(rig, subscription, [['wait', ids(3)]])
  })

  test('seed 002’s own example is flushed by an event that it does not subscribe to', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      url: 'https://your-app.com/webhooks/batch',
      events: ['invoice.created', 'payment.received'],
      batchSettings: batching({ maxEvents: 100, maxWaitTime: 30, flushOnEvent: ['invoice.paid'] }),
    })
    await rig.publish(event('evt_001', 'invoice.created'), event('evt_002', 'payment.received'))
    await rig.drain()
    expect(rig.posts).toEqual([])
    await rig.publish(event('evt_003', 'invoice.paid'))
    await rig.drain()
    await expectBatches(rig, subscription, [['event', ['evt_001', 'evt_002']]])
    expect(await rig.deliveries()).toHaveLength(2)
  })
})

describe('a batch does not leave', () => {
  test('a millisecond before its first event has waited long enough, whenever the others came', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxWaitTime: 30 }) })
    await rig.publish(...events(1))
    await drainAfter(rig, 20 * SECOND)
    await rig.publish(...events(1, 1))
    await ringAfter(rig, subscription, 10 * SECOND - 1)
    expect(rig.posts).toEqual([])
    await ringAfter(rig, subscription, 1)
    await expectBatches(rig, subscription, [['wait', ids(2)]])
  })

  test('by an event that only resembles its flush events', async () => {
    const rig = await createRig()
    await rig.subscribe({
      events: ['a'],
      batchSettings: batching({ flushOnEvent: ['invoice.paid', 'day.*'] }),
    })
    await rig.publish(event('x', 'a'))
    await publish('invoice.paid.late', 'invoice', 'day', 'days.closed')({ rig } as Scene)
    expect(rig.posts).toEqual([])
  })

  test('by the flush event of another workspace with a subscription of the same settings', async () => {
    const one = await createRig()
    const other = await createRig({ world: one.world })
    const settings = { events: ['a'], batchSettings: batching({ flushOnEvent: ['go'] }) }
    const ours = await one.subscribe(settings)
    const theirs = await other.subscribe(settings)
    for (const rig of [one, other]) await rig.publish(event('same', 'a'), event('ids', 'a'))
    await one.drain()
    await one.publish(event('flush', 'go'))
    await one.drain()
    await expectBatches(one, ours, [['event', ['same', 'ids']]])
    expect(other.postsTo(theirs)).toEqual([])
    await other.publish(event('flush', 'go'))
    await other.drain()
    await expectBatches(other, theirs, [['event', ['same', 'ids']]])
    expect(batchesTo(one, ours)).toHaveLength(1)
  })
})

describe('a flush takes everything accepted before it, in accepted order, up to the limits', () => {
  const settings = { events: ['a'], batchSettings: batching({ maxEvents: 100, flushOnEvent: ['go'] }) }
  const many = (count: number, from = 0) => events(count, from).map((one) => ({ ...one, type: 'a' }))

  test('250 events in batches of at most 100', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe(settings)
    await rig.publish(...many(50))
    await rig.publish(...many(200, 50))
    await rig.publish({ type: 'go' })
    await rig.drain()
    // They are sent side by side.
    const sent = batchesTo(rig, subscription).sort(([one = ''], [other = '']) => one.localeCompare(other))
    expect(sent).toEqual([ids(100), ids(100, 100), ids(50, 200)])
    expect((await batchRows(subscription)).map(({ members }) => members.length)).toEqual([100, 100, 50])
  })

  test('also what the same publish brings before the flush event, and not what it brings behind', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe(settings)
    await rig.publish(...many(1))
    await rig.publish(...many(1, 1), { type: 'go' }, ...many(1, 2))
    await rig.drain()
    await expectBatches(rig, subscription, [['event', ids(2)]])
    await ringAfter(rig, subscription, 300 * SECOND)
    await expectBatches(rig, subscription, [
      ['event', ids(2)],
      ['wait', ids(1, 2)],
    ])
  })

  test('what is accepted after it waits for its own', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe(settings)
    await rig.publish(...many(2))
    await rig.publish({ type: 'go' })
    await rig.publish(...many(2, 2))
    await rig.drain()
    await expectBatches(rig, subscription, [['event', ids(2)]])
    await rig.publish({ type: 'go' })
    await rig.drain()
    await expectBatches(rig, subscription, [
      ['event', ids(2)],
      ['event', ids(2, 2)],
    ])
  })

  test('a flush event that is a duplicate flushes nothing', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe(settings)
    await rig.publish({ id: 'go-1', type: 'go' })
    await rig.publish(...many(2))
    await rig.publish({ id: 'go-1', type: 'go' })
    await rig.drain()
    expect(rig.postsTo(subscription)).toEqual([])
  })
})

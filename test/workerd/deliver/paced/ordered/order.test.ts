import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createRig, createWorld, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { countStates, eventsFor, idsOf, watchArrivals } from './arrivals.ts'

beforeEach(freshStore)

/** Two isolates of one relay, over the same queues. */
async function twoIsolates(): Promise<[Rig, Rig]> {
  const world = createWorld()
  const workspace = 'ws'
  return [await createRig({ world, workspace }), await createRig({ world, workspace })]
}

describe('without an ordering key', () => {
  test('events published singly and in bulk arrive one at a time, in accepted order, with two consumers at once', async () => {
    const [one, other] = await twoIsolates()
    const subscription = await one.subscribe({ ordered: true })
    const arrivals = watchArrivals(one, subscription)
    const events = eventsFor(undefined, 240, 'e')
    await one.publish(...events.slice(0, 100))
    for (const event of events.slice(100, 120)) await one.publish(event)
    one.paced.double()
    await Promise.all([one.drain(), other.drain(), one.publish(...events.slice(120))])
    await Promise.all([one.drain(), other.drain()])
    expect(arrivals.all.map(({ id }) => id)).toEqual(idsOf(events))
    expect(arrivals.atOnceMax()).toBe(1)
    expect(await countStates(one)).toEqual([0, 240, 0, 0])
  })

  test('hints that are lost, doubled or late change nothing', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true })
    const arrivals = watchArrivals(rig, subscription)
    const events = eventsFor(undefined, 12, 'e')
    await rig.publish(...events.slice(0, 4))
    rig.paced.lose()
    await rig.publish(...events.slice(4, 8))
    const late = rig.paced.bodies
    rig.paced.double()
    await rig.drain()
    await rig.publish(...events.slice(8))
    rig.paced.lose()
    await rig.sweep()
    for (const hint of late) rig.paced.put(hint)
    await rig.drain()
    expect(arrivals.all.map(({ id }) => id)).toEqual(idsOf(events))
    expect(await countStates(rig)).toEqual([0, 12, 0, 0])
  })

  test('a scheduled event holds nobody before its time, and then waits for those in front of it', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [100, 100] } })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'e-1' && n < 3 ? 500 : 200))
    const client = clientOf(rig)
    const deliverAt = new Date(rig.clock.nowMs + 60_000).toISOString()
    await client.publish({ id: 'later', event: 'a', data: {}, deliverAt })
    await rig.publish(...eventsFor(undefined, 3, 'e'))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'e-1'])
    rig.clock.nowMs += 61_000
    await rig.sweep()
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'e-1', 'later'])
    rig.clock.nowMs += 40_000
    await rig.sweep()
    await rig.drain()
    expect(arrivals.all.map(({ id }) => id)).toEqual(['e-0', 'e-1', 'later', 'e-1'])
    rig.clock.nowMs += 101_000
    await rig.sweep()
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'e-1', 'later', 'e-2'])
  })

  test.each([
    ['cancelled', 'POST', '/events/e-0/cancel'],
    ['erased', 'DELETE', '/events/e-0'],
  ])('once a blocked event is %s those behind it go at once', async (_, method, path) => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [] } })
    const arrivals = watchArrivals(rig, subscription, ({ id }) => (id === 'e-0' ? 500 : 200))
    await rig.publish(...eventsFor(undefined, 3, 'e'))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0'])
    expect((await clientOf(rig).call(method, path)).status).toBe(200)
    await vi.waitUntil(() => rig.paced.visible > 0)
    await rig.drain()
    expect(arrivals.successes()).toEqual(['e-1', 'e-2'])
    expect(await countStates(rig)).toEqual([0, 2, 0, 1])
  })

  test('a failing head is retried on schedule, and until then nothing passes it', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [10, 20] } })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'e-2' && n < 3 ? 500 : 200))
    await rig.publish(...eventsFor(undefined, 5, 'e'))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'e-1', 'e-2'])
    rig.clock.nowMs += 9_999
    await rig.publish(...eventsFor(undefined, 1, 'f'))
    await rig.sweep()
    await rig.drain()
    expect(arrivals.all).toHaveLength(3)
    rig.clock.nowMs += 1
    await rig.drain()
    expect(arrivals.all.map(({ id }) => id)).toEqual(['e-0', 'e-1', 'e-2', 'e-2'])
    rig.clock.nowMs += 20_000
    await rig.drain()
    expect(arrivals.all.slice(4).map(({ id }) => id)).toEqual(['e-2', 'e-3', 'e-4', 'f-0'])
    expect(await countStates(rig)).toEqual([0, 6, 0, 0])
  })

  test('the head of a backlog that fails twice holds whatever follows in other claims', async () => {
    const [one, other] = await twoIsolates()
    const subscription = await one.subscribe({ ordered: true, retryPolicy: { schedule: [10, 20] } })
    const arrivals = watchArrivals(one, subscription, ({ id, n }) => (id === 'e-100' && n < 2 ? 500 : 200))
    const events = eventsFor(undefined, 250, 'e')
    await one.publish(...events)
    await Promise.all([one.drain(), other.drain()])
    expect(arrivals.firsts()).toEqual(idsOf(events.slice(0, 101)))
    one.clock.nowMs += 10_000
    await Promise.all([one.drain(), other.drain()])
    expect(arrivals.firsts()).toEqual(idsOf(events))
    expect(arrivals.atOnceMax()).toBe(1)
  })

  test('a receiver that was down gets everything in order once it is back', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [10, 20, 30] } })
    let isUp = false
    const arrivals = watchArrivals(rig, subscription, () => (isUp ? 200 : 503))
    const events = eventsFor(undefined, 6, 'e')
    await rig.publish(...events)
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0'])
    isUp = true
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(arrivals.successes()).toEqual(idsOf(events))
  })

  test('while it is paused nothing goes, and after it everything in order', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true })
    const arrivals = watchArrivals(rig, subscription)
    await rig.relay.env.DB.prepare('UPDATE subscription SET paused_at_ms = 1 WHERE no = ?1')
      .bind(subscription.no)
      .run()
    await rig.publish(...eventsFor(undefined, 3, 'e'))
    await rig.drain()
    expect(arrivals.all).toEqual([])
    await rig.relay.env.DB.prepare('UPDATE subscription SET paused_at_ms = NULL WHERE no = ?1')
      .bind(subscription.no)
      .run()
    await rig.publish(...eventsFor(undefined, 1, 'f'))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'e-1', 'e-2', 'f-0'])
  })
})

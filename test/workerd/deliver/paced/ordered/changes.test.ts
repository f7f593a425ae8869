import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import { createRig, createWorld, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { BY_CUSTOMER, countStates, eventsFor, idsOf, watchArrivals } from './arrivals.ts'

beforeEach(freshStore)

async function change(rig: Rig, { id }: Subscription, json: object): Promise<void> {
  expect((await clientOf(rig).call('PATCH', `/webhooks/${id}`, { json })).status).toBe(200)
}

const levelOf = async ({ no }: Subscription) =>
  await env.DB.prepare('SELECT pacing_level FROM subscription WHERE no = ?1')
    .bind(no)
    .first<number>('pacing_level')

describe('settings of an ordered subscription that change under a backlog', () => {
  test('switched off: everything is delivered, and nothing is held back any more', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [10] } })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'e-0' && n === 1 ? 500 : 200))
    await rig.publish(...eventsFor(undefined, 5, 'e'))
    await rig.drain()
    await change(rig, subscription, { ordered: false })
    await rig.publish(...eventsFor(undefined, 2, 'after'))
    await rig.drain()
    expect(arrivals.successes().sort()).toEqual(['after-0', 'after-1', 'e-1', 'e-2', 'e-3', 'e-4'])
    rig.clock.nowMs += 10_000
    await rig.drain()
    await rig.sweep()
    await rig.drain()
    expect(await countStates(rig)).toEqual([0, 7, 0, 0])
    expect(await levelOf(subscription)).toBe(0)
  })

  test('switched on: what rested before goes first where it was accepted first, and nothing is lost', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ retryPolicy: { schedule: [10] } })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) =>
      id === 'before-0' && n === 1 ? 500 : 200,
    )
    await rig.publish(...eventsFor(undefined, 3, 'before'))
    await rig.drain()
    await change(rig, subscription, { ordered: true })
    await rig.publish(...eventsFor(undefined, 3, 'e'))
    await rig.drain()
    expect(arrivals.firsts()).toHaveLength(3)
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(arrivals.successes()).toEqual([
      'before-1',
      'before-2',
      'before-0',
      ...idsOf(eventsFor(undefined, 3, 'e')),
    ])
  })

  test('switched on with plain deliveries whose hint is still under way: these come in order too', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe()
    const arrivals = watchArrivals(rig, subscription)
    await rig.publish(...eventsFor(undefined, 20, 'before'))
    await change(rig, subscription, { ordered: true })
    await rig.publish(...eventsFor(undefined, 5, 'e'))
    for (const queue of [rig.fast, rig.unproven]) while (queue.visible > 0) await rig.consume(queue)
    await rig.drain()
    expect(arrivals.firsts()).toEqual([
      ...idsOf(eventsFor(undefined, 20, 'before')),
      ...idsOf(eventsFor(undefined, 5, 'e')),
    ])
    expect(arrivals.overlapping).toEqual([])
  })

  test('switched on while a plain delivery is under way: it is made once, and the rest in order', async () => {
    const world = createWorld()
    const one = await createRig({ world, workspace: 'ws' })
    const other = await createRig({ world, workspace: 'ws' })
    const subscription = await one.subscribe()
    const answered = Promise.withResolvers<number>()
    const asked = Promise.withResolvers<void>()
    const arrivals = watchArrivals(one, subscription, ({ id }) => {
      if (id !== 'before-0') return 200
      asked.resolve()
      return answered.promise
    })
    await one.publish(...eventsFor(undefined, 1, 'before'))
    const working = one.drain()
    await asked.promise
    await change(other, subscription, { ordered: true })
    await other.publish(...eventsFor(undefined, 3, 'e'))
    answered.resolve(200)
    await Promise.all([working, other.drain()])
    expect(arrivals.firsts()).toEqual(['before-0', 'e-0', 'e-1', 'e-2'])
    expect(arrivals.all).toHaveLength(4)
    expect(await countStates(one)).toEqual([0, 4, 0, 0])
  })

  test('another ordering key: those that rest keep the order of the one before, and nothing is lost', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, retryPolicy: { schedule: [10] } })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'a-0' && n === 1 ? 500 : 200))
    await rig.publish(...eventsFor('a', 3), ...eventsFor('b', 3))
    await rig.drain()
    await change(rig, subscription, { orderingKey: 'event' })
    await rig.publish(...eventsFor('a', 2, 'after'))
    await rig.drain()
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(arrivals.firsts('a').filter((id) => id.startsWith('a-'))).toEqual(['a-0', 'a-1', 'a-2'])
    expect(await countStates(rig)).toEqual([0, 8, 0, 0])
  })

  test('no ordering key any more: one order over all, over what waits as well', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, retryPolicy: { schedule: [10] } })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'a-0' && n === 1 ? 500 : 200))
    await rig.publish(...eventsFor('a', 2))
    await rig.drain()
    await change(rig, subscription, { orderingKey: null })
    await rig.publish(...eventsFor('b', 2))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['a-0'])
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(arrivals.successes()).toEqual(['a-0', 'a-1', 'b-0', 'b-1'])
  })

  test('deleted: what waits behind a failing head ends as such', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [10] } })
    watchArrivals(rig, subscription, () => 500)
    await rig.publish(...eventsFor(undefined, 4, 'e'))
    await rig.drain()
    expect((await clientOf(rig).call('DELETE', `/webhooks/${subscription.id}`)).status).toBe(200)
    rig.clock.nowMs += 10_000
    await rig.drain()
    await rig.sweep()
    await rig.drain()
    expect(await countStates(rig)).toEqual([0, 0, 0, 4])
  })

  test('disabled and enabled: what waits behind the head is skipped, what comes later is ordered', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [10] } })
    const arrivals = watchArrivals(rig, subscription, ({ n }) => (n === 1 ? 500 : 200))
    await rig.publish(...eventsFor(undefined, 3, 'e'))
    await rig.drain()
    await change(rig, subscription, { active: false })
    rig.clock.nowMs += 10_000
    await rig.drain()
    await rig.sweep()
    await rig.drain()
    expect(await countStates(rig)).toEqual([0, 0, 0, 3])
    await change(rig, subscription, { active: true })
    await rig.publish(...eventsFor(undefined, 2, 'f'))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(['e-0', 'f-0'])
  })
})

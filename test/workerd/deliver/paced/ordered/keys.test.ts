import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createRig, createWorld, freshStore } from '../../../../support/rig/builders.ts'
import { BY_CUSTOMER, countStates, eventsFor, idsOf, watchArrivals } from './arrivals.ts'

beforeEach(freshStore)

const POLICY = { retryPolicy: { schedule: [10, 20] } }

/** Events of several keys, one of each in turn. */
function interleaved(keys: readonly unknown[], each: number) {
  return Array.from({ length: each }, (_, n) =>
    keys.flatMap((key) => eventsFor(key, 1, String(key), n)),
  ).flat()
}

describe('with an ordering key', () => {
  test('the events of each key arrive one at a time, in accepted order; those of several side by side', async () => {
    const world = createWorld()
    const one = await createRig({ world, workspace: 'ws' })
    const other = await createRig({ world, workspace: 'ws' })
    const subscription = await one.subscribe(BY_CUSTOMER)
    const arrivals = watchArrivals(one, subscription)
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const events = interleaved(keys, 40)
    await one.publish(...events.slice(0, 150))
    one.paced.double()
    await Promise.all([one.drain(), other.drain(), other.publish(...events.slice(150))])
    await Promise.all([one.drain(), other.drain()])
    expect(arrivals.all).toHaveLength(280)
    for (const key of keys) expect(arrivals.firsts(key)).toEqual(idsOf(eventsFor(key, 40)))
    expect(arrivals.overlapping).toEqual([])
    expect(arrivals.atOnceMax()).toBeGreaterThan(1)
    expect(await countStates(one)).toEqual([0, 280, 0, 0])
  })

  test('a key that fails holds its own events only, and goes on in order when it is back', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, ...POLICY })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'bad-1' && n < 3 ? 500 : 200))
    await rig.publish(...interleaved(['good', 'bad', 'other'], 5))
    await rig.drain()
    expect(arrivals.firsts('good')).toEqual(idsOf(eventsFor('good', 5)))
    expect(arrivals.firsts('other')).toEqual(idsOf(eventsFor('other', 5)))
    expect(arrivals.firsts('bad')).toEqual(['bad-0', 'bad-1'])
    rig.clock.nowMs += 10_000
    await rig.publish(...eventsFor('good', 1, 'late'))
    await rig.drain()
    expect(arrivals.firsts('bad')).toEqual(['bad-0', 'bad-1'])
    expect(arrivals.firsts('good')).toContain('late-0')
    rig.clock.nowMs += 20_000
    await rig.drain()
    expect(arrivals.successes('bad')).toEqual(idsOf(eventsFor('bad', 5)))
  })

  test('a key whose receiver hangs holds up none of the others, however many there are', async () => {
    const world = createWorld()
    const one = await createRig({ world, workspace: 'ws' })
    const other = await createRig({ world, workspace: 'ws' })
    const subscription = await one.subscribe(BY_CUSTOMER)
    const hanging = Promise.withResolvers<number>()
    const arrivals = watchArrivals(one, subscription, ({ id }) => (id === 'stuck-0' ? hanging.promise : 200))
    const keys = ['a', 'b', 'c', 'd']
    await one.publish(...interleaved(['stuck', ...keys], 60))
    const working = one.drain()
    // More than one claim takes, and some that come while those of their key are in the first consumer's hands.
    await other.publish(...keys.flatMap((key) => eventsFor(key, 5, key, 60)))
    await other.drain()
    await vi.waitUntil(() => arrivals.successes().length === 260, { timeout: 20_000 })
    expect(arrivals.firsts('stuck')).toEqual(['stuck-0'])
    hanging.resolve(200)
    await working
    expect(arrivals.firsts('stuck')).toEqual(idsOf(eventsFor('stuck', 60)))
    for (const key of keys) expect(arrivals.firsts(key)).toEqual(idsOf(eventsFor(key, 65)))
    expect(arrivals.overlapping).toEqual([])
  })

  test('thousands of events behind a stuck one are passed by all others within one round', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, ...POLICY })
    const arrivals = watchArrivals(rig, subscription, ({ key }) => (key === 'stuck' ? 500 : 200))
    await rig.publish(...eventsFor('stuck', 1))
    await rig.drain()
    for (let from = 1; from < 3_001; from += 1_000)
      await rig.publish(...eventsFor('stuck', 1_000, 'stuck', from))
    await rig.publish(...eventsFor('free', 150))
    await rig.drain()
    expect(arrivals.firsts('free')).toEqual(idsOf(eventsFor('free', 150)))
    expect(arrivals.firsts('stuck')).toEqual(['stuck-0'])
  })

  test('thousands of events in front, of which the first is stuck, are no harm to a thousand other keys', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, ...POLICY })
    const arrivals = watchArrivals(rig, subscription, ({ key }) => (key === 'stuck' ? 500 : 200))
    await rig.publish(...eventsFor('stuck', 1_000))
    await rig.publish(...Array.from({ length: 300 }, (_, n) => eventsFor(`k${n}`, 2)).flat())
    await rig.drain()
    expect(arrivals.successes()).toHaveLength(600)
    expect(arrivals.firsts('stuck')).toEqual(['stuck-0'])
  })

  test('events without the value share one order', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, ...POLICY })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'x' && n === 1 ? 500 : 200))
    await rig.publish({ id: 'x' }, { id: 'y', data: { object: {} } }, { id: 'z', data: { object: 7 } })
    await rig.publish(...eventsFor('named', 1))
    await rig.drain()
    expect(arrivals.firsts()).toEqual(expect.arrayContaining(['x', 'named-0']))
    expect(arrivals.all).toHaveLength(2)
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(arrivals.successes(undefined)).toEqual(['named-0', 'x', 'y', 'z'])
  })

  test('a number and the text that looks like it are different keys', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ...BY_CUSTOMER, ...POLICY })
    const arrivals = watchArrivals(rig, subscription, ({ key }) => (key === 1 ? 500 : 200))
    await rig.publish(...eventsFor(1, 2, 'number'), ...eventsFor('1', 2, 'text'))
    await rig.drain()
    expect(arrivals.successes()).toEqual(['text-0', 'text-1'])
    expect(arrivals.firsts(1)).toEqual(['number-0'])
  })
})

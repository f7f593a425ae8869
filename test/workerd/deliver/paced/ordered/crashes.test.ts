import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { CRASHES_MAX } from '../../../../../src/model/delivery.ts'
import { createRig, createWorld, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { watchD1 } from '../../../../support/rig/d1-watch.ts'
import { type Arrivals, BY_CUSTOMER, countStates, eventsFor, idsOf, watchArrivals } from './arrivals.ts'

beforeEach(freshStore)

const AFTER_LEASE_MS = 91_000

/** A relay whose consumer dies while it waits for the answer to one event, which comes never. */
async function dyingAt(id: string, settings: object) {
  const world = createWorld()
  const rig = await createRig({ world, workspace: 'ws' })
  const subscription = await rig.subscribe(settings)
  let died = Promise.withResolvers<void>()
  let isDeadly = true
  const arrivals = watchArrivals(rig, subscription, async (sent) => {
    if (!isDeadly || sent.id !== id) return 200
    died.resolve()
    return await new Promise<number>(() => undefined)
  })
  /** A consumer on an isolate of its own that, while it waits for that answer, comes to nothing more. */
  const die = async () => {
    died = Promise.withResolvers<void>()
    let isDead = false
    const db = watchD1(env.DB, async (_, run) => (isDead ? await new Promise(() => undefined) : await run()))
    const doomed = await createRig({ world, workspace: 'ws', db })
    void doomed.drain()
    await died.promise
    isDead = true
  }
  /** The claim expires, and the sweep finds its consumer dead. */
  const reap = async () => {
    world.clock.nowMs += AFTER_LEASE_MS
    await rig.sweep()
  }
  const heal = () => {
    isDeadly = false
  }
  return { rig, subscription, arrivals, die, reap, heal }
}

/** Ids of one key in the order of their first arrival, and that no other event of the key came in between. */
function expectOrder(arrivals: Arrivals, ids: string[], key?: unknown) {
  expect(arrivals.firsts(key)).toEqual(ids)
}

async function settledUntil(rig: Rig, delivered: number) {
  for (let rounds = 0; (await countStates(rig))[1] !== delivered; rounds++) {
    expect(rounds).toBeLessThan(20)
    rig.clock.nowMs += 1_000
    await rig.sweep()
    await rig.drain()
  }
}

describe('when a consumer dies with an ordered delivery in its hands', () => {
  test('nothing passes it while its claim may be alive, and everything follows it in order afterwards', async () => {
    const { rig, arrivals, die, reap, heal } = await dyingAt('e-3', { ordered: true })
    const events = eventsFor(undefined, 8, 'e')
    await rig.publish(...events)
    await die()
    rig.clock.nowMs += 80_000
    await rig.sweep()
    await rig.drain()
    expectOrder(arrivals, idsOf(events.slice(0, 4)))
    heal()
    await reap()
    await rig.drain()
    await settledUntil(rig, 8)
    expectOrder(arrivals, idsOf(events))
    expect(arrivals.successes()).toEqual(idsOf(events))
  })

  test('its key waits and the others go on', async () => {
    const { rig, arrivals, die, reap, heal } = await dyingAt('a-1', BY_CUSTOMER)
    await rig.publish(...eventsFor('a', 4), ...eventsFor('b', 4))
    await die()
    await rig.publish(...eventsFor('c', 3), ...eventsFor('a', 1, 'later'))
    await rig.drain()
    expectOrder(arrivals, idsOf(eventsFor('c', 3)), 'c')
    expectOrder(arrivals, ['a-0', 'a-1'], 'a')
    heal()
    await reap()
    await rig.drain()
    await settledUntil(rig, 12)
    expectOrder(arrivals, [...idsOf(eventsFor('a', 4)), 'later-0'], 'a')
    expectOrder(arrivals, idsOf(eventsFor('b', 4)), 'b')
  })

  test('it is tried again before those behind it, alone, until it has failed for good', async () => {
    const { rig, arrivals, die, reap } = await dyingAt('e-1', { ordered: true })
    await rig.publish(...eventsFor(undefined, 4, 'e'))
    for (let crashes = 1; crashes <= CRASHES_MAX; crashes++) {
      await die()
      await reap()
    }
    await rig.drain()
    await settledUntil(rig, 3)
    expectOrder(arrivals, ['e-0', 'e-1', 'e-2', 'e-3'])
    expect((await rig.deliveries())[1]).toMatchObject({ state: 2, error: 'internal', due_at_ms: null })
  })

  test('a consumer that comes back after its claim was reaped sends nothing more of it, and its success is too late', async () => {
    const world = createWorld()
    const rig = await createRig({ world, workspace: 'ws' })
    const doomed = await createRig({ world, workspace: 'ws' })
    const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [600] } })
    const late = Promise.withResolvers<number>()
    const asked = Promise.withResolvers<void>()
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => {
      if (id !== 'e-0') return 200
      asked.resolve()
      return n === 1 ? late.promise : 500
    })
    await rig.publish(...eventsFor(undefined, 3, 'e'))
    const working = doomed.drain()
    await asked.promise
    rig.clock.nowMs += AFTER_LEASE_MS
    await rig.sweep()
    await rig.drain()
    late.resolve(200)
    await working
    await rig.sweep()
    await rig.drain()
    expectOrder(arrivals, ['e-0'])
    expect((await rig.deliveries()).map(({ state }) => state)).toEqual([2, 0, 0])
    rig.clock.nowMs += 600_000
    await rig.drain()
    expectOrder(arrivals, ['e-0'])
    expect(arrivals.all).toHaveLength(2)
  })
})

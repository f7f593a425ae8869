import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ReplayScope } from '../../../src/replay/replay.ts'
import { hintReplay } from '../../../src/replay/start.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import {
  createRig,
  type EventInput,
  freshStore,
  type Rig,
  type SubscriptionInput,
} from '../../support/rig/builders.ts'
import { newestSeqs, replayAll, selection, start } from '../../support/rig/replays.ts'
import { idsOf, watchArrivals } from '../deliver/paced/ordered/arrivals.ts'

let rig: Rig
beforeEach(async () => {
  await freshStore()
  rig = await createRig()
})

const BY_KEY: SubscriptionInput = {
  ordered: true,
  orderingKey: 'data.key',
  retryPolicy: { schedule: [10, 20, 30, 40] },
}
const backfill = selection({ statuses: [], backfill: true })

/** An event whose key is the first letter of its id. */
function keyed(id: string, more: object = {}): EventInput {
  return { id, type: 'invoice.created', data: { id, key: id.charAt(0), ...more } }
}

/** What a subscription's deliveries are ordered by, in accepted order. */
async function orderKeys({ no }: Subscription): Promise<(string | null)[]> {
  const { results } = await env.DB.prepare(
    'SELECT order_key FROM delivery WHERE subscription_no = ?1 ORDER BY seq',
  )
    .bind(no)
    .all<{ order_key: string | null }>()
  return results.map(({ order_key: key }) => key)
}

/** Makes a replay's first steps, and serves nobody yet. */
async function begin(scope: ReplayScope, subscription: Subscription): Promise<void> {
  const replay = await start(rig, scope, subscription)
  await hintReplay(rig.relay.hints, rig.relay.log, replay.no)
  await rig.consume(rig.retries)
}

async function goOn(): Promise<void> {
  for (let rounds = 0; rounds < 4; rounds++) {
    rig.clock.nowMs += 20_000
    await rig.sweep()
    await rig.drain()
  }
}

async function setActive({ no }: Subscription, active: boolean): Promise<void> {
  await env.DB.batch([
    env.DB.prepare('UPDATE subscription SET active = ?2 WHERE no = ?1').bind(no, active ? 1 : 0),
    env.DB.prepare('UPDATE workspace SET config_version = config_version + 1'),
  ])
}

describe('events that are filled in from before an ordered subscription', () => {
  test('are not passed by later ones of their key, and hold no other key up', async () => {
    await rig.subscribe()
    await rig.publish(keyed('x1'), keyed('x2'), keyed('y1'))
    await rig.drain()
    const subscription = await rig.subscribe(BY_KEY)
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'x1' && n < 2 ? 500 : 200))
    await begin(backfill, subscription)
    await rig.publish(keyed('x3'), keyed('y2'))
    await rig.drain()
    expect(arrivals.successes()).toEqual(['y1', 'y2'])
    await goOn()
    expect(arrivals.successes()).toEqual(['y1', 'y2', 'x1', 'x2', 'x3'])
  })

  test('have the keys with which they would have been published', async () => {
    const events = [
      keyed('x1'),
      { ...keyed('none'), data: {} },
      keyed('y1', { key: { b: 1, a: [2] } }),
      keyed('large', { text: 'x'.repeat(70_000) }),
    ]
    await rig.publish(...events)
    const late = await rig.subscribe(BY_KEY)
    const early = await rig.subscribe(BY_KEY)
    await replayAll(rig, backfill, late)
    expect(await orderKeys(late)).toEqual(['"x"', '', '{"a":[2],"b":1}', '"l"'])
    await rig.publish(...events.map((event) => ({ ...event, id: `${event.id}-again` })))
    const published = (await orderKeys(early)).slice(-events.length)
    expect((await orderKeys(late)).slice(0, events.length)).toEqual(published)
  })

  test('are told apart by filters and ordered by their content at once', async () => {
    await rig.publish(keyed('x1', { total: 5 }), keyed('y1', { total: 500 }), keyed('x2', { total: 500 }))
    const subscription = await rig.subscribe({ ...BY_KEY, filters: ['data.total > 100'] as never })
    expect(await replayAll(rig, backfill, subscription)).toMatchObject({ replayed: 2 })
    expect(await orderKeys(subscription)).toEqual(['"y"', '"x"'])
  })

  test('have none where their text is gone from R2', async () => {
    await rig.publish(keyed('x1', { text: 'x'.repeat(70_000) }), keyed('y1'))
    const { objects } = await env.BODIES.list()
    await env.BODIES.delete(objects.map(({ key }) => key))
    const subscription = await rig.subscribe(BY_KEY)
    expect(await replayAll(rig, backfill, subscription)).toMatchObject({ replayed: 2 })
    expect(await orderKeys(subscription)).toEqual([null, '"y"'])
  })

  test('arrive in accepted order where all share one', async () => {
    const events = ['a', 'b', 'c', 'd'].map((id) => keyed(id))
    await rig.publish(...events.slice(0, 3))
    await rig.drain()
    const subscription = await rig.subscribe({ ...BY_KEY, orderingKey: null })
    const arrivals = watchArrivals(rig, subscription, ({ id, n }) => (id === 'b' && n < 2 ? 500 : 200))
    await begin(backfill, subscription)
    await rig.publish(...events.slice(3))
    await rig.drain()
    await goOn()
    expect(arrivals.successes()).toEqual(idsOf(events))
  })
})

describe('events that went by while an ordered subscription was disabled have their keys when they are replayed', () => {
  async function passedBy(settings: SubscriptionInput = BY_KEY): Promise<Subscription> {
    const subscription = await rig.subscribe(settings)
    await setActive(subscription, false)
    await rig.publish(keyed('x1'), keyed('y1'))
    await setActive(subscription, true)
    return subscription
  }

  test('as skipped ones', async () => {
    const subscription = await passedBy()
    expect(await replayAll(rig, selection({ statuses: ['skipped'] }), subscription)).toMatchObject({
      replayed: 2,
    })
    expect(await orderKeys(subscription)).toEqual(['"x"', '"y"'])
  })

  test('one by one, to whom they were owed', async () => {
    const byKey = await passedBy()
    const byId = await rig.subscribe({ ...BY_KEY, orderingKey: 'data.id' })
    const other = await rig.subscribe({ orderingKey: 'data.id' })
    for (const each of [byKey, byId, other]) await setActive(each, false)
    await rig.publish(keyed('x2'))
    for (const each of [byKey, byId, other]) await setActive(each, true)
    const [seq = 0] = await newestSeqs(rig, 1)
    await replayAll(rig, { kind: 'event', seq, eventId: 'x2', webhooks: null })
    expect(await orderKeys(byKey)).toEqual(['"x"'])
    expect(await orderKeys(byId)).toEqual(['"x2"'])
    expect(await orderKeys(other)).toEqual([null])
  })
})

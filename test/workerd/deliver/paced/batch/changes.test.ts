import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  ask,
  askAndServe,
  batching,
  batchOf,
  batchRows,
  event,
  events,
  expectBatches,
  ids,
  idsIn,
  logOf,
  ringAfter,
} from '../../../../support/rig/batching.ts'
import { createRig, freshStore, type SubscriptionInput } from '../../../../support/rig/builders.ts'
import { rowsTo, SUCCESS } from '../../../../support/rig/receiver-state.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const MINUTE = 60_000
const WAIT_MS = 300_000

/** A subscription in the middle of a batch: `count` events rest. */
async function midBuffer(count: number, settings: SubscriptionInput = {}) {
  const rig = await createRig()
  const subscription = await rig.subscribe({ batchSettings: batching(), ...settings })
  await rig.publish(...events(count))
  await rig.drain()
  expect(rig.posts).toEqual([])
  const path = `/webhooks/${subscription.id}`
  const change = (json: object) => askAndServe(rig, 'PATCH', path, json)
  return { rig, subscription, path, change, client: clientOf(rig) }
}

async function levelOf({ no }: Subscription): Promise<number | undefined> {
  const row = await env.DB.prepare('SELECT pacing_level FROM subscription WHERE no = ?1')
    .bind(no)
    .first<number>('pacing_level')
  return row ?? undefined
}

describe('settings that change while events rest', () => {
  test('a lower count cuts what waits by it', async () => {
    const { rig, subscription, change } = await midBuffer(5)
    await change({ batchSettings: { maxEvents: 2 } })
    const bound = await batchRows(subscription)
    expect(bound.map(({ members, cause }) => [members.length, cause])).toEqual([
      [2, 'change'],
      [2, 'change'],
      [1, 'change'],
    ])
    expect(rig.posts.flatMap(idsIn).toSorted()).toEqual(ids(5))
  })

  test('a higher count counts from then on', async () => {
    const { rig, subscription, change } = await midBuffer(3, { batchSettings: batching({ maxEvents: 4 }) })
    await change({ batchSettings: { maxEvents: 6 } })
    await rig.publish(...events(5, 3))
    await rig.drain()
    await expectBatches(rig, subscription, [['change', ids(3)]])
    await rig.publish(event('e8'))
    await rig.drain()
    await expectBatches(rig, subscription, [
      ['change', ids(3)],
      ['count', ids(6, 3)],
    ])
  })

  test.each([
    ['shorter', 5],
    ['longer', 60],
  ])('a %s wait counts from then on', async (_, seconds) => {
    const { rig, subscription, change } = await midBuffer(1, {
      batchSettings: batching({ maxWaitTime: 30 }),
    })
    await change({ batchSettings: { maxWaitTime: seconds } })
    await rig.publish(...events(2, 1))
    await ringAfter(rig, subscription, seconds * 1000 - 1)
    await expectBatches(rig, subscription, [['change', ids(1)]])
    await ringAfter(rig, subscription, 1)
    await expectBatches(rig, subscription, [
      ['change', ids(1)],
      ['wait', ids(2, 1)],
    ])
  })

  test('a transformation is applied when the batch leaves', async () => {
    const { rig, change } = await midBuffer(2)
    await change({ transform: { template: { shaped: '{{data.id}}' } } })
    expect(rig.posts.map((post) => batchOf(post).events)).toEqual([[{ shaped: 'e0' }, { shaped: 'e1' }]])
  })

  test('filters are applied when an event joins: what has joined stays', async () => {
    const { rig, subscription, change } = await midBuffer(2)
    await change({ conditions: [{ field: 'data.id', operator: 'eq', value: 'e3' }] })
    await rig.publish(...events(2, 2))
    await ringAfter(rig, subscription, WAIT_MS)
    await expectBatches(rig, subscription, [
      ['change', ids(2)],
      ['wait', ids(1, 3)],
    ])
  })

  test('types are matched when an event joins: what has joined stays', async () => {
    const { rig, subscription, change } = await midBuffer(2)
    await change({ events: ['other'] })
    await rig.publish(event('e2'), event('e3', 'other'))
    await ringAfter(rig, subscription, WAIT_MS)
    await expectBatches(rig, subscription, [
      ['change', ids(2)],
      ['wait', ids(1, 3)],
    ])
  })

  test('a change whose hint is lost is found by the sweep, and two changes are as good as one', async () => {
    const { rig, subscription, path } = await midBuffer(2)
    await ask(rig, 'PATCH', path, { description: 'one' })
    await ask(rig, 'PATCH', path, { description: 'two' })
    rig.paced.lose()
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
    await expectBatches(rig, subscription, [['change', ids(2)]])
  })
})

describe('batching that is switched off', () => {
  test('lets what waits go in batches and what comes then alone, and leaves nothing of its machinery', async () => {
    const { rig, subscription, change } = await midBuffer(3)
    await change({ batchSettings: { enabled: false } })
    await expectBatches(rig, subscription, [['change', ids(3)]])
    expect(await levelOf(subscription)).toBe(0)
    await rig.publish(event('single'))
    await rig.drain()
    expect(rig.posts.at(-1)?.headers.get('webhook-id')).toBe('single')
    expect((await rowsTo(rig, subscription)).every(({ state }) => state === SUCCESS)).toBe(true)
  })

  test('and on again keeps its limits', async () => {
    const { rig, subscription, change } = await midBuffer(1, { batchSettings: batching({ maxEvents: 2 }) })
    await change({ batchSettings: { enabled: false } })
    await change({ batchSettings: { enabled: true } })
    await rig.publish(...events(1, 1))
    await rig.drain()
    await expectBatches(rig, subscription, [['change', ids(1)]])
    await rig.publish(...events(1, 2))
    await rig.drain()
    await expectBatches(rig, subscription, [
      ['change', ids(1)],
      ['count', ids(2, 1)],
    ])
  })

  test('and on again before anybody has looked lets what rested leave at once', async () => {
    const { rig, subscription, path } = await midBuffer(2)
    await ask(rig, 'PATCH', path, { batchSettings: { enabled: false } })
    await ask(rig, 'PATCH', path, { batchSettings: { enabled: true } })
    await rig.publish(...events(1, 2))
    await rig.drain()
    await expectBatches(rig, subscription, [['change', ids(2)]])
    await ringAfter(rig, subscription, WAIT_MS)
    await expectBatches(rig, subscription, [
      ['change', ids(2)],
      ['wait', ids(1, 2)],
    ])
  })

  test('while many rest: all of them leave, in batches of its size, although every hint is lost', async () => {
    const { rig, subscription, path } = await midBuffer(45)
    await ask(rig, 'PATCH', path, { batchSettings: { enabled: false, maxEvents: 4 } })
    rig.paced.lose()
    for (let rounds = 0; rounds < 2; rounds++) {
      rig.clock.nowMs += MINUTE
      await rig.sweep()
      await rig.drain()
    }
    const sizes = (await batchRows(subscription)).map(({ members }) => members.length)
    expect(sizes).toEqual([...Array(11).fill(4), 1])
    expect(rig.posts.flatMap(idsIn).toSorted()).toEqual(ids(45).toSorted())
    expect(await levelOf(subscription)).toBe(0)
  })

  test('for a rate limit: what waits leaves in batches, what comes then alone', async () => {
    const { rig, subscription, change } = await midBuffer(3)
    await change({ batchSettings: null, rateLimit: { requests: 100, perSeconds: 1 } })
    await expectBatches(rig, subscription, [['change', ids(3)]])
    await rig.publish(event('x'))
    await rig.drain()
    expect(rig.posts.at(-1)?.headers.get('webhook-id')).toBe('x')
  })

  test('while a batch is being retried: that batch is sent again as it was', async () => {
    const { rig, subscription, path, client } = await midBuffer(3)
    rig.receivers.set(subscription.settings.url, () => {
      return new Response('', { status: rig.posts.length === 1 ? 500 : 200 })
    })
    await askAndServe(rig, 'POST', `${path}/flush`)
    await client.call('PATCH', path, { json: { batchSettings: { enabled: false } } })
    await rig.drain()
    rig.clock.nowMs += 10_000
    await rig.drain()
    const [first, second] = rig.posts
    expect(second?.body).toBe(first?.body)
    expect(rig.posts).toHaveLength(2)
    expect((await rowsTo(rig, subscription)).map(({ state }) => state)).toEqual(Array(3).fill(SUCCESS))
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
    expect(await levelOf(subscription)).toBe(0)
  })
})

describe('a subscription that stops', () => {
  test('by being deleted sends nothing more, and its log says so', async () => {
    const { rig, subscription, client, path } = await midBuffer(3)
    await client.call('DELETE', path)
    await ringAfter(rig, subscription, WAIT_MS)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toEqual([])
    const log = await logOf(rig, subscription)
    expect(log.map(({ status, reason }) => [status, reason])).toEqual(Array(3).fill(['skipped', 'deleted']))
  })

  test('by being disabled skips what waits; enabled again, it batches what comes then', async () => {
    const { rig, subscription, client, path } = await midBuffer(2, {
      batchSettings: batching({ maxEvents: 3 }),
    })
    await client.post(`${path}/disable`)
    await ringAfter(rig, subscription, WAIT_MS)
    await rig.sweep()
    await rig.drain()
    expect((await logOf(rig, subscription)).map(({ reason }) => reason)).toEqual(['disabled', 'disabled'])
    await client.post(`${path}/enable`)
    await rig.publish(...events(3, 2))
    await rig.drain()
    await expectBatches(rig, subscription, [['count', ids(3, 2)]])
  })

  test('for so short a time that nobody noticed loses nothing', async () => {
    const { rig, subscription, client, path } = await midBuffer(2)
    await client.post(`${path}/disable`)
    await client.post(`${path}/enable`)
    await ringAfter(rig, subscription, WAIT_MS)
    expect(rig.posts.flatMap(idsIn)).toEqual(ids(2))
  })

  test('by being paused keeps gathering and makes no request, not even of a full batch', async () => {
    const { rig, subscription, client, path } = await midBuffer(2, {
      batchSettings: batching({ maxEvents: 4 }),
    })
    await client.post(`${path}/pause`)
    await rig.publish(...events(7, 2))
    await rig.drain()
    await ringAfter(rig, subscription, WAIT_MS)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toEqual([])
    expect(await batchRows(subscription)).toEqual([])
    await askAndServe(rig, 'POST', `${path}/resume`)
    expect(rig.posts.flatMap(idsIn).toSorted()).toEqual(ids(9).toSorted())
    expect((await batchRows(subscription)).map(({ members }) => members.length)).toEqual([4, 4, 1])
  })
})

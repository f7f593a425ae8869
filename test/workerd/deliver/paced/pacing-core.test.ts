import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../src/subscription/subscription.ts'
import { flushSubscription } from '../../../../src/subscription/switches/switches.sql.ts'
import { answer, createRig, freshStore, type Rig } from '../../../support/rig/builders.ts'

beforeEach(freshStore)

type Body = { batch?: boolean; batchId: string; id: string; events: { id: string }[] }

const bodiesTo = (rig: Rig, subscription: Subscription) =>
  rig.postsTo(subscription).map(({ body }) => JSON.parse(body) as Body)
/** The batches a receiver was sent, each as the ids of its events. */
const batchesTo = (rig: Rig, subscription: Subscription) =>
  bodiesTo(rig, subscription).map(({ events }) => events.map(({ id }) => id))
const idsTo = (rig: Rig, subscription: Subscription) => bodiesTo(rig, subscription).map(({ id }) => id)

const event = (id: string, type = 'invoice.paid', data: object = {}) => ({ id, type, data })
const batching = (given: object = {}) => ({
  enabled: true,
  maxEvents: 100,
  maxWaitTime: 30,
  maxBytes: 1_000_000,
  flushOnEvent: [],
  ...given,
})
const numbered = (count: number) => Array.from({ length: count }, (_, i) => event(`e${i}`))
const causes = async (rig: Rig) =>
  (
    await rig.relay.env.DB.prepare('SELECT cause FROM batch ORDER BY no').all<{ cause: string }>()
  ).results.map(({ cause }) => cause)

describe('a batch leaves', () => {
  test('at a flush event that is subscribed, which is its last', async () => {
    const rig = await createRig()
    const flushOnEvent = ['invoice.paid']
    const subscription = await rig.subscribe({ batchSettings: batching({ flushOnEvent }) })
    await rig.publish(
      event('a', 'invoice.created'),
      event('b', 'invoice.paid'),
      event('c', 'invoice.created'),
    )
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a', 'b']])
    expect(await causes(rig)).toEqual(['event'])
  })

  test('at a flush event that is not subscribed, without it', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      events: ['invoice.created'],
      batchSettings: batching({ flushOnEvent: ['invoice.paid'] }),
    })
    await rig.publish(event('a', 'invoice.created'))
    await rig.publish(event('b', 'invoice.paid'))
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a']])
  })

  test('when it is asked to, with all that was accepted before, up to the limits and in order', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching() })
    await rig.publish(...numbered(50))
    await flushSubscription(rig.relay.env.DB, subscription)
    await rig.publish(event('late'))
    rig.paced.lose()
    await rig.relay.hints.paced([{ no: subscription.no }])
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([numbered(50).map(({ id }) => id)])
    expect(await causes(rig)).toEqual(['request'])
  })

  test('at its bytes, with as many events as fit', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxBytes: 1_000 }) })
    await rig.publish(...numbered(12))
    await rig.drain()
    const sizes = rig.postsTo(subscription).map(({ body }) => body.length)
    expect(sizes.length).toBeGreaterThan(0)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000)
    expect(Math.min(...sizes)).toBeGreaterThan(700)
  })

  test('though every hint was lost: the sweeper finds what waits', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching() })
    await rig.publish(event('a'))
    rig.paced.lose()
    rig.clock.nowMs += 31_000
    await rig.sweep()
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a']])
  })

  test('once, though hints are doubled and come late', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3 }) })
    await rig.publish(event('a'), event('b'), event('c'))
    rig.paced.double()
    await rig.drain()
    await rig.relay.hints.paced([{ no: subscription.no, events: 3, bytes: 300, sinceMs: rig.clock.nowMs }])
    rig.clock.nowMs += 60_000
    rig.ring(subscription)
    await rig.sweep()
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a', 'b', 'c']])
  })
})

describe('a batch that fails', () => {
  test('is sent again as it was, under the same id', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 2 }) })
    rig.receivers.set(subscription.settings.url, answer(500))
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    expect(await rig.deliveries()).toMatchObject([
      { state: 2, attempts: 1, due_at_ms: rig.clock.nowMs + 10_000 },
      { state: 2, attempts: 1 },
    ])
    rig.receivers.delete(subscription.settings.url)
    await rig.publish(event('c'))
    rig.clock.nowMs += 10_000
    await rig.drain()
    const [first, second] = rig.postsTo(subscription)
    expect(second?.body).toBe(first?.body)
    expect(second?.headers.get('webhook-id')).toBe(first?.headers.get('webhook-id'))
    expect((await rig.deliveries()).map(({ state }) => state)).toEqual([1, 1, 0])
  })

  test('as too large, is halved until what fits has arrived', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      batchSettings: batching({ maxEvents: 4 }),
      retryPolicy: { schedule: [10] },
    })
    const accepts = ({ body }: { body: string }) =>
      new Response('', { status: (JSON.parse(body) as Body).events.some(({ id }) => id === 'c') ? 413 : 200 })
    rig.receivers.set(subscription.settings.url, accepts)
    await rig.publish(event('a'), event('b'), event('c'), event('d'))
    await rig.drain()
    for (let i = 0; i < 5; i++) {
      rig.clock.nowMs += 10_000
      await rig.sweep()
      await rig.drain()
    }
    expect(batchesTo(rig, subscription).slice(0, 5)).toEqual([
      ['a', 'b', 'c', 'd'],
      ['a', 'b'],
      ['c', 'd'],
      ['c'],
      ['d'],
    ])
    expect((await rig.deliveries()).map(({ state, due_at_ms }) => [state, due_at_ms])).toEqual([
      [1, null],
      [1, null],
      [2, null],
      [1, null],
    ])
  })
})

describe('in order', () => {
  test('deliveries arrive as they were accepted; a head that fails holds all behind it', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true })
    let failures = 2
    rig.receivers.set(
      subscription.settings.url,
      () => new Response('', { status: failures-- > 0 ? 500 : 200 }),
    )
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    await rig.publish(event('c'))
    await rig.drain()
    expect(idsTo(rig, subscription)).toEqual(['a'])
    rig.clock.nowMs += 10_000
    await rig.drain()
    rig.clock.nowMs += 20_000
    await rig.drain()
    expect(idsTo(rig, subscription)).toEqual(['a', 'a', 'a', 'b', 'c'])
  })

  test('one key that fails does not stop the others', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, orderingKey: 'data.key' })
    const fails = ({ body }: { body: string }) =>
      new Response('', { status: body.includes('"key":"x"') ? 500 : 200 })
    rig.receivers.set(subscription.settings.url, fails)
    const keyed = (id: string, key: string) => event(id, 'invoice.paid', { key })
    await rig.publish(keyed('x1', 'x'), keyed('y1', 'y'), keyed('x2', 'x'), keyed('y2', 'y'))
    await rig.drain()
    expect(idsTo(rig, subscription).sort()).toEqual(['x1', 'y1', 'y2'])
    rig.receivers.delete(subscription.settings.url)
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(idsTo(rig, subscription).slice(-2)).toEqual(['x1', 'x2'])
  })

  test.each([
    ['block', ['a', 'a']],
    ['skip', ['a', 'a', 'b']],
  ] as const)('what has used up its retries: %s', async (onExhausted, expected) => {
    const rig = await createRig()
    const retryPolicy = { schedule: [10] }
    const subscription = await rig.subscribe({ ordered: true, onExhausted, retryPolicy })
    const fails = ({ body }: { body: string }) =>
      new Response('', { status: (JSON.parse(body) as Body).id === 'a' ? 500 : 200 })
    rig.receivers.set(subscription.settings.url, fails)
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    rig.clock.nowMs += 10_000
    await rig.drain()
    rig.clock.nowMs += 1_000_000
    await rig.sweep()
    await rig.drain()
    expect(idsTo(rig, subscription)).toEqual(expected)
  })

  test('batches go one after the other', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ ordered: true, batchSettings: batching({ maxEvents: 2 }) })
    let failures = 1
    rig.receivers.set(
      subscription.settings.url,
      () => new Response('', { status: failures-- > 0 ? 500 : 200 }),
    )
    await rig.publish(...numbered(6))
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['e0', 'e1']])
    rig.clock.nowMs += 10_000
    await rig.drain()
    await rig.sweep()
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([
      ['e0', 'e1'],
      ['e0', 'e1'],
      ['e2', 'e3'],
      ['e4', 'e5'],
    ])
  })
})

describe('a limit', () => {
  test('of requests lets the rest lie in D1, with no hint on its way', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ rateLimit: { requests: 10, perSeconds: 100 } })
    await rig.publish(...numbered(5))
    await rig.drain()
    expect(idsTo(rig, subscription)).toEqual(['e0'])
    expect(rig.paced.bodies).toEqual([])
    for (let i = 1; i < 5; i++) {
      rig.clock.nowMs += 10_000
      rig.ring(subscription)
      await rig.drain()
    }
    expect(idsTo(rig, subscription)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4'])
  })

  test('of requests under way is kept, and all arrive', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ concurrency: 2 })
    let underWay = 0
    let most = 0
    rig.receivers.set(subscription.settings.url, async () => {
      most = Math.max(most, ++underWay)
      await Promise.resolve()
      underWay--
      return new Response('ok')
    })
    await rig.publish(...numbered(9))
    await rig.drain()
    expect(most).toBe(2)
    expect(idsTo(rig, subscription).sort()).toEqual(numbered(9).map(({ id }) => id))
  })
})

test('what waits when batching is switched off leaves in a batch; what follows goes alone, and nothing is paced any more', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ batchSettings: batching() })
  await rig.publish(event('a'), event('b'))
  await rig.drain()
  const { DB } = rig.relay.env
  const off = JSON.stringify({ ...subscription.settings, batchSettings: batching({ enabled: false }) })
  await flushSubscription(DB, subscription)
  await DB.batch([
    DB.prepare('UPDATE subscription SET config = ?1, pacing_level = 1').bind(off),
    DB.prepare('UPDATE workspace SET config_version = config_version + 1'),
  ])
  await rig.relay.hints.paced([{ no: subscription.no }])
  await rig.drain()
  await rig.publish(event('c'))
  await rig.drain()
  await rig.sweep()
  await rig.drain()
  const [first, second] = bodiesTo(rig, subscription)
  expect(first?.events.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(second?.id).toBe('c')
  expect(await DB.prepare('SELECT pacing_level FROM subscription').first('pacing_level')).toBe(0)
})

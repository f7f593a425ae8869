import { createMessageBatch } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { totalCounters } from '../../../src/history/statistics.sql.ts'
import { advanceWatermark } from '../../../src/operate/sweep.sql.ts'
import { handleQueue } from '../../../src/queue.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import { type Around, type D1Call, watchD1 } from '../../support/rig/d1-watch.ts'
import { HeldQueue } from '../../support/rig/held-queue.ts'

beforeEach(freshStore)

/** Consumes a batch and says how each message ended, by id. */
async function consumeBodies(rig: Rig, queue: string, bodies: unknown[]): Promise<Record<string, unknown>> {
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }))
  const batch = createMessageBatch(queue, messages)
  const ended = new HeldQueue(queue, rig.clock).watch(batch)
  await handleQueue({ ok: true, relay: rig.relay }, batch, () => undefined)
  return Object.fromEntries(ended)
}

function failing(matches: (call: D1Call) => boolean): D1Database {
  const around: Around = async (call, run) => {
    if (matches(call)) throw new Error('D1 failed')
    return await run()
  }
  return watchD1(env.DB, around)
}

const isClaim = ({ sql }: D1Call) =>
  sql.some((text) => text.startsWith('INSERT INTO claim (id, expires_at_ms, pairs, sub_min'))
const JUNK = ['text', 7, null, { v: 2, kind: 'events' }, { v: 1, kind: 'due' }]

test('every message of a mixed batch is acked once when its hint is done or is no hint', async () => {
  const rig = await createRig()
  await rig.subscribe()
  await rig.publish({}, {})
  const ended = await consumeBodies(rig, 'posthorn-deliveries', [...rig.fast.bodies, ...JUNK])
  expect(ended).toEqual({ m0: ['ack'], m1: ['ack'], m2: ['ack'], m3: ['ack'], m4: ['ack'], m5: ['ack'] })
})

test('when D1 fails, what is no hint is acked and every hint is put off', async () => {
  const rig = await createRig({ db: failing(isClaim) })
  await rig.subscribe()
  await rig.publish({})
  await rig.publish({})
  const ended = await consumeBodies(rig, 'posthorn-deliveries', [...rig.fast.bodies, ...JUNK])
  expect(ended).toEqual({ m0: [2], m1: [2], m2: ['ack'], m3: ['ack'], m4: ['ack'], m5: ['ack'], m6: ['ack'] })
})

test('when D1 fails midway, hints that were taken care of are acked and the others put off', async () => {
  let claims = 0
  const rig = await createRig({ db: failing((call) => isClaim(call) && ++claims === 2) })
  await rig.subscribe()
  for (let i = 0; i < 3; i++) await rig.publish(...Array.from({ length: 60 }, () => ({})))
  const ended = await consumeBodies(rig, 'posthorn-deliveries', rig.fast.bodies)
  expect(ended).toEqual({ m0: ['ack'], m1: [2], m2: [2] })
})

describe('of a fan-out to an unproven receiver', () => {
  const events = (count: number) => Array.from({ length: count }, () => ({}))

  test('the first deliveries are handed on, and the others wait for its answer: one claim for all of them', async () => {
    let claims = 0
    const counting: Around = async (call, run) => {
      if (isClaim(call)) claims++
      return await run()
    }
    const rig = await createRig({ db: watchD1(env.DB, counting) })
    const subscription = await rig.subscribe({ health: 'unproven' })
    for (let i = 0; i < 5; i++) await rig.publish(...events(60))
    const ended = await consumeBodies(rig, 'posthorn-deliveries', rig.fast.bodies)
    expect([claims, Object.values(ended).flat()]).toEqual([1, Array(5).fill('ack')])
    // A hundred go at once, six in a hint as there are connections; the others in hints of a hundred.
    expect([rig.unproven.bodies.length, rig.bulk.bodies.length]).toEqual([17, 2])
    rig.fast.lose()
    await rig.drain()
    expect(rig.postsTo(subscription)).toHaveLength(100)
    rig.clock.nowMs += 1_000
    await rig.drain()
    expect(rig.postsTo(subscription)).toHaveLength(300)
  })

  test('what waits is handed on after three seconds where the first request was never made', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ health: 'unproven' })
    for (let i = 0; i < 2; i++) await rig.publish(...events(100))
    await consumeBodies(rig, 'posthorn-deliveries', rig.fast.bodies)
    rig.fast.lose()
    rig.unproven.lose()
    rig.clock.nowMs += 3_000
    await rig.drain()
    expect(rig.postsTo(subscription)).toHaveLength(100)
  })

  test('once it has answered, its row is read again and no delivery waits', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ health: 'unproven' })
    await rig.publish({})
    await rig.drain()
    rig.clock.nowMs += 1_000
    await rig.publish({})
    await consumeBodies(rig, 'posthorn-deliveries', rig.fast.bodies)
    expect([rig.postsTo(subscription).length, rig.unproven.bodies]).toEqual([2, []])
  })
})

test('hints that D1 put off are delivered once when they come again', async () => {
  let claims = 0
  const rig = await createRig({ db: failing((call) => isClaim(call) && ++claims === 2) })
  const subscription = await rig.subscribe()
  for (let i = 0; i < 3; i++) await rig.publish(...Array.from({ length: 60 }, () => ({})))
  await rig.drain()
  rig.clock.nowMs += 60_000
  await rig.drain()
  expect(rig.postsTo(subscription)).toHaveLength(180)
})

test.each([
  'posthorn-deliveries',
  'posthorn-unproven-deliveries',
  'posthorn-retries',
  'posthorn-dead-letters',
])('a batch of %s that is nothing but junk is acked whole', async (queue) => {
  const rig = await createRig()
  const ended = await consumeBodies(rig, queue, JUNK)
  expect(new Set(Object.values(ended).flat())).toEqual(new Set(['ack']))
})

test.each(['posthorn-retries', 'posthorn-dead-letters'])(
  'every hint of %s is put off when D1 fails',
  async (queue) => {
    const rig = await createRig({ db: failing(() => true) })
    const due = { v: 1, kind: 'due', subscriptionNo: 1 }
    const events = { v: 1, kind: 'events', workspaceNo: 1, firstSeq: 1, lastSeq: 2 }
    const ended = await consumeBodies(rig, queue, [queue === 'posthorn-retries' ? due : events])
    expect(ended).toEqual({ m0: [2] })
  },
)

test('a disabled subscription is skipped with that reason', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish({})
  await env.DB.prepare('UPDATE subscription SET active = 0 WHERE no = ?1').bind(subscription.no).run()
  await rig.drain()
  expect([await rig.deliveries(), rig.posts]).toMatchObject([
    [{ state: 3, error: 'disabled', attempts: 0 }],
    [],
  ])
})

test('a deleted subscription is skipped with that reason', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish({})
  await env.DB.prepare(
    'UPDATE subscription SET active = 0, deleted_at_ms = 1, secret_cipher = NULL WHERE no = ?1',
  )
    .bind(subscription.no)
    .run()
  await rig.drain()
  expect([await rig.deliveries(), rig.posts]).toMatchObject([
    [{ state: 3, error: 'deleted', attempts: 0 }],
    [],
  ])
})

test('a scheduled retry of a subscription that was disabled meanwhile is skipped', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  rig.receivers.set(subscription.settings.url, () => new Response('no', { status: 500 }))
  await rig.publish({})
  await rig.drain()
  await env.DB.prepare('UPDATE subscription SET active = 0 WHERE no = ?1').bind(subscription.no).run()
  rig.clock.nowMs += 10_000
  await rig.drain()
  expect(await rig.deliveries()).toMatchObject([
    { state: 3, error: 'disabled', attempts: 1, due_at_ms: null },
  ])
})

test('a test event is delivered and not counted', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish({})
  await env.DB.prepare('UPDATE event SET is_test = 1').run()
  await rig.drain()
  const counters = await totalCounters(env.DB, [subscription.no])
  expect([rig.postsTo(subscription).length, counters.size]).toEqual([1, 0])
})

test('a test event that fails is not tried again', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  rig.receivers.set(subscription.settings.url, () => new Response('no', { status: 500 }))
  await rig.publish({})
  await env.DB.prepare('UPDATE event SET is_test = 1').run()
  await rig.drain()
  expect(await rig.deliveries()).toMatchObject([{ state: 2, due_at_ms: null }])
})

test('more deliveries than one claim takes are all made, each once', async () => {
  const rig = await createRig()
  const all = [await rig.subscribe(), await rig.subscribe(), await rig.subscribe()]
  await rig.publish(...Array.from({ length: 150 }, (_, n) => ({ data: { n } })))
  await rig.drain()
  const perReceiver = all.map((subscription) => {
    const numbers = rig.postsTo(subscription).map(({ body }) => JSON.parse(body).data.n)
    return [numbers.length, new Set(numbers).size]
  })
  expect(perReceiver).toEqual([
    [150, 150],
    [150, 150],
    [150, 150],
  ])
})

test('a settlement that fails keeps the claim, and nothing is sent twice until it expires', async () => {
  const isSettle = ({ sql }: D1Call) => sql.some((text) => text.includes('DO UPDATE SET parts = parts + 1'))
  const rig = await createRig({ db: failing(isSettle) })
  const subscription = await rig.subscribe()
  await rig.publish({})
  rig.fast.double()
  await rig.drain()
  expect(rig.postsTo(subscription)).toHaveLength(1)
})

test('the mark of a workspace does not hide rows that are due', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  rig.receivers.set(subscription.settings.url, () => new Response('no', { status: 500 }))
  await rig.publish({})
  await rig.drain()
  await advanceWatermark(
    env.DB,
    { workspaceNo: rig.workspaceNo, seq: 2 ** 44 - 1 },
    { aboveSeq: 0, events: [] },
  ).run()
  rig.receivers.clear()
  rig.clock.nowMs += 10_000
  await rig.drain()
  expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 2 }])
})

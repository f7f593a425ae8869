import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import type { PairsHint } from '../../../src/hints/hint.ts'
import { advanceWatermark } from '../../../src/operate/sweep.sql.ts'
import { handleScheduled } from '../../../src/scheduled.ts'
import { answer, createRig, createWorld, freshStore, type Rig, START_MS } from '../../support/rig/builders.ts'

beforeEach(freshStore)

const MINUTE_MS = 60_000

async function mark(): Promise<number | null> {
  return await env.DB.prepare('SELECT swept_seq FROM workspace').first<number>('swept_seq')
}

async function newestSeq(): Promise<number | null> {
  return await env.DB.prepare('SELECT max(pk) & (1 << 44) - 1 AS seq FROM event').first<number>('seq')
}

/** Events whose hints were lost, some time ago. */
async function lost(events: number, ageMs: number) {
  const world = createWorld()
  const rig = await createRig({ world, workspace: 'ws' })
  const subscription = await rig.subscribe()
  await rig.publish(...Array.from({ length: events }, () => ({})))
  rig.fast.lose()
  rig.clock.nowMs += ageMs
  return { ...rig, rig, world, subscription }
}

test('an event whose hint was lost is delivered after the sweep', async () => {
  const { sweep, drain, postsTo, subscription } = await lost(3, MINUTE_MS)
  await sweep()
  await drain()
  expect(postsTo(subscription)).toHaveLength(3)
})

test('a hint that was sent just now is left alone', async () => {
  const { sweep, fast } = await lost(3, 4_000)
  await sweep()
  expect(fast.bodies).toEqual([])
})

test('a sweep at a start does not wait: whoever was at work is gone', async () => {
  const { sweep, drain, postsTo, subscription } = await lost(3, 0)
  await sweep('@start')
  await drain()
  expect(postsTo(subscription)).toHaveLength(3)
})

test('a hint is not sent again while it may still be waiting its turn in the queue', async () => {
  const { sweep, publish, fast, clock } = await lost(0, 0)
  await publish({})
  clock.nowMs += 1_000
  await publish({})
  clock.nowMs += MINUTE_MS
  await sweep()
  expect(fast.bodies).toHaveLength(2)
})

test('two sweeps side by side deliver everything once', async () => {
  const { world, sweep, drain, postsTo, subscription } = await lost(150, MINUTE_MS)
  const other = await createRig({ world, workspace: 'ws' })
  await Promise.all([sweep(), other.sweep()])
  await drain()
  expect(postsTo(subscription)).toHaveLength(150)
})

test('two sweeps side by side at an age of ten minutes give each delivery one row', async () => {
  const { world, sweep, drain, deliveries } = await lost(50, 10 * MINUTE_MS)
  const other = await createRig({ world, workspace: 'ws' })
  await Promise.all([sweep(), other.sweep()])
  await drain()
  expect((await deliveries()).map(({ state, attempts }) => [state, attempts])).toEqual(
    new Array(50).fill([1, 1]),
  )
})

test('an orphan of ten minutes gets a row that is due', async () => {
  const { sweep, deliveries, clock } = await lost(1, 10 * MINUTE_MS)
  await sweep()
  expect(await deliveries()).toMatchObject([{ state: 0, attempts: 0, due_at_ms: clock.nowMs }])
})

test('an orphan younger than ten minutes gets none', async () => {
  const { sweep, deliveries } = await lost(1, 10 * MINUTE_MS - 1)
  await sweep()
  expect(await deliveries()).toEqual([])
})

test('the mark passes an orphan that got a row', async () => {
  const { sweep } = await lost(3, 10 * MINUTE_MS)
  await sweep()
  expect(await mark()).toBe(await newestSeq())
})

test('the mark does not pass an orphan without a row', async () => {
  const { sweep } = await lost(3, 9 * MINUTE_MS)
  await sweep()
  expect(await mark()).toBe(0)
})

test('the mark passes what has been delivered', async () => {
  const { sweep, publish, drain, clock, rig } = await lost(0, 0)
  await publish({}, {})
  await drain()
  clock.nowMs += MINUTE_MS
  await sweep()
  expect([await mark(), (await rig.deliveries()).length]).toEqual([await newestSeq(), 2])
})

test('the mark never falls, not even to what a slower sweep found', async () => {
  const { rig } = await lost(0, 0)
  for (const seq of [20, 10])
    await advanceWatermark(env.DB, { workspaceNo: rig.workspaceNo, seq }, { aboveSeq: 0, events: [] }).run()
  expect(await mark()).toBe(20)
})

test('more events than one step scans are all found', async () => {
  const { sweep, drain, publish, fast, bulk, clock, postsTo, subscription } = await lost(0, 0)
  for (let i = 0; i < 3; i++) await publish(...Array.from({ length: 900 }, () => ({})))
  for (const queue of [fast, bulk]) queue.lose()
  clock.nowMs += MINUTE_MS
  await sweep()
  await drain()
  expect(postsTo(subscription)).toHaveLength(2_700)
})

/** A retry that is due, whose wake-up was lost. */
async function lostWake(): Promise<Rig> {
  const { rig, subscription } = await lost(0, 0)
  rig.receivers.set(subscription.settings.url, answer(500))
  await rig.publish({})
  await rig.drain()
  rig.retries.lose()
  rig.receivers.clear()
  rig.clock.nowMs += MINUTE_MS
  return rig
}

test('a row that is due is woken by the sweep when its wake-up was lost', async () => {
  const rig = await lostWake()
  await rig.sweep()
  await rig.drain()
  expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 2 }])
})

test('a retry that is due much later is left to rest', async () => {
  const { rig, subscription } = await lost(0, 0)
  rig.receivers.set(subscription.settings.url, answer(503, { 'Retry-After': '3600' }))
  await rig.publish({})
  await rig.drain()
  rig.clock.nowMs += MINUTE_MS
  await rig.sweep()
  expect([rig.retries.bodies, await rig.deliveries()]).toMatchObject([
    [],
    [{ due_at_ms: START_MS + 3_600_000 }],
  ])
})

test('a sweep that fails says so', async () => {
  const { rig } = await lost(1, MINUTE_MS)
  rig.relay.hints.dueAt = () => Promise.reject(new Error('no queue'))
  const controller = { cron: '* * * * *', scheduledTime: 0, noRetry: () => undefined }
  await expect(handleScheduled({ ok: true, relay: rig.relay }, controller)).rejects.toThrow('no queue')
})

test('a hint that was given up gives every delivery it owes a row that is due', async () => {
  const { fast, deadLetters, drain, deliveries, publish, clock, consume } = await lost(0, 0)
  await publish({}, {})
  for (const body of fast.bodies) deadLetters.put(body)
  fast.lose()
  await consume(deadLetters)
  const row = { state: 0, attempts: 0, due_at_ms: clock.nowMs }
  await drain()
  expect(await deliveries()).toMatchObject([row, row])
})

test('a hint that was given up for some subscriptions gives rows to those only', async () => {
  const { rig, subscription } = await lost(0, 0)
  await rig.subscribe()
  await rig.publish({})
  const { workspaceNo, firstSeq } = rig.fast.bodies[0] as PairsHint
  const range = { v: 1, kind: 'events', workspaceNo, firstSeq, lastSeq: firstSeq }
  rig.deadLetters.put({ ...range, subscriptions: [subscription.no] })
  await rig.consume(rig.deadLetters)
  expect((await rig.deliveries()).map(({ subscription_no }) => subscription_no)).toEqual([subscription.no])
})

test('what a hint that was given up owed is delivered after the sweep, and what was delivered stays', async () => {
  const { rig, subscription } = await lost(0, 0)
  await rig.publish({}, {})
  const [hint] = rig.fast.bodies
  await rig.drain()
  await rig.publish({})
  rig.deadLetters.put(hint)
  rig.deadLetters.put(rig.fast.bodies[0])
  rig.fast.lose()
  await rig.drain()
  await rig.sweep()
  await rig.drain()
  expect([rig.postsTo(subscription).length, (await rig.deliveries()).map(({ state }) => state)]).toEqual([
    3,
    [1, 1, 1],
  ])
})

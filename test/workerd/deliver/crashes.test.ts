import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { makeDueAgain } from '../../../src/deliver/requested/retry-delivery.sql.ts'
import { settle } from '../../../src/deliver/settle/settle.sql.ts'
import { totalCounters } from '../../../src/history/statistics.sql.ts'
import { CRASHES_MAX } from '../../../src/model/delivery.ts'
import { reapClaims } from '../../../src/operate/sweep.sql.ts'
import { claimAll, record, rowsOf, settlement } from '../../support/rig/attempts.ts'
import { createRig, createWorld, freshStore, type Receiver, START_MS } from '../../support/rig/builders.ts'
import { mortalDb } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const AFTER_LEASE_MS = 91_000

/** Events owed to one subscription, and consumers that die once they are asked to send the poisonous one. */
async function poisoned(events: number, poison: number) {
  const world = createWorld()
  const rig = await createRig({ world, workspace: 'ws' })
  const subscription = await rig.subscribe()
  const groups: number[] = []
  let died = Promise.withResolvers<void>()
  const receiver: Receiver = async ({ body }) => {
    if (JSON.parse(body).data.n === poison) {
      died.resolve()
      await new Promise(() => undefined)
    }
    return new Response('ok')
  }
  world.receivers.set(subscription.settings.url, receiver)
  await rig.publish(...Array.from({ length: events }, (_, n) => ({ data: { n } })))
  /** A consumer on an isolate of its own that never settles, and the sweep that finds it dead. */
  const die = async () => {
    died = Promise.withResolvers<void>()
    const { db, kill } = mortalDb(env.DB)
    const doomed = await createRig({ world, workspace: 'ws', db })
    const before = new Set((await rowsOf('claim')).map(({ id }) => id))
    const run = doomed.drain()
    const ended = await Promise.race([died.promise.then(() => 'died'), run.then(() => 'finished')])
    kill()
    const claims = (await rowsOf('claim')).filter(({ id, live }) => !before.has(id) && live === 1)
    groups.push(...claims.map(({ pairs }) => JSON.parse(String(pairs)).length))
    world.retries.lose()
    world.clock.nowMs += AFTER_LEASE_MS
    await rig.sweep()
    return ended
  }
  return { rig, world, subscription, die, groups }
}

test('a delivery that kills its consumer is tried in ever smaller groups and at last alone', async () => {
  const { die, groups } = await poisoned(50, 49)
  while ((await die()) === 'died');
  expect([groups[0], groups.at(-1)]).toEqual([50, 1])
})

test('a delivery that has killed its consumer alone again and again has failed as internal', async () => {
  const { rig, die } = await poisoned(1, 0)
  const ends: string[] = []
  for (let n = 0; n <= CRASHES_MAX; n++) ends.push(await die())
  expect([ends, await rig.deliveries()]).toMatchObject([
    [...new Array(CRASHES_MAX).fill('died'), 'finished'],
    [{ state: 2, error: 'internal', due_at_ms: null, crashes: CRASHES_MAX }],
  ])
})

test('a sweep at a start takes back what earlier processes had in hand, not what its own has claimed meanwhile', async () => {
  const { rig } = await dying()
  const claims = () => env.DB.prepare('SELECT id FROM claim WHERE live = 1').all()
  const own = createRig({ world: rig.world, workspace: rig.workspace })
  await (await own).sweep('@start')
  expect((await claims()).results).toEqual([{ id: 'doomed' }])
  rig.clock.nowMs += 1
  const next = await createRig({ world: rig.world, workspace: rig.workspace })
  await next.sweep('@start')
  expect((await claims()).results).toEqual([])
})

test('deliveries that shared a claim with a poisonous one are all delivered', async () => {
  const { rig, die } = await poisoned(50, 49)
  while ((await die()) === 'died');
  expect((await rig.deliveries()).map(({ state }) => state)).toEqual([...new Array(49).fill(1), 2])
})

/** A claim of three pairs whose consumer dies. */
async function dying() {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish({}, {}, {})
  const claim = await claimAll(rig.workspaceNo, 'doomed')
  return { rig, subscription, pairs: claim?.pairs ?? [] }
}

test('the pairs of a claim that died become rows that are due at once and count the death', async () => {
  const { rig } = await dying()
  await reapClaims(env.DB, START_MS + AFTER_LEASE_MS, 10)
  const row = { state: 0, due_at_ms: START_MS + AFTER_LEASE_MS, attempts: 0, crashes: 1 }
  expect(await rig.deliveries()).toMatchObject([row, row, row])
})

test('a claim is not reaped while it may be alive', async () => {
  await dying()
  expect(await reapClaims(env.DB, START_MS + 89_999, 10)).toBe(0)
})

test('reaping side by side counts one death', async () => {
  const { rig } = await dying()
  await Promise.all([1, 2, 3].map(() => reapClaims(env.DB, START_MS + AFTER_LEASE_MS, 10)))
  expect((await rig.deliveries()).map(({ crashes }) => crashes)).toEqual([1, 1, 1])
})

test('a death leaves alone what the claim had settled before', async () => {
  const { rig, pairs } = await dying()
  const part = { ...settlement('doomed', [record(pairs[0]!)]), last: false }
  await settle(env.DB, part, START_MS)
  await reapClaims(env.DB, START_MS + AFTER_LEASE_MS, 10)
  expect((await rig.deliveries()).map(({ state, crashes }) => [state, crashes])).toEqual([
    [1, 0],
    [0, 1],
    [0, 1],
  ])
})

test('an attempt that was recorded clears the crashes before it', async () => {
  const { rig, pairs } = await dying()
  await reapClaims(env.DB, START_MS + AFTER_LEASE_MS, 10)
  await settle(
    env.DB,
    settlement(
      'other',
      pairs.map((pair) => record(pair)),
    ),
    START_MS,
  )
  expect((await rig.deliveries()).map(({ state, crashes }) => [state, crashes])).toEqual(
    new Array(3).fill([1, 0]),
  )
})

test('a delivery that failed by its crashes is counted as failed', async () => {
  const { rig, die, subscription } = await poisoned(1, 0)
  while ((await die()) === 'died');
  await rig.sweep()
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)?.failed).toBe(1)
})

test('a delivery that failed by its crashes and is retried by hand is no longer counted as failed', async () => {
  const { rig, die, subscription } = await poisoned(1, 0)
  while ((await die()) === 'died');
  const [row] = await rig.deliveries()
  await makeDueAgain(env.DB, { subscriptionNo: subscription.no, seq: row?.seq ?? 0 }, rig.clock.nowMs)
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)?.failed).toBe(0)
})

test('an outcome that comes after its claim was reaped and folded is counted', async () => {
  const { rig, pairs, subscription } = await dying()
  rig.clock.nowMs += AFTER_LEASE_MS
  await rig.sweep()
  await settle(
    env.DB,
    settlement(
      'doomed',
      pairs.map((pair) => record(pair)),
    ),
    rig.clock.nowMs,
  )
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)?.delivered).toBe(3)
})

import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { countReplay } from '../../../src/replay/count.ts'
import {
  cancelReplay,
  dueReplays,
  failReplay,
  findReplay,
  listReplays,
} from '../../../src/replay/replays.sql.ts'
import { runReplayStep } from '../../../src/replay/run.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import { type Meter, meterD1 } from '../../support/rig/d1-watch.ts'
import { current, depsOf, publishStanding, selection, start } from '../../support/rig/replays.ts'

let rig: Rig
let meter: Meter
beforeEach(async () => {
  await freshStore()
  const metered = meterD1(env.DB)
  meter = metered.meter
  rig = await createRig({ db: metered.db })
})

async function cost(run: () => Promise<unknown>): Promise<{ written: number; read: number }> {
  const before = { ...meter }
  await run()
  return { written: meter.rowsWritten - before.rowsWritten, read: meter.rowsRead - before.rowsRead }
}

describe('a step of 500', () => {
  const COUNT = 500
  /** The replay's own row and its place in the index of running ones, and the hour's counters. */
  const PER_STEP = 5

  test.each([
    ['failed', 2],
    ['success', 3],
    ['skipped', 3],
  ] as const)('of deliveries that ended as %s writes %i rows each', async (state, each) => {
    const subscription = await rig.subscribe()
    await publishStanding(
      rig,
      subscription,
      Array.from({ length: COUNT }, () => state),
    )
    const replay = await start(rig, selection({ statuses: [state] }), subscription)
    const { written, read } = await cost(() => runReplayStep(depsOf(rig), replay.no))
    expect(await current(rig, replay.id)).toMatchObject({ replayed: COUNT })
    expect(written).toBeLessThanOrEqual(each * COUNT + PER_STEP)
    expect(read).toBeLessThanOrEqual(20 * COUNT)
  })

  test('of past events that are back-filled writes 3 rows each', async () => {
    await rig.publish(...Array.from({ length: COUNT }, () => ({})))
    const subscription = await rig.subscribe()
    const replay = await start(rig, selection({ statuses: [], backfill: true }), subscription)
    const { written, read } = await cost(() => runReplayStep(depsOf(rig), replay.no))
    expect(await current(rig, replay.id)).toMatchObject({ replayed: COUNT })
    expect(written).toBeLessThanOrEqual(3 * COUNT + PER_STEP)
    expect(read).toBeLessThanOrEqual(20 * COUNT)
  })

  test('that finds nothing to replay writes a few rows', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(
      rig,
      subscription,
      Array.from({ length: COUNT }, () => 'retries' as const),
    )
    const replay = await start(rig, selection(), subscription)
    const { written } = await cost(() => runReplayStep(depsOf(rig), replay.no))
    expect(written).toBeLessThanOrEqual(PER_STEP)
  })
})

describe('among 20,000 deliveries, every thousandth of them failed', () => {
  async function longPast() {
    const subscription = await rig.subscribe()
    const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)'
    const { workspaceNo } = rig
    await env.DB.exec(
      `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${numbers} SELECT (${workspaceNo} << 44) | i, 't', i, '[${subscription.no}]', '{}' FROM n`,
    )
    await env.DB.exec(
      `INSERT INTO delivery (subscription_no, seq, type, state, attempts, status) ${numbers} SELECT ${subscription.no}, i, 't', iif(i % 1000, 1, 2), 1, 200 FROM n`,
    )
    return subscription
  }

  test('the failures are found, and made due, without reading the successes', async () => {
    const subscription = await longPast()
    const replay = await start(rig, selection(), subscription)
    const { read } = await cost(() => runReplayStep(depsOf(rig), replay.no))
    expect(await current(rig, replay.id)).toMatchObject({ state: 'completed', examined: 20, replayed: 20 })
    expect(read).toBeLessThanOrEqual(400)
  })

  test('a dry run reads a few rows of each failure', async () => {
    const subscription = await longPast()
    let count = 0
    const { read, written } = await cost(async () => {
      count = (await countReplay(depsOf(rig), subscription, selection())).count
    })
    expect(count).toBe(20)
    expect([read <= 100, written]).toEqual([true, 0])
  })

  test('one event is replayed without reading the others', async () => {
    const subscription = await longPast()
    const replay = await start(rig, { kind: 'event', seq: 1_000, eventId: 'e', webhooks: null })
    const { read } = await cost(() => runReplayStep(depsOf(rig), replay.no))
    expect(await current(rig, replay.id)).toMatchObject({ examined: 1, replayed: 1 })
    expect(subscription.no).toBeGreaterThan(0)
    expect(read).toBeLessThanOrEqual(40)
  })
})

describe('the replays whose hint was lost', () => {
  test('are those running that are 15 s late, the latest first, as many as asked for', async () => {
    const subscription = await rig.subscribe()
    const replays = []
    for (let i = 0; i < 4; i++) {
      replays.push(await start(rig, selection(), subscription))
      rig.clock.nowMs += 1_000
    }
    const [one, two, three, four] = replays.map(({ no }) => no)
    const createdAtMs = replays[0]?.createdAtMs ?? 0
    expect(await dueReplays(env.DB, createdAtMs + 14_999, { limit: 10 })).toEqual([])
    expect(await dueReplays(env.DB, createdAtMs + 16_000, { limit: 10 })).toEqual([one, two])
    expect(await dueReplays(env.DB, createdAtMs + 60_000, { limit: 3 })).toEqual([one, two, three])
    await cancelReplay(env.DB, two ?? 0, rig.clock.nowMs)
    await failReplay(env.DB, three ?? 0, { error: 'because', nowMs: rig.clock.nowMs })
    await runReplayStep(depsOf(rig), one ?? 0)
    expect(await dueReplays(env.DB, createdAtMs + 60_000, { limit: 10 })).toEqual([four])
  })

  test('are found at once when no consumer can be at work on them', async () => {
    const { no } = await start(rig, selection(), await rig.subscribe())
    expect(await dueReplays(env.DB, rig.clock.nowMs, { limit: 10, isAlone: true })).toEqual([no])
  })

  test('are found without reading those that have ended', async () => {
    const subscription = await rig.subscribe()
    const { no } = await start(rig, selection(), subscription)
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
       INSERT INTO replay (id, workspace_no, config, state, until_seq, created_at_ms) SELECT 'r' || i, 1, '{}', 1, 0, 0 FROM n`,
    ).run()
    const { read } = await cost(async () => {
      expect(await dueReplays(depsOf(rig).db, rig.clock.nowMs + 60_000, { limit: 10 })).toEqual([no])
    })
    expect(read).toBeLessThanOrEqual(3)
  })
})

test('ends once: a replay that was cancelled or failed stays so', async () => {
  const { no, id } = await start(rig, selection(), await rig.subscribe())
  expect(await cancelReplay(env.DB, no, 5)).toBe(true)
  expect(await cancelReplay(env.DB, no, 6)).toBe(false)
  await failReplay(env.DB, no, { error: 'because', nowMs: 7 })
  expect(await current(rig, id)).toMatchObject({ state: 'cancelled', finishedAtMs: 5, error: null })
})

test('a page of replays reads a few rows for each it shows', async () => {
  const subscription = await rig.subscribe()
  const { no } = await start(rig, selection(), subscription)
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
     INSERT INTO replay (id, workspace_no, subscription_no, config, state, until_seq, created_at_ms)
     SELECT 'r' || i, r.workspace_no, r.subscription_no, r.config, 1, 0, 0 FROM n, replay r WHERE r.no = ?1`,
  )
    .bind(no)
    .run()
  const { read } = await cost(async () => {
    const page = await listReplays(depsOf(rig).db, rig.workspace, { belowNo: 2 ** 44, limit: 50 })
    expect(page).toHaveLength(50)
  })
  expect(read).toBeLessThanOrEqual(105)
})

test("another workspace's replay is not found", async () => {
  const { id } = await start(rig, selection(), await rig.subscribe())
  const other = await createRig({ workspace: 'another' })
  expect(await findReplay(env.DB, other.workspace, id)).toBeNull()
  expect(await listReplays(env.DB, other.workspace, { belowNo: 2 ** 44, limit: 10 })).toEqual([])
})

import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { hourOf } from '../../../src/base/time.ts'
import { rollUpStatistics } from '../../../src/history/statistics.sql.ts'
import { rollUpWorkspace } from '../../../src/history/workspace-statistics/roll-up.sql.ts'
import {
  countedWindow,
  type Step,
  workspaceFigures,
} from '../../../src/history/workspace-statistics/workspace-statistics.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import { DAY_MS, purgeNow, setRetention } from '../../support/rig/history.ts'

const DAY_HOURS = 24

beforeEach(freshStore)

/** A workspace with one subscription that has had a delivery in each hour of the last four days. */
async function fourDays() {
  const rig = await createRig()
  await setRetention(rig.workspaceNo, { retentionDays: 90 })
  const { no } = await rig.subscribe()
  const nowHour = hourOf(rig.clock.nowMs)
  await env.DB.prepare(
    `INSERT INTO statistic (subscription_no, hour, delivered, attempts, latency_03)
     SELECT ?1, ?2 - value, 1, 1, 1 FROM json_each(?3)`,
  )
    .bind(no, nowHour, JSON.stringify(Array.from({ length: 4 * DAY_HOURS }, (_, i) => i)))
    .run()
  return { rig, no, nowHour }
}

/** The steps of 90 days, from the workspace's own rows or from those of its subscription alone. */
async function steps({ rig, no }: { rig: Rig; no: number }, withEvents: boolean): Promise<Step[]> {
  const counted = { workspaceNo: rig.workspaceNo, subscriptionNos: [no], withEvents }
  const figures = await workspaceFigures(env.DB, counted, countedWindow('90d', DAY_HOURS, rig.clock.nowMs))
  return figures.steps
}

test('a relay that was off for weeks loses no hour of a workspace, nor counts one twice', async () => {
  const history = await fourDays()
  const { rig } = history
  const before = await steps(history, false)
  await purgeNow(rig)
  expect(await steps(history, true)).toEqual(before)
  for (let round = 0; round < 3; round++) {
    rig.clock.nowMs += 20 * DAY_MS
    await purgeNow(rig)
    expect(await steps(history, true)).toEqual(before)
  }
})

test('the days of a workspace at rest are added up once, also before those of its subscriptions are', async () => {
  const history = await fourDays()
  const { rig, nowHour } = history
  const before = await steps(history, false)
  const round = { belowHour: nowHour + 1, daysBelowHour: nowHour + DAY_HOURS, removedBelowHour: 0 }
  for (let again = 0; again < 3; again++) {
    await env.DB.batch(rollUpWorkspace(env.DB, rig.workspaceNo, round))
    expect(await steps(history, true)).toEqual(before)
  }
})

test('hours of claims that are rolled up late are added then', async () => {
  const history = await fourDays()
  const { rig, no, nowHour } = history
  const late = [no, nowHour - 50, 3, 0, 3, 0, 0]
  await env.DB.prepare(
    `INSERT INTO claim (id, expires_at_ms, pairs, live, settled) VALUES ('late', 0, '[]', 0, ?1)`,
  )
    .bind(JSON.stringify([[...late, ...Array.from({ length: 16 }, () => 0)]]))
    .run()
  const before = await steps(history, false)
  await purgeNow(rig)
  await rollUpStatistics(env.DB, 10)
  expect(await steps(history, true)).toEqual(before)
  rig.clock.nowMs += DAY_MS
  await purgeNow(rig)
  expect(await steps(history, true)).toEqual(before)
})

test('each round leaves single hours of the last eight days, and one row of each day before', async () => {
  const { rig } = await fourDays()
  for (let day = 0; day < 12; day++) {
    await purgeNow(rig)
    rig.clock.nowMs += DAY_MS
  }
  const rows = await env.DB.prepare('SELECT count(*) AS count FROM workspace_statistic').first<number>(
    'count',
  )
  // The newest hour stays one by itself.
  expect(rows).toBe(6)
})

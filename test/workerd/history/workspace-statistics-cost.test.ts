import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { hourOf } from '../../../src/base/time.ts'
import { readScope } from '../../../src/history/all-deliveries/scope.sql.ts'
import { rollUpWorkspace } from '../../../src/history/workspace-statistics/roll-up.sql.ts'
import {
  countedWindow,
  type WindowName,
  workspaceFigures,
} from '../../../src/history/workspace-statistics/workspace-statistics.ts'
import { readOverview } from '../../../src/subscription/overview/overview.sql.ts'
import { createRig, freshStore, START_MS } from '../../support/rig/builders.ts'
import { meterD1, watchD1 } from '../../support/rig/d1-watch.ts'

const SUBSCRIPTIONS = 300
/** Hours of eight days one by one, and 82 days before them. */
const HOURS = 8 * 24
const DAYS = 82
const NOW_HOUR = hourOf(START_MS)
/** As the daily round leaves it: but for the last day, all hours are in the workspace's own rows too. */
const ROLLED_UP = { belowHour: NOW_HOUR - 24, daysBelowHour: 0, removedBelowHour: 0 }
const NUMBERS = (count: number) =>
  `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})`

/** A workspace with 300 subscriptions that have had deliveries in every hour of 90 days, of ten types. */
async function longHistory() {
  await freshStore()
  const statements = new Set<string>()
  const { db: metered, meter } = meterD1(env.DB)
  const db = watchD1(metered, async ({ sql }, run) => {
    for (const text of sql) statements.add(text)
    return await run()
  })
  const rig = await createRig()
  const { no } = await rig.subscribe()
  const { workspaceNo, workspace } = rig
  await env.DB.exec(
    `INSERT INTO subscription (no, workspace_no, id, config, created_at_ms, updated_at_ms) ${NUMBERS(SUBSCRIPTIONS - 1)} SELECT ${no + 1} + i, ${workspaceNo}, 'webhook_' || i, (SELECT config FROM subscription WHERE no = ${no}), 1, 1 FROM n`,
  )
  const firstHour = NOW_HOUR - HOURS + 1
  const firstDay = firstHour - (firstHour % 24)
  for (const hours of [
    `${NUMBERS(HOURS)} SELECT ${NOW_HOUR} - i AS hour FROM n`,
    `${NUMBERS(DAYS)} SELECT ${firstDay} - 24 * (i + 1) AS hour FROM n`,
  ]) {
    await env.DB.exec(
      `INSERT INTO statistic (subscription_no, hour, delivered, attempts, latency_03) SELECT s.no, h.hour, 10, 10, 10 FROM subscription s, (${hours}) h WHERE s.workspace_no = ${workspaceNo}`,
    )
    await env.DB.exec(
      `INSERT INTO event_statistic (workspace_no, hour, type, events, owed) SELECT ${workspaceNo}, h.hour, 't.' || t.value, 30, 300 FROM json_each('[0,1,2,3,4,5,6,7,8,9]') t, (${hours}) h`,
    )
  }
  await env.DB.batch(rollUpWorkspace(env.DB, workspaceNo, ROLLED_UP))
  const scope = await readScope(db, workspace, null)
  const counted = { workspaceNo, subscriptionNos: scope?.subscriptionNos ?? [], withEvents: true }
  const read = async (name: WindowName) => {
    const before = { ...meter }
    const figures = await workspaceFigures(
      db,
      counted,
      countedWindow(name, name === '90d' ? 24 : 1, START_MS),
    )
    return { figures, rowsRead: meter.rowsRead - before.rowsRead, calls: meter.calls - before.calls }
  }
  return { read, db, meter, statements, counted }
}

let history: Awaited<ReturnType<typeof longHistory>>

beforeAll(async () => {
  history = await longHistory()
})

test.each([
  ['1h', 4_500, 2],
  ['24h', 40_000, 25],
  ['7d', 160_000, 169],
  ['90d', 250_000, 91],
] as const)(
  'the figures of %s over 300 subscriptions are read in three calls, at most %i rows',
  async (name, rowsMax, steps) => {
    const { figures, rowsRead, calls } = await history.read(name)
    // biome-ignore lint/suspicious/noConsole: the figures are this file's second purpose.
    console.log(`${name}: ${rowsRead} rows read, ${calls} calls`)
    expect([calls, figures.steps.length]).toEqual([3, steps])
    expect(figures.bySubscription.size).toBe(100)
    expect(figures.byType).toHaveLength(10)
    expect(rowsRead).toBeLessThanOrEqual(rowsMax)
  },
)

test.each(['1h', '24h', '7d', '90d'] as const)(
  'the figures of %s are the same from the workspace’s own rows as from those of its subscriptions',
  async (name) => {
    const { db, counted } = history
    const { figures } = await history.read(name)
    const window = countedWindow(name, name === '90d' ? 24 : 1, START_MS)
    const apart = await workspaceFigures(db, { ...counted, withEvents: false }, window)
    expect(figures.counters).toEqual(apart.counters)
    expect(figures.steps.map(({ hour, counters }) => [hour, counters])).toEqual(
      apart.steps.map(({ hour, counters }) => [hour, counters]),
    )
    expect(figures.bySubscription).toEqual(apart.bySubscription)
  },
)

test('a later round adds the hours since the last one, and those that are old to the first of their day', async () => {
  const before = await history.read('90d')
  const { workspaceNo } = history.counted
  const rows = () =>
    env.DB.prepare('SELECT count(*) AS count FROM workspace_statistic WHERE workspace_no = ?1')
      .bind(workspaceNo)
      .first<number>('count')
  expect(await rows()).toBe(HOURS - 25 + DAYS)
  const round = { belowHour: NOW_HOUR - 12, daysBelowHour: NOW_HOUR - 72, removedBelowHour: 0 }
  for (let again = 0; again < 2; again++) await env.DB.batch(rollUpWorkspace(env.DB, workspaceNo, round))
  expect(await rows()).toBeLessThan(DAYS + 8 + 96)
  const after = await history.read('90d')
  expect(after.figures.counters).toEqual(before.figures.counters)
  expect(after.figures.steps).toEqual(before.figures.steps)
})

test('how 300 subscriptions stand and what waits for them is read in one call, a few rows of each', async () => {
  const { db, meter, counted } = history
  const before = { ...meter }
  const { standings } = await readOverview(db, counted.subscriptionNos, START_MS)
  expect(Object.fromEntries(standings)).toEqual({ healthy: 1, unproven: 299 })
  expect(meter.calls - before.calls).toBe(1)
  expect(meter.rowsRead - before.rowsRead).toBeLessThanOrEqual(30 * SUBSCRIPTIONS)
})

test('every statement goes by a key or an index, and names the workspace or its subscriptions', async () => {
  const { statements, db, counted } = history
  await history.read('24h')
  await readOverview(db, counted.subscriptionNos, START_MS)
  for (const sql of statements) {
    const parameters = Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n)))
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...Array.from({ length: parameters }, () => null))
      .all<{ detail: string }>()
    const scans = results
      .map(({ detail }) => detail)
      .filter((step) => /^SCAN (?!CONSTANT|\(|x$)/.test(step) && !/VIRTUAL TABLE/.test(step))
    // Claims that are not rolled up yet await the next sweep.
    expect(
      scans.filter((step) => !/^SCAN (k|w|e|d)\b/.test(step) || /^SCAN w USING/.test(step)),
      sql,
    ).toEqual([])
    expect(sql).toMatch(/json_each\(\?1\)|workspace_no = \?1|w\.id = \?1/)
  }
})

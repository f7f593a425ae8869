import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { listDeliveries } from '../../../src/history/all-deliveries/list-deliveries.ts'
import type { DeliveryQuery } from '../../../src/history/all-deliveries/query.ts'
import { BLOCKED_UNTIL_MS } from '../../../src/outcome/retry-policy.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { meterD1, watchD1 } from '../../support/rig/d1-watch.ts'

const SUBSCRIPTIONS = 300
const NUMBERS = (count: number) =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`

const OPEN: DeliveryQuery = {
  ...{ subscriptionNos: null, type: null, states: null, error: null, responseCodes: null },
  ...{
    isBlocked: false,
    isWaiting: false,
    onlySeq: null,
    acceptedFromMs: null,
    acceptedToMs: null,
    below: null,
    limit: 50,
  },
}

/**
 * 300 subscriptions, each of which gets one event in 300: one delivery in 1,000 has failed, and one in 20,000 blocks
 * others. Every tenth of the newest events goes to all of them.
 */
async function workspaceOf(deliveries: number) {
  await freshStore()
  const statements = new Set<string>()
  const { db: metered, meter } = meterD1(env.DB)
  const db = watchD1(metered, async ({ sql }, run) => {
    for (const text of sql) statements.add(text)
    return await run()
  })
  const rig = await createRig()
  const first = await rig.subscribe()
  const { workspaceNo, workspace } = rig
  await env.DB.exec(
    `INSERT INTO subscription (no, workspace_no, id, config, created_at_ms, updated_at_ms) ${NUMBERS(SUBSCRIPTIONS - 1)} SELECT ${first.no} + i, ${workspaceNo}, 'webhook_' || i, (SELECT config FROM subscription WHERE no = ${first.no}), 1, 1 FROM n`,
  )
  const all = `'[' || (SELECT group_concat(no) FROM subscription WHERE workspace_no = ${workspaceNo}) || ']'`
  const own = `${first.no} + i % ${SUBSCRIPTIONS}`
  const toAll = `i > ${deliveries} - 100 AND i % 10 = 0`
  await env.DB.exec(
    `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${NUMBERS(deliveries)} SELECT (${workspaceNo} << 44) | i, 't.' || (i % 4), 1767225600000 + i, iif(${toAll}, ${all}, '[' || (${own}) || ']'), '{}' FROM n`,
  )
  await env.DB.exec(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts, due_at_ms, status, error) ${NUMBERS(deliveries)} SELECT ${own}, i, 't.' || (i % 4), iif(i % 1000, 1, 2), 1, iif(i % 20000, NULL, ${BLOCKED_UNTIL_MS}), iif(i % 1000, 200, 503), iif(i % 1000, NULL, 'http_status') FROM n`,
  )
  await env.DB.exec(
    `INSERT OR IGNORE INTO delivery (subscription_no, seq, type, state, attempts, status) ${NUMBERS(deliveries)} SELECT s.no, i, 't.0', 1, 1, 200 FROM n, subscription s WHERE ${toAll}`,
  )
  await env.DB.exec(`UPDATE workspace SET swept_seq = ${deliveries}`)
  const read = async (query: Partial<DeliveryQuery>) => {
    const before = { ...meter }
    const page = await listDeliveries(db, workspace, { ...OPEN, ...query })
    return { ...page, rowsRead: meter.rowsRead - before.rowsRead, calls: meter.calls - before.calls }
  }
  return { read, statements, firstNo: first.no }
}

type Workspace = Awaited<ReturnType<typeof workspaceOf>>

const PAGES = {
  'the newest': {},
  'a type that one event in four has': { type: 't.1' },
  'a type that never occurs': { type: 'never' },
  'failures among a thousand times as many successes': { states: ['failed'] },
  'answers of a class': { states: ['failed'], responseCodes: { min: 500, max: 599 } },
  'blocked deliveries': { isBlocked: true },
  'what is still to be attempted': { isWaiting: true },
} as const satisfies Record<string, Partial<DeliveryQuery>>

describe.each([
  [1, { 'the newest': 400 }],
  [1_000, { 'the newest': 1_500 }],
  [
    100_000,
    {
      'the newest': 1_500,
      'a type that one event in four has': 6_500,
      'a type that never occurs': 40_000,
      'failures among a thousand times as many successes': 4_500,
      'answers of a class': 4_500,
      'blocked deliveries': 2_500,
      'what is still to be attempted': 12_000,
    },
  ],
] as const)('a workspace with 300 subscriptions and %i deliveries', (count, bounds) => {
  let workspace: Workspace

  beforeAll(async () => {
    workspace = await workspaceOf(count)
  })

  test.each(Object.keys(bounds) as (keyof typeof PAGES)[])(
    'lists %s in a bounded number of reads',
    async (name) => {
      const { rowsRead, calls } = await workspace.read(PAGES[name])
      // biome-ignore lint/suspicious/noConsole: the figures are this file's second purpose.
      console.log(`${count} deliveries, ${name}: ${rowsRead} rows read, ${calls} calls`)
      expect(rowsRead).toBeLessThanOrEqual((bounds as Record<string, number>)[name] ?? 0)
      expect(calls).toBeLessThanOrEqual(12)
    },
  )
})

describe('over 100,000 deliveries', () => {
  let workspace: Workspace

  beforeAll(async () => {
    workspace = await workspaceOf(100_000)
  })

  test('all failures of the newest page are found at once, of whichever subscription they are', async () => {
    const { rows } = await workspace.read({ states: ['failed'] })
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => 100_000 - i * 1_000))
  })

  test('what few events are owed to is found below thousands that nobody wanted', async () => {
    const { workspaceNo, workspace: id } = await createRig()
    await env.DB.exec(
      `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${NUMBERS(5_000)} SELECT (${workspaceNo} << 44) | i, 't', 1767225600000 + i, iif(i = 1, '[${workspace.firstNo}]', '[]'), '{}' FROM n`,
    )
    const { rows } = await listDeliveries(env.DB, id, OPEN)
    expect(rows.map(({ seq }) => seq)).toEqual([1])
  })

  test('those that hold others are found at once', async () => {
    const { rows, next } = await workspace.read({ isBlocked: true })
    expect([rows.map(({ seq }) => seq), next]).toEqual([[100_000, 80_000, 60_000, 40_000, 20_000], null])
  })

  test('every statement goes by a key or an index, and names the workspace or its subscriptions', async () => {
    const { statements } = workspace
    for (const query of Object.values(PAGES)) await workspace.read(query)
    await workspace.read({ subscriptionNos: [workspace.firstNo] })
    for (const sql of statements) {
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...Array.from({ length: parametersOf(sql) }, () => null))
        .all<{ detail: string }>()
      const tables = results.map(({ detail }) => detail).filter((step) => /^(SCAN|SEARCH) [a-z] /.test(step))
      const unbounded = tables.filter((step) => step.startsWith('SCAN') && !/VIRTUAL TABLE/.test(step))
      expect(unbounded, sql).toEqual([])
      expect(sql).toMatch(/w\.id = \?1|\(\?1 << 44\)|json_each\(\?[78]\)/)
    }
    expect(statements.size).toBeGreaterThan(6)
  })
})

function parametersOf(sql: string): number {
  return Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n)))
}

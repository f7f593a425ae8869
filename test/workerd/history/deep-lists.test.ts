import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { LoggedDelivery } from '../../../src/history/delivery-log.sql.ts'
import { listEvents } from '../../../src/history/list-events.ts'
import { readLog } from '../../../src/history/read-log.ts'
import { recentSuccesses } from '../../../src/history/recent-successes.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { type Meter, meterD1 } from '../../support/rig/d1-watch.ts'

const DEEP = 100_000
/** Of the deepest log, the newest 60,000 wait, the next 20,000 have failed in two ways, and the oldest have succeeded. */
async function deepLog() {
  await freshStore()
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  const { no } = await rig.subscribe()
  const { workspaceNo, workspace } = rig
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${DEEP})`
  await env.DB.exec(
    `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${numbers} SELECT (${workspaceNo} << 44) | i, iif(i = 50, 'rare', 'common'), i, '[${no}]', '{}' FROM n`,
  )
  const state = `CASE WHEN i > 40000 THEN 0 WHEN i > 20000 THEN 2 ELSE 1 END`
  const error = `CASE WHEN i > 40000 OR i <= 20000 THEN NULL WHEN i % 5000 THEN 'http_status' ELSE 'connection' END`
  await env.DB.exec(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts, last_at_ms, status, error) ${numbers} SELECT ${no}, i, iif(i = 50, 'rare', 'common'), ${state}, 1, i, 200, ${error} FROM n`,
  )
  await env.DB.exec(`UPDATE workspace SET swept_seq = ${DEEP}`)
  const query = {
    ...{ subscriptionNo: no, workspaceNo, type: null, states: null, error: null },
    ...{ acceptedFromMs: null, acceptedToMs: null, belowSeq: null, limit: 50 },
  }
  return { db, meter, workspace, subscription: { subscriptionNo: no, workspaceNo }, query }
}

/** Walks a list to its end; answers its pages and what they hold. */
async function walk<T>(
  read: (belowSeq: number | null) => Promise<{ rows: T[]; nextBelowSeq: number | null }>,
) {
  const rows: T[] = []
  let belowSeq: number | null = null
  for (let pages = 1; ; pages++) {
    const page = await read(belowSeq)
    rows.push(...page.rows)
    if (page.nextBelowSeq === null) return { pages, rows }
    belowSeq = page.nextBelowSeq
  }
}

let deep: Awaited<ReturnType<typeof deepLog>>

beforeAll(async () => {
  deep = await deepLog()
})

/** Rows read while something runs. */
async function readBy(meter: Meter, run: () => Promise<unknown>): Promise<number> {
  const before = meter.rowsRead
  await run()
  return meter.rowsRead - before
}

test('the newest successes are found below tens of thousands of others, in a few thousand reads', async () => {
  const { db, meter, subscription } = deep
  const found: LoggedDelivery[] = []
  const read = await readBy(meter, async () => {
    found.push(...(await recentSuccesses(db, subscription, 10)))
  })
  expect(found).toHaveLength(10)
  expect(found.every(({ state }) => state === 'success')).toBe(true)
  // The newest success of all is number 20,000.
  expect(found[0]?.seq).toBeGreaterThan(18_000)
  expect(read).toBeLessThanOrEqual(9_000)
})

test('a success at the end of what is looked at first is shown once', async () => {
  const { db, subscription } = deep
  const other = { ...subscription, subscriptionNo: subscription.subscriptionNo + 1_000 }
  // One statement looks at 2,000 rows: number 101 is the last of them.
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
     INSERT INTO delivery (subscription_no, seq, type, state) SELECT ?1, i, 'a', iif(i < 105, 1, 0) FROM n`,
  )
    .bind(other.subscriptionNo)
    .run()
  const found = await recentSuccesses(db, other, 10)
  expect(found.map(({ seq }) => seq)).toEqual([104, 103, 102, 101, 100, 99, 98, 97, 96, 95])
})

test.each([
  ['failed', { states: ['failed'] }, 50, 160],
  ['pending or failed', { states: ['pending', 'failed'] }, 50, 260],
  ['skipped or failed', { states: ['skipped', 'failed'] }, 50, 160],
] as const)('a page of those %s reads a few rows for each it shows', async (_, filter, shown, reads) => {
  const { db, meter, query } = deep
  let rows = 0
  const read = await readBy(meter, async () => {
    rows = (await readLog(db, { ...query, ...filter })).rows.length
  })
  expect(rows).toBe(shown)
  expect(read).toBeLessThanOrEqual(reads)
})

test('all of a rare error are found among 20,000 failures in three pages', async () => {
  const { db, query } = deep
  const { pages, rows } = await walk((belowSeq) => readLog(db, { ...query, error: 'connection', belowSeq }))
  expect([pages, rows.map(({ seq }) => seq)]).toEqual([3, [40_000, 35_000, 30_000, 25_000]])
})

test('a type that one event in 100,000 has is found in eleven pages', async () => {
  const { db, query, workspace } = deep
  const deliveries = await walk((belowSeq) => readLog(db, { ...query, type: 'rare', belowSeq }))
  expect([deliveries.pages, deliveries.rows.map(({ seq }) => seq)]).toEqual([11, [50]])
  const events = await walk((belowSeq) => {
    return listEvents(db, workspace, { ...query, type: 'r*', belowSeq, subscriptionNos: null })
  })
  expect([events.pages, events.rows.map(({ seq }) => seq)]).toEqual([11, [50]])
})

import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { claimDue } from '../../../src/deliver/claims.sql.ts'
import { dueSubscriptions } from '../../../src/operate/sweep.sql.ts'
import { createRig, freshStore, START_MS } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const PAIRS = 100
/** Rows that a claim may read for each delivery: in the index, itself, its event, and what is read back, in JSON too. */
const READ_PER_PAIR_MAX = 12.5
/** Rows read for each subscription that is asked: itself, its next due time, its crashed rows. */
const READ_PER_SUBSCRIPTION_MAX = 16
const NUMBERS = 'WITH RECURSIVE n(no) AS (SELECT 1 UNION ALL SELECT no + 1 FROM n WHERE no < ?1)'

/** Events of which all are due to a subscription, and as many delivered to it before. */
async function backlog(subscriptionNo: number, workspaceNo: number, count: number) {
  const insert = (sql: string) => env.DB.prepare(`${NUMBERS} ${sql}`)
  await insert(
    `INSERT OR IGNORE INTO event (pk, type, accepted_at_ms, fanout, body) SELECT (?2 << 44) | no, 'a.b', ${START_MS}, '[1]', '{}' FROM n`,
  )
    .bind(count, workspaceNo)
    .run()
  await insert(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts, due_at_ms) SELECT ?2, no, 'a.b', 2, 1, ${START_MS} FROM n`,
  )
    .bind(count, subscriptionNo)
    .run()
  await insert(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts) SELECT ?2, 1000000 + no, 'a.b', 1, 1 FROM n`,
  )
    .bind(count, subscriptionNo)
    .run()
}

const LEASE = { id: 'a', nowMs: START_MS + 1, expiresAtMs: START_MS + 90_000, pairsMax: PAIRS }
const ANY_CRASHES = { crashesMin: 0, crashesMax: 0 }

describe('a claim of what is due reads in proportion to what it takes', () => {
  test.each([100, 1_000, 100_000])('of one subscription to which %d are due', async (count) => {
    const rig = await createRig()
    const { no } = await rig.subscribe()
    await backlog(no, rig.workspaceNo, count)
    const { db, meter } = meterD1(env.DB)
    const { claim } = await claimDue(db, LEASE, { perSubscription: PAIRS, ...ANY_CRASHES }, [no])
    expect(claim?.pairs).toHaveLength(PAIRS)
    expect(meter.rowsRead).toBeLessThanOrEqual(PAIRS * READ_PER_PAIR_MAX)
    expect(meter.rowsWritten).toBeLessThanOrEqual(3)
  })

  test('of a subscription beside a paused one with 100,000 resting and one that is held', async () => {
    const rig = await createRig()
    const paused = await rig.subscribe()
    const own = await rig.subscribe()
    await backlog(paused.no, rig.workspaceNo, 100_000)
    await backlog(own.no, rig.workspaceNo, 5)
    await env.DB.prepare('UPDATE subscription SET paused_at_ms = 1 WHERE no = ?1').bind(paused.no).run()
    const { db, meter } = meterD1(env.DB)
    const due = { perSubscription: PAIRS / 2, ...ANY_CRASHES }
    const { claim, nextDueMs } = await claimDue(db, LEASE, due, [paused.no, own.no])
    expect(claim?.pairs).toHaveLength(5)
    expect([...nextDueMs.keys()]).toEqual([])
    expect(meter.rowsRead).toBeLessThanOrEqual(5 * READ_PER_PAIR_MAX + 2 * READ_PER_SUBSCRIPTION_MAX)
  })

  test('of a hundred subscriptions that have one each among 300', async () => {
    const rig = await createRig()
    const nos: number[] = []
    for (let i = 0; i < 300; i++) nos.push((await rig.subscribe()).no)
    for (const no of nos.slice(0, 100)) await backlog(no, rig.workspaceNo, 1)
    const { db, meter } = meterD1(env.DB)
    const { claim } = await claimDue(db, LEASE, { perSubscription: 1, ...ANY_CRASHES }, nos.slice(0, 100))
    expect(claim?.pairs).toHaveLength(PAIRS)
    expect(meter.rowsRead).toBeLessThanOrEqual(PAIRS * READ_PER_PAIR_MAX + PAIRS * READ_PER_SUBSCRIPTION_MAX)
  })
})

test('the sweep finds who has something due by a few rows each, however much is due', async () => {
  const rig = await createRig()
  const [large, small] = [await rig.subscribe(), await rig.subscribe()]
  await backlog(large.no, rig.workspaceNo, 100_000)
  await backlog(small.no, rig.workspaceNo, 1)
  const { db, meter } = meterD1(env.DB)
  expect(await dueSubscriptions(db, START_MS, 100)).toHaveLength(2)
  expect(meter.rowsRead).toBeLessThanOrEqual(2 * READ_PER_SUBSCRIPTION_MAX)
})

import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { claimPairs } from '../../../src/deliver/claims.sql.ts'
import { readWaitingState } from '../../../src/deliver/paced/paced-claims.sql.ts'
import { createRig, freshStore, START_MS } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const SEQ = 1_000
const PAIRS = 100
/** Rows that a claim may read for each of its deliveries: itself, its event, its subscription and what was read back. */
const READ_PER_PAIR_MAX = 8

/** One event owed to so many subscriptions, the first of them attempted already. */
async function fanOut(subscriptions: number, attempted: number) {
  const { workspaceNo } = await createRig()
  const numbers = `WITH RECURSIVE n(no) AS (SELECT 1 UNION ALL SELECT no + 1 FROM n WHERE no < ?1)`
  await env.DB.prepare(
    `${numbers} INSERT INTO event (pk, type, accepted_at_ms, fanout, body)
     SELECT (?2 << 44) | ${SEQ}, 'a.b', ${START_MS}, json_group_array(no), '{}' FROM n`,
  )
    .bind(subscriptions, workspaceNo)
    .run()
  if (attempted > 0) {
    await env.DB.prepare(
      `${numbers} INSERT INTO delivery (subscription_no, seq, type, state, attempts) SELECT no, ${SEQ}, 'a.b', 1, 1 FROM n`,
    )
      .bind(attempted)
      .run()
  }
  const pairs = Array.from({ length: PAIRS }, (_, i) => {
    return { workspaceNo, subscriptionNo: subscriptions - i, seq: SEQ }
  })
  return { pairs }
}

/** Live claims of the same event, each of a hundred deliveries to other subscriptions. */
async function claimsInHand(count: number, workspaceNo: number, firstNo = 1) {
  for (let i = 0; i < count; i++) {
    const pairs = Array.from({ length: PAIRS }, (_, k) => {
      return { workspaceNo, subscriptionNo: firstNo + i * PAIRS + k, seq: SEQ }
    })
    await claimPairs(env.DB, { id: `other-${i}`, nowMs: START_MS, expiresAtMs: START_MS + 90_000 }, pairs)
  }
}

test('a claim reads one row of each other claim that is in hand, however much that holds', async () => {
  const { pairs } = await fanOut(10_000, 0)
  await claimsInHand(50, pairs[0]?.workspaceNo ?? 0)
  const { db, meter } = meterD1(env.DB)
  const claim = await claimPairs(db, { id: 'a', nowMs: START_MS, expiresAtMs: START_MS + 90_000 }, pairs)
  expect(claim?.pairs).toHaveLength(PAIRS)
  expect(meter.rowsRead).toBeLessThanOrEqual(PAIRS * READ_PER_PAIR_MAX + 50)
})

test('a look at a paced subscription reads one row of each claim that is in hand for others', async () => {
  const rig = await createRig()
  const { no } = await rig.subscribe({ concurrency: 1 })
  await rig.publish({})
  await claimsInHand(50, rig.workspaceNo, no + 1)
  const { db, meter } = meterD1(env.DB)
  const { waiting } = await readWaitingState(db, { subscriptionNo: no, nowMs: START_MS })
  expect(waiting).toMatchObject({ events: 1 })
  expect(meter.rowsRead).toBeLessThanOrEqual(50 + 20)
})

test('pairs that another claim has in hand are not claimed, where the bounds meet', async () => {
  const { pairs } = await fanOut(1_000, 0)
  const [first, ...others] = pairs
  if (first === undefined) throw new Error('no pairs')
  const lease = { nowMs: START_MS, expiresAtMs: START_MS + 90_000 }
  await claimPairs(env.DB, { id: 'other', ...lease }, [first])
  const claim = await claimPairs(env.DB, { id: 'a', ...lease }, pairs)
  expect(claim?.pairs).toHaveLength(others.length)
})

describe('a claim of a hundred deliveries reads in proportion to a hundred', () => {
  test.each([
    ['a fan-out of a hundred', 100, 0],
    ['a fan-out of a thousand', 1_000, 0],
    ['a fan-out of ten thousand', 10_000, 0],
    ['a fan-out of ten thousand that is done but for the last', 10_000, 9_900],
    ['a fan-out of a hundred thousand that is done but for the last', 100_000, 99_900],
  ])('of %s', async (_, subscriptions, attempted) => {
    const { pairs } = await fanOut(subscriptions, attempted)
    const { db, meter } = meterD1(env.DB)
    const lease = { id: 'a', nowMs: START_MS, expiresAtMs: START_MS + 90_000 }
    const claim = await claimPairs(db, lease, pairs)
    expect(claim?.pairs).toHaveLength(PAIRS)
    expect(meter.rowsRead).toBeLessThanOrEqual(PAIRS * READ_PER_PAIR_MAX)
    expect(meter.rowsWritten).toBeLessThanOrEqual(3)
  })
})

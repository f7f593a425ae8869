import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { claimDue, claimPairs, releaseStatement } from '../../../src/deliver/claims.sql.ts'
import { settle } from '../../../src/deliver/settle/settle.sql.ts'
import { allOwed, claimAll, failure, record, settlement } from '../../support/rig/attempts.ts'
import { createRig, freshStore, START_MS } from '../../support/rig/builders.ts'

beforeEach(freshStore)

/** A workspace with events owed to one healthy subscription. */
async function owed(events: number) {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish(...Array.from({ length: events }, () => ({})))
  return { ...rig, subscription, no: rig.workspaceNo }
}

const seqsOf = (claim: { pairs: { seq: number }[] } | null) => claim?.pairs.map(({ seq }) => seq)

test('a pair in a live claim is not claimed again', async () => {
  const { no } = await owed(3)
  await claimAll(no, 'a')
  expect(await claimAll(no, 'b')).toBe(null)
})

test('two consumers that claim at once share no pair and leave none', async () => {
  const { no } = await owed(100)
  const claims = await Promise.all(['a', 'b', 'c'].map((id) => claimAll(no, id)))
  const seqs = claims.flatMap((claim) => seqsOf(claim) ?? [])
  expect([seqs.length, new Set(seqs).size]).toEqual([100, 100])
})

test('pairs of a claim that has expired are claimed again', async () => {
  const { no } = await owed(3)
  const first = await claimAll(no, 'a')
  const second = await claimAll(no, 'b', { nowMs: START_MS + 90_000 })
  expect(seqsOf(second)).toEqual(seqsOf(first))
})

test('pairs of a claim that is about to expire are not', async () => {
  const { no } = await owed(3)
  await claimAll(no, 'a')
  expect(await claimAll(no, 'b', { nowMs: START_MS + 89_999 })).toBe(null)
})

test('a delivery that has a row is not claimed as a first attempt', async () => {
  const { no } = await owed(2)
  const claim = await claimAll(no, 'a')
  await settle(env.DB, settlement('a', [record(claim!.pairs[0]!)]), START_MS)
  expect(seqsOf(await claimAll(no, 'b'))).toEqual(seqsOf(claim)?.slice(1))
})

test('released pairs are free at once and kept ones are not', async () => {
  const { no } = await owed(3)
  const claim = await claimAll(no, 'a')
  await releaseStatement(env.DB, 'a', claim!.pairs.slice(0, 1)).run()
  expect(seqsOf(await claimAll(no, 'b'))).toEqual(seqsOf(claim)?.slice(1))
})

test('a claim whose answer was lost is given up, and its pairs are free at once', async () => {
  const { no } = await owed(3)
  const losesAnswers = new Proxy(env.DB, {
    get: (db, name) =>
      name === 'batch'
        ? async (statements: D1PreparedStatement[]) => {
            await db.batch(statements)
            throw new Error('Network connection lost.')
          }
        : db.prepare.bind(db),
  })
  const lease = { id: 'a', nowMs: START_MS, expiresAtMs: START_MS + 90_000 }
  await expect(claimPairs(losesAnswers, lease, await allOwed(no))).rejects.toThrow('Network connection lost.')
  expect(seqsOf(await claimAll(no, 'b'))).toHaveLength(3)
})

test('a claim takes no more than it was told to', async () => {
  const { no } = await owed(30)
  expect((await claimAll(no, 'a', { pairsMax: 20 }))?.pairs).toHaveLength(20)
})

test('a subscription that was disabled when the event came is not claimed', async () => {
  const rig = await createRig()
  await rig.subscribe({ active: false })
  await rig.publish({})
  expect(await claimAll(rig.workspaceNo, 'a')).toBe(null)
})

test('a hint that was doubled delivers once', async () => {
  const { fast, drain, publish, postsTo, subscription } = await owed(0)
  await publish({}, {}, {})
  fast.double()
  await drain()
  expect(postsTo(subscription)).toHaveLength(3)
})

test('a hint that was doubled delivers once when both are consumed side by side', async () => {
  const { fast, consume, postsTo, subscription } = await owed(3)
  const [body] = fast.bodies
  const side = Promise.all([consume(fast), fast.send(body).then(() => consume(fast))])
  await side
  expect(postsTo(subscription)).toHaveLength(3)
})

/** Rows due at START_MS for two subscriptions: many of the first, few of the second. */
async function due() {
  const rig = await createRig()
  const busy = await rig.subscribe({ events: ['busy'] })
  const calm = await rig.subscribe({ events: ['calm'] })
  await rig.publish(...Array.from({ length: 40 }, (_, i) => ({ type: i < 35 ? 'busy' : 'calm' })))
  const claim = await claimAll(rig.workspaceNo, 'first')
  const records = claim!.pairs.map((pair) => failure(pair, 1, START_MS))
  await settle(env.DB, settlement('first', records), START_MS)
  const take = async (id: string, pairsMax: number, perSubscription: number, nowMs = START_MS) =>
    await claimDue(
      env.DB,
      { id, nowMs, expiresAtMs: nowMs + 90_000, pairsMax },
      { perSubscription, crashesMin: 0, crashesMax: 0 },
      [busy.no, calm.no],
    )
  return { busy, calm, take }
}

test('due rows in a live claim are not claimed again', async () => {
  const { take } = await due()
  await take('a', 100, 100)
  expect((await take('b', 100, 100)).claim).toBe(null)
})

test('due rows of a claim that has expired are claimed again', async () => {
  const { take } = await due()
  await take('a', 100, 100)
  expect((await take('b', 100, 100, START_MS + 90_000)).claim?.pairs).toHaveLength(40)
})

test('a subscription with much due leaves room for one with little', async () => {
  const { calm, take } = await due()
  const { claim } = await take('a', 20, 10)
  expect(claim?.pairs.filter(({ subscriptionNo }) => subscriptionNo === calm.no)).toHaveLength(5)
})

test('a row is not claimed before it is due', async () => {
  const { take } = await due()
  expect((await take('a', 100, 100, START_MS - 1)).claim).toBe(null)
})

test('whoever claims too early is told when to come back', async () => {
  const { busy, calm, take } = await due()
  expect((await take('a', 100, 100, START_MS - 1)).nextDueMs).toEqual(
    new Map([
      [busy.no, START_MS],
      [calm.no, START_MS],
    ]),
  )
})

test('a claim of due rows says how many attempts each has had', async () => {
  const { take } = await due()
  const { claim } = await take('a', 100, 100)
  expect(new Set(claim?.rows.map(({ attempts }) => attempts))).toEqual(new Set([1]))
})

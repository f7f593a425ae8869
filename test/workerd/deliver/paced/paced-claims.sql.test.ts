import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { claimDelivery, claimDue } from '../../../../src/deliver/claims.sql.ts'
import { claimPaced } from '../../../../src/deliver/paced/paced-claims.sql.ts'
import { batching, event, events } from '../../../support/rig/batching.ts'
import { createRig, freshStore, START_MS, type SubscriptionInput } from '../../../support/rig/builders.ts'

beforeEach(freshStore)

const termsOf = (id: string) => ({ id, nowMs: START_MS, expiresAtMs: START_MS + 90_000, pairsMax: 100 })
const seqsOf = (claim: { pairs: { seq: number }[] } | null | undefined) =>
  claim?.pairs.map(({ seq }) => seq) ?? []

async function claimFor(subscriptionNo: number, id: string) {
  const { claimed } = await claimPaced(
    env.DB,
    { ...termsOf(id), subscriptionNo, level: 'limited', batchesMax: 10, scheduledUntilMs: START_MS },
    { mode: 'flushed', cause: 'count', noFloor: 0 },
  )
  return claimed?.claim
}

/** Three deliveries of a paced subscription in hand, in a claim that names it, or in one from before there was a name. */
async function inHand(isNamed: boolean) {
  const rig = await createRig()
  const { no } = await rig.subscribe({ concurrency: 5 })
  await rig.publish(event('a'), event('b'), event('c'))
  const seqs = seqsOf(await claimFor(no, 'held'))
  expect(seqs).toHaveLength(3)
  if (!isNamed) await env.DB.prepare('UPDATE claim SET paced_no = NULL').run()
  await env.DB.prepare('UPDATE delivery SET due_at_ms = ?1').bind(START_MS).run()
  return { no, seq: seqs[0] ?? 0 }
}

describe.each([
  ['that names its subscription', true],
  ['from before claims did', false],
])('what a paced claim %s has in hand', (_, isNamed) => {
  test('is not claimed again', async () => {
    const { no } = await inHand(isNamed)
    expect(await claimFor(no, 'other')).toBeUndefined()
  })

  test('is not retried for a person', async () => {
    const { no, seq } = await inHand(isNamed)
    expect(await claimDelivery(env.DB, termsOf('other'), { subscriptionNo: no, seq })).toBeNull()
  })

  test('is not taken as due when the pacing has been dropped', async () => {
    const { no } = await inHand(isNamed)
    await env.DB.prepare('UPDATE subscription SET pacing_level = 0').run()
    const due = { perSubscription: 100, crashesMin: 0, crashesMax: 0 }
    expect((await claimDue(env.DB, termsOf('other'), due, [no])).claim).toBeNull()
    await env.DB.prepare('UPDATE claim SET live = 0').run()
    expect(seqsOf((await claimDue(env.DB, termsOf('another'), due, [no])).claim)).toHaveLength(3)
  })

  test('is nothing to other subscriptions', async () => {
    await inHand(isNamed)
    const rig = await createRig()
    const other = await rig.subscribe({ concurrency: 5 })
    await rig.publish(event('d'))
    expect(seqsOf(await claimFor(other.no, 'other'))).toHaveLength(1)
  })
})

test.each([
  [1_000_000, 10],
  [5_000_000, 2],
  [1_000, 10],
])(
  'of batches of up to %d bytes no more are claimed at once than fit in memory: %d',
  async (maxBytes, count) => {
    const rig = await createRig()
    const { no } = await rig.subscribe({ batchSettings: batching({ maxEvents: 1, maxBytes }) })
    await rig.publish(...events(30))
    const { claimed } = await claimPaced(
      env.DB,
      { ...termsOf('a'), subscriptionNo: no, level: 'limited', batchesMax: 10, scheduledUntilMs: START_MS },
      { mode: 'full', cause: 'count', noFloor: 0 },
    )
    expect(claimed?.batches).toHaveLength(count)
  },
)

describe('events scheduled ahead beside a backlog', () => {
  /** Numbers of the backlog, and of one event in half a second and one in two seconds. */
  async function scheduled(settings: SubscriptionInput) {
    const rig = await createRig()
    const { no } = await rig.subscribe({ rateLimit: { requests: 10, perSeconds: 1 }, ...settings })
    await rig.publish(...events(3))
    for (const inMs of [500, 2_000]) {
      await rig.publish({ ...event('at'), deliverAtMs: START_MS + inMs })
    }
    const rows = (await rig.deliveries()).toSorted((one, other) => one.seq - other.seq)
    return { no, seqs: rows.map(({ seq }) => seq) }
  }

  const claim = async (no: number, pairsMax: number, untilMs = START_MS + 1_000) => {
    const terms = { ...termsOf('a'), pairsMax, subscriptionNo: no, level: 'limited' as const, batchesMax: 10 }
    const batching = { mode: 'flushed' as const, cause: 'count' as const, noFloor: 0 }
    const { claimed } = await claimPaced(env.DB, { ...terms, scheduledUntilMs: untilMs }, batching)
    return seqsOf(claimed?.claim)
  }

  test('are taken before it, until the last time of the grant', async () => {
    const { no, seqs } = await scheduled({})
    expect(await claim(no, 2)).toEqual([seqs[0], seqs[3]])
  })

  test('are not taken ahead where an order is kept', async () => {
    const { no, seqs } = await scheduled({ ordered: true })
    expect(await claim(no, 5)).toEqual(seqs.slice(0, 3))
  })

  test('are not taken ahead once they were tried: their retries have times of their own', async () => {
    const { no, seqs } = await scheduled({})
    await env.DB.prepare('UPDATE delivery SET attempts = 1 WHERE seq = ?1').bind(seqs[3]).run()
    expect(await claim(no, 5)).toEqual(seqs.slice(0, 3))
  })
})

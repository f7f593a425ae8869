import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import type { AttemptRecord } from '../../../../src/deliver/attempt/attempt.ts'
import type { ReceiverStateChange } from '../../../../src/deliver/settle/receiver-state.sql.ts'
import { type Settlement, settle } from '../../../../src/deliver/settle/settle.sql.ts'
import { settleWithRetries } from '../../../../src/deliver/settle/settle.ts'
import { earlierAttempts } from '../../../../src/history/attempt-log.sql.ts'
import { rollUpStatistics, totalCounters } from '../../../../src/history/statistics.sql.ts'
import { reapClaims } from '../../../../src/operate/sweep.sql.ts'
import {
  claimAll,
  failure,
  naiveCounters,
  record,
  rowsOf,
  settlement,
} from '../../../support/rig/attempts.ts'
import { createRig, freshStore, START_MS } from '../../../support/rig/builders.ts'
import { type Around, watchD1 } from '../../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const TABLES = ['delivery', 'attempt', 'response_text', 'claim', 'statistic', 'subscription']

async function dump(): Promise<Record<string, unknown>> {
  return Object.fromEntries(await Promise.all(TABLES.map(async (table) => [table, await rowsOf(table)])))
}

/** A claim of five first attempts. */
async function claimed(id = 'claim') {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish({}, {}, {}, {}, {})
  const claim = await claimAll(rig.workspaceNo, id)
  return { rig, subscription, pairs: claim?.pairs ?? [] }
}

const apply = (claimId: string, attempts: AttemptRecord[]) =>
  settle(env.DB, settlement(claimId, attempts), START_MS)

/** A settlement with something of everything. */
async function mixed(): Promise<Settlement> {
  const { subscription, pairs } = await claimed()
  const [a, b, c, d, e] = pairs as [
    (typeof pairs)[0],
    (typeof pairs)[0],
    (typeof pairs)[0],
    (typeof pairs)[0],
    (typeof pairs)[0],
  ]
  const common = { type: 'invoice.paid', isTest: false }
  return {
    ...settlement('claim', [
      record(a, { response: 'long '.repeat(100) }),
      failure(b, 1, START_MS + 5_000),
      failure(c, 1, null),
    ]),
    waiting: [{ ...common, subscriptionNo: d.subscriptionNo, seq: d.seq, dueAtMs: START_MS + 30_000 }],
    skips: [{ ...common, subscriptionNo: e.subscriptionNo, seq: e.seq, reason: 'disabled' }],
    defers: [],
    receiverChanges: [conditionOf(subscription)],
  }
}

/** All that a claim may have learned of a receiver. */
function conditionOf({ no, workspaceNo }: { no: number; workspaceNo: number }): ReceiverStateChange {
  return {
    ...{ subscriptionNo: no, workspaceNo, health: 'suspect', announced: 50, disable: null, enable: false },
    breaker: {
      kind: 'add',
      faults: 3,
      throttledUntilMs: START_MS + 60_000,
      nowMs: START_MS,
      jitterPermille: 1000,
    },
    budget: { successes: 0, failures: 3 },
  }
}

test('settling twice changes nothing', async () => {
  const once = await mixed()
  await settle(env.DB, once, START_MS)
  const before = await dump()
  await settle(env.DB, once, START_MS)
  expect(await dump()).toEqual(before)
})

test('settling again after the statistics were folded counts nothing twice', async () => {
  const once = await mixed()
  await settle(env.DB, once, START_MS)
  await rollUpStatistics(env.DB, 100)
  const before = await dump()
  await settle(env.DB, once, START_MS)
  await rollUpStatistics(env.DB, 100)
  expect(await dump()).toEqual(before)
})

test('a settlement that D1 reports as failed although it was committed is tried again without harm', async () => {
  const once = await mixed()
  let failures = 0
  const failAfter: Around = async (_, run) => {
    const results = await run()
    if (failures++ === 0) throw new Error('the answer was lost')
    return results
  }
  await settleWithRetries(
    watchD1(env.DB, failAfter),
    once,
    () => START_MS,
    () => 0,
  )
  const twice = await dump()
  await settle(env.DB, once, START_MS)
  expect([failures, await dump()]).toEqual([2, twice])
})

test.each([
  ['success', 1],
  ['failed', 2],
  ['pending', 0],
  ['skipped', 3],
])('an outcome is recorded as %s', async (_, state) => {
  await settle(env.DB, await mixed(), START_MS)
  expect((await rowsOf('delivery')).filter((row) => row['state'] === state)).not.toEqual([])
})

test.each([
  ['a success', (pair: { subscriptionNo: number; seq: number }) => record(pair)],
  ['a failure for good', (pair: { subscriptionNo: number; seq: number }) => failure(pair, 1, null)],
])('an outcome for a delivery that has ended as %s changes nothing of it', async (_, end) => {
  const { pairs } = await claimed()
  await apply('claim', [end(pairs[0]!)])
  const before = await rowsOf('delivery')
  for (const late of [
    record(pairs[0]!, { attemptNo: 2 }),
    failure(pairs[0]!, 2, START_MS),
    failure(pairs[0]!, 1, null),
  ])
    await apply('late', [late])
  expect(await rowsOf('delivery')).toEqual(before)
})

test('an outcome for a delivery that has ended is not counted', async () => {
  const { rig, subscription, pairs } = await claimed()
  await apply('claim', [record(pairs[0]!)])
  await claimAll(rig.workspaceNo, 'late')
  await apply('late', [record(pairs[0]!), failure(pairs[0]!, 2, null)])
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)).toEqual(
    naiveCounters([record(pairs[0]!)]),
  )
})

test('the end of a delivery that two consumers attempted is the first one recorded', async () => {
  const { pairs } = await claimed()
  await apply('claim', [failure(pairs[0]!, 1, START_MS + 5_000)])
  await apply('other', [record(pairs[0]!)])
  expect(await rowsOf('delivery')).toMatchObject([{ state: 2, attempts: 1, status: 500 }])
})

/** A delivery that failed twice and then succeeded. */
async function history() {
  const { subscription, pairs } = await claimed()
  const pair = pairs[0]!
  await apply('claim', [failure(pair, 1, START_MS)])
  await apply('second', [failure(pair, 2, START_MS)])
  await apply('third', [record(pair, { attemptNo: 3, response: 'x'.repeat(300) })])
  return { subscription, pair }
}

test('every attempt before the last is kept in order', async () => {
  const { subscription, pair } = await history()
  const attempts = await earlierAttempts(env.DB, subscription.no, [pair.seq])
  expect(attempts.map(({ n, status, response }) => [n, status, response])).toEqual([
    [1, 500, 'no 1'],
    [2, 500, 'no 2'],
  ])
})

test('the last attempt is in the row of its delivery', async () => {
  await history()
  expect(await rowsOf('delivery')).toMatchObject([{ state: 1, attempts: 3, status: 200, due_at_ms: null }])
})

test('a long response is kept whole beside its delivery', async () => {
  await history()
  expect(await rowsOf('response_text')).toMatchObject([{ n: 3, text: 'x'.repeat(300) }])
})

test('a claim ends with its last part and keeps its pairs until then', async () => {
  const { pairs } = await claimed()
  const part = (n: number, last: boolean, at: number) =>
    settle(env.DB, { ...settlement('claim', [record(pairs[at]!)]), part: n, last }, START_MS)
  const states = []
  for (const [n, last] of [
    [0, false],
    [1, false],
    [2, true],
  ] as const) {
    await part(n, last, n)
    const [claim] = await rowsOf('claim')
    states.push([claim?.['live'], JSON.parse(String(claim?.['pairs'])).length])
  }
  expect(states).toEqual([
    [1, 5],
    [1, 5],
    [0, 0],
  ])
})

test('a part frees the pairs that its claim does not go on with', async () => {
  const { pairs } = await claimed()
  const part = { ...settlement('claim', [record(pairs[0]!)]), last: false, kept: pairs.slice(1) }
  const inHand = async () => JSON.parse(String((await rowsOf('claim'))[0]?.['pairs'])).length
  await settle(env.DB, part, START_MS)
  expect(await inHand()).toBe(4)
  await settle(env.DB, { ...part, part: 1, kept: pairs.slice(3) }, START_MS)
  // The first part comes again: it was counted.
  await settle(env.DB, part, START_MS)
  expect(await inHand()).toBe(2)
})

test('a part gives a claim that was taken back no pairs again', async () => {
  const { pairs } = await claimed()
  await reapClaims(env.DB, START_MS + 100_000, 10)
  const part = { ...settlement('claim', [record(pairs[0]!)]), last: false, kept: pairs.slice(1) }
  await settle(env.DB, part, START_MS + 100_000)
  await reapClaims(env.DB, START_MS + 200_000, 10)
  expect((await rowsOf('delivery')).map((row) => row['crashes'])).toEqual([0, 1, 1, 1, 1])
})

test('the parts of a claim are counted together', async () => {
  const { subscription, pairs } = await claimed()
  const first = { ...settlement('claim', [record(pairs[0]!), failure(pairs[1]!, 1, null)]), last: false }
  await settle(env.DB, first, START_MS)
  await settle(env.DB, { ...settlement('claim', [record(pairs[2]!)]), part: 1 }, START_MS)
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)).toEqual(
    naiveCounters([record(pairs[0]!), failure(pairs[1]!, 1, null), record(pairs[2]!)]),
  )
})

test('a test event is not counted', async () => {
  const { subscription, pairs } = await claimed()
  await apply('claim', [record(pairs[0]!, { isTest: true })])
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)).toBe(undefined)
})

test('statistics folded twice are counted once', async () => {
  const { subscription, pairs } = await claimed()
  await apply('claim', [record(pairs[0]!)])
  await Promise.all([rollUpStatistics(env.DB, 100), rollUpStatistics(env.DB, 100)])
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)?.delivered).toBe(1)
})

test('statistics read the same before and after they are folded', async () => {
  const { subscription, pairs } = await claimed()
  await apply('claim', [record(pairs[0]!), failure(pairs[1]!, 1, null), failure(pairs[2]!, 1, START_MS)])
  const before = await totalCounters(env.DB, [subscription.no])
  await rollUpStatistics(env.DB, 100)
  expect(await totalCounters(env.DB, [subscription.no])).toEqual(before)
})

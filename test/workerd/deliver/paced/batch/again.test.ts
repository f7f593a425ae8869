import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { totalCounters } from '../../../../../src/history/statistics.sql.ts'
import { hintReplay } from '../../../../../src/replay/start.ts'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  ask,
  batchOf,
  batchRows,
  batchScene,
  drainAfter,
  events,
  ids,
  idsIn,
  inTurn,
  logOf,
  ringAfter,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { answer, freshStore, type Receiver, type Rig } from '../../../../support/rig/builders.ts'
import { FAILED, PENDING, SUCCESS } from '../../../../support/rig/receiver-state.ts'
import { selection, start } from '../../../../support/rig/replays.ts'
import { clientOf, deliver } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const SECOND = 1000
const WAIT_MS = 300_000
const once = { retryPolicy: { schedule: [] } }

/** Three events whose batch has failed for good. */
async function exhausted(later: Receiver = answer(200)) {
  const { rig, subscription } = await batchScene(inTurn(answer(500), later), once)
  await rig.publish(...events(3))
  await rig.drain()
  expect(await statesOf(rig, subscription)).toEqual([FAILED, FAILED, FAILED])
  return { rig, subscription }
}

async function retry(rig: Rig, subscription: Subscription, ...which: number[]): Promise<void> {
  const log = await logOf(rig, subscription)
  for (const n of which) await ask(rig, 'POST', `/deliveries/${log[n]?.id}/retry`)
  await rig.drain()
}

describe('a delivery that a person retries', () => {
  test('goes at once, in a batch of its own under another id', async () => {
    const { rig, subscription } = await exhausted()
    await retry(rig, subscription, 1)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ['e1']])
    const [first, second] = rig.posts.map(batchOf)
    expect(second?.batch).toBe(true)
    expect(second?.batchId).not.toBe(first?.batchId)
    expect(await statesOf(rig, subscription)).toEqual([FAILED, SUCCESS, FAILED])
  })

  test('while its batch is still to be sent again is not sent again with it', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await retry(rig, subscription, 1)
    await drainAfter(rig, 10 * SECOND)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ['e1'], ['e0', 'e2']])
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('and that fails again, while its batch is still to be sent, arrives once in the end', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await retry(rig, subscription, 1)
    for (let rounds = 0; rounds < 4; rounds++) {
      await drainAfter(rig, 20 * SECOND)
      await rig.sweep()
      await rig.drain()
    }
    expect(rig.posts.slice(2).flatMap(idsIn).toSorted()).toEqual(ids(3))
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
    expect((await batchRows(subscription)).filter(({ due_at_ms }) => due_at_ms !== null)).toEqual([])
  })

  test('leaves what waits for its batch where it is', async () => {
    const { rig, subscription } = await exhausted()
    await rig.publish(...events(2, 3))
    await rig.drain()
    await retry(rig, subscription, 0)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ['e0']])
    expect((await statesOf(rig, subscription)).slice(3)).toEqual([PENDING, PENDING])
  })
})

describe('a replay of a batching subscription', () => {
  async function replay(rig: Rig, subscription: Subscription, change: Parameters<typeof selection>[0] = {}) {
    const replay = await start(rig, selection(change), subscription)
    await hintReplay(rig.relay.hints, rig.relay.log, replay.no)
    for (let rounds = 0; rounds < 3; rounds++) {
      await rig.drain()
      await rig.sweep()
      rig.clock.nowMs += SECOND
    }
    await rig.drain()
  }

  test('of failures leaves at once, in batches, in accepted order', async () => {
    const { rig, subscription } = await exhausted()
    await replay(rig, subscription)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3)])
    expect((await batchRows(subscription)).map(({ cause }) => cause)).toEqual(['count', 'due'])
    const [first, second] = rig.posts.map(batchOf)
    expect(second?.batchId).not.toBe(first?.batchId)
    const log = await logOf(rig, subscription)
    expect(log.map(({ status, batchId }) => [status, batchId])).toEqual(
      Array(3).fill(['success', second?.batchId]),
    )
  })

  test('of what has arrived sends it once more, up to its limits', async () => {
    const { rig, subscription } = await batchScene(answer(200))
    await rig.publish(...events(9))
    await rig.drain()
    const before = rig.posts.length
    await replay(rig, subscription, { statuses: ['success'] })
    expect(rig.posts.slice(before).flatMap(idsIn).toSorted()).toEqual(ids(9))
    for (const members of rig.posts.slice(before).map(idsIn)) expect(members.length).toBeLessThanOrEqual(3)
    expect(await statesOf(rig, subscription)).toEqual(Array(9).fill(SUCCESS))
  })

  test('does not wait for company and takes nothing along that does', async () => {
    const { rig, subscription } = await exhausted()
    await rig.publish(...events(2, 3))
    await replay(rig, subscription)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3)])
    await ringAfter(rig, subscription, WAIT_MS)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3), ids(2, 3)])
  })

  test('that fails follows the policy anew', async () => {
    const { rig, subscription } = await batchScene(
      inTurn(answer(500), answer(500), answer(500), answer(200)),
      { retryPolicy: { schedule: [5] } },
    )
    await rig.publish(...events(3))
    await rig.drain()
    await drainAfter(rig, 5 * SECOND)
    expect(await statesOf(rig, subscription)).toEqual([FAILED, FAILED, FAILED])
    await replay(rig, subscription)
    await drainAfter(rig, 5 * SECOND)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3), ids(3), ids(3)])
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })
})

test('a test event goes at once, as a batch of one, and leaves what waits where it is', async () => {
  const { rig, subscription } = await batchScene(answer(200))
  await rig.publish(...events(2))
  await rig.drain()
  const answered = clientOf(rig).post<{ success: boolean }>(`/webhooks/${subscription.id}/test`, {})
  await deliver(rig)
  expect((await answered).data.success).toBe(true)
  expect(rig.posts).toHaveLength(1)
  expect(rig.posts.map((post) => batchOf(post).events.length)).toEqual([1])
  expect((await statesOf(rig, subscription)).slice(0, 2)).toEqual([PENDING, PENDING])
  await rig.publish(...events(1, 2))
  await rig.drain()
  expect(rig.posts.slice(1).map(idsIn)).toEqual([ids(3)])
})

describe('the statistics of a batching subscription', () => {
  async function figures(rig: Rig, { id, no }: Subscription) {
    await rig.sweep()
    const { data } = await clientOf(rig).get(`/webhooks/${id}/statistics`)
    const counters = (await totalCounters(env.DB, [no])).get(no)
    const answered = counters?.histogram.reduce((sum, count) => sum + count, 0)
    return { ...data, requests: counters?.attempts, answered }
  }

  test('count events as delivered, and requests as attempts', async () => {
    const { rig, subscription } = await batchScene(answer(200))
    await rig.publish(...events(6))
    await rig.drain()
    expect(await figures(rig, subscription)).toMatchObject({
      ...{ totalDelivered: 6, totalFailed: 0, successRate: 100 },
      ...{ requests: 2, answered: 2 },
    })
  })

  test('count each request for the same batch', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    expect(await figures(rig, subscription)).toMatchObject({ totalDelivered: 0, requests: 1, answered: 1 })
    await drainAfter(rig, 10 * SECOND)
    expect(await figures(rig, subscription)).toMatchObject({ totalDelivered: 3, requests: 2, answered: 2 })
  })

  test('count events as failed once their batch has failed for good, and not before', async () => {
    const { rig, subscription } = await batchScene(answer(500), { retryPolicy: { schedule: [10] } })
    await rig.publish(...events(3))
    await rig.drain()
    expect(await figures(rig, subscription)).toMatchObject({ totalDelivered: 0, totalFailed: 0 })
    await drainAfter(rig, 10 * SECOND)
    expect(await figures(rig, subscription)).toMatchObject({ totalDelivered: 0, totalFailed: 3 })
  })

  test('no longer count as failed what is delivered after all', async () => {
    const { rig, subscription } = await exhausted()
    await retry(rig, subscription, 0, 1)
    expect(await figures(rig, subscription)).toMatchObject({ totalDelivered: 2, totalFailed: 1 })
  })
})

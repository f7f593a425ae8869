import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  ask,
  batching,
  batchRows,
  events,
  ids,
  idsIn,
  inTurn,
  logOf,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { answer, createRig, freshStore, type Receiver, type Rig } from '../../../../support/rig/builders.ts'
import { FAILED, PENDING, SUCCESS } from '../../../../support/rig/receiver-state.ts'

beforeEach(freshStore)

/** Ten minutes, with a sweep each minute. */
async function tenMinutes(rig: Rig): Promise<void> {
  for (let n = 0; n < 10; n++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
}

async function retry(rig: Rig, subscription: Subscription, ...which: number[]): Promise<void> {
  const log = await logOf(rig, subscription)
  for (const n of which) await ask(rig, 'POST', `/deliveries/${log[n]?.id}/retry`)
}

/** A first batch of two that has no attempt left and blocks, and two events that wait behind it. */
async function blocked(...later: Receiver[]) {
  const rig = await createRig()
  const subscription = await rig.subscribe({
    ordered: true,
    retryPolicy: { schedule: [] },
    batchSettings: batching({ maxEvents: 2 }),
  })
  rig.receivers.set(subscription.settings.url, inTurn(answer(500), ...later))
  await rig.publish(...events(4))
  await rig.drain()
  expect(rig.posts.map(idsIn)).toEqual([ids(2)])
  return { rig, subscription }
}

/** What was sent after the batch that failed. */
const sentSince = (rig: Rig) => rig.posts.slice(1).map(idsIn)

async function openBatches(subscription: Subscription): Promise<number> {
  return (await batchRows(subscription)).filter(({ due_at_ms }) => due_at_ms !== null).length
}

describe('retries that a person asks for, of a batch that blocks, though their hints are lost,', () => {
  test('are made, and what waits behind it follows', async () => {
    const { rig, subscription } = await blocked(answer(200))
    await retry(rig, subscription, 0, 1)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig).flat()).toEqual(ids(4))
    expect(await statesOf(rig, subscription)).toEqual(Array(4).fill(SUCCESS))
    expect(await openBatches(subscription)).toBe(0)
  })

  test('are made of its first event alone, and the other one goes on blocking', async () => {
    const { rig, subscription } = await blocked(answer(200))
    await retry(rig, subscription, 0)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([['e0']])
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, FAILED, PENDING, PENDING])
    await retry(rig, subscription, 1)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([['e0'], ['e1'], ['e2', 'e3']])
  })

  test('wait for those before them that block', async () => {
    const { rig, subscription } = await blocked(answer(200))
    await retry(rig, subscription, 1)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([])
    await retry(rig, subscription, 0)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig).flat()).toEqual(ids(4))
  })

  test('are made of an event of it that had expired, before those that block', async () => {
    const { rig, subscription } = await blocked(answer(200))
    await env.DB.prepare(
      `UPDATE delivery SET state = 3, due_at_ms = NULL, error = 'expired' WHERE seq = (SELECT min(seq) FROM delivery)`,
    ).run()
    await retry(rig, subscription, 0)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([['e0']])
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, FAILED, PENDING, PENDING])
  })

  test('block anew when they fail', async () => {
    const { rig, subscription } = await blocked(answer(500), answer(200))
    await retry(rig, subscription, 0, 1)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([ids(2)])
    expect(await statesOf(rig, subscription)).toEqual([FAILED, FAILED, PENDING, PENDING])
    await retry(rig, subscription, 0, 1)
    rig.retries.lose()
    await tenMinutes(rig)
    expect(sentSince(rig).flat()).toEqual([...ids(2), ...ids(4)])
  })
})

describe('retries that a person asks for, of a batch that blocks,', () => {
  test('are made at once, one by one, and those behind it follow the last', async () => {
    const { rig, subscription } = await blocked(answer(200))
    await retry(rig, subscription, 0)
    await rig.drain()
    expect(sentSince(rig)).toEqual([['e0']])
    await retry(rig, subscription, 1)
    await rig.drain()
    expect(sentSince(rig)).toEqual([['e0'], ['e1'], ['e2', 'e3']])
    expect(await openBatches(subscription)).toBe(0)
  })

  test('leave the other event blocked when they fail, each under its own', async () => {
    const { rig, subscription } = await blocked(answer(500), answer(200))
    await retry(rig, subscription, 0)
    await rig.drain()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([['e0']])
    expect(await statesOf(rig, subscription)).toEqual([FAILED, FAILED, PENDING, PENDING])
    const log = await logOf(rig, subscription)
    expect(log[1]?.batchId).toMatch(/^batch_/)
    await retry(rig, subscription, 0, 1)
    await rig.drain()
    await tenMinutes(rig)
    expect(sentSince(rig).slice(1).flat()).toEqual(ids(4))
  })

  test('let a cancelled event of it go, and once nothing of it is left those behind it follow', async () => {
    const { rig, subscription } = await blocked(answer(200))
    await retry(rig, subscription, 0)
    await ask(rig, 'POST', '/events/e1/cancel')
    await rig.drain()
    await tenMinutes(rig)
    expect(sentSince(rig)).toEqual([['e0'], ['e2', 'e3']])
  })
})

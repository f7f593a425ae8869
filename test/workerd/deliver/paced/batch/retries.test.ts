import { beforeEach, describe, expect, test } from 'vitest'
import {
  batching,
  batchOf,
  batchRows,
  batchScene,
  drainAfter,
  event,
  events,
  expectBatches,
  ids,
  idsIn,
  inTurn,
  logOf,
  ringAfter,
  statesOf,
} from '../../../../support/rig/batching.ts'
import {
  answer,
  createRig,
  freshStore,
  hang,
  type Receiver,
  type Rig,
  START_MS,
} from '../../../../support/rig/builders.ts'
import {
  FAILED,
  FIRST_HOLD_MS,
  PENDING,
  rowsTo,
  SUCCESS,
  stateOf,
} from '../../../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const SECOND = 1000
const WAIT_MS = 300_000

describe('a batch that fails', () => {
  test('is sent again as it was: same members, same bytes, same id', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await drainAfter(rig, 9_999)
    expect(rig.posts).toHaveLength(1)
    await drainAfter(rig, 1)
    const [first, second] = rig.posts
    expect(rig.posts).toHaveLength(2)
    expect(second?.body).toBe(first?.body)
    expect(second?.headers.get('webhook-id')).toBe(first?.headers.get('webhook-id'))
    expect(second?.headers.get('webhook-timestamp')).toBe(String(START_MS / 1000 + 10))
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('shows each attempt in the log of each member, all under its id', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(503), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await drainAfter(rig, 10 * SECOND)
    await drainAfter(rig, 20 * SECOND)
    const batchId = rig.posts[0] === undefined ? '' : batchOf(rig.posts[0]).batchId
    const log = await logOf(rig, subscription)
    expect(log.map(({ eventId }) => eventId)).toEqual(ids(3))
    for (const row of log) {
      expect(row).toMatchObject({ status: 'success', retryCount: 2, batchId, nextRetryAt: null })
      expect(row.attempts.map(({ attempt, responseCode }) => [attempt, responseCode])).toEqual([
        [1, 500],
        [2, 503],
        [3, 200],
      ])
    }
  })

  test('follows the policy and then has failed, with each of its members', async () => {
    const { rig, subscription } = await batchScene(answer(500))
    await rig.publish(...events(3))
    await rig.drain()
    for (const seconds of [10, 20, 30]) {
      const due = rig.clock.nowMs + seconds * SECOND
      expect((await rowsTo(rig, subscription)).map(({ due_at_ms }) => due_at_ms)).toEqual([due, due, due])
      await drainAfter(rig, seconds * SECOND)
    }
    await drainAfter(rig, WAIT_MS)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(4)
    expect(await rowsTo(rig, subscription)).toMatchObject(
      Array(3).fill({ state: FAILED, due_at_ms: null, attempts: 4 }),
    )
    expect((await logOf(rig, subscription)).map(({ nextRetryAt }) => nextRetryAt)).toEqual([null, null, null])
    expect(await batchRows(subscription)).toMatchObject([{ due_at_ms: null, body: null, attempts: 4 }])
  })

  test('takes nobody along: what comes meanwhile has a batch of its own', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await rig.publish(...events(2, 3))
    await drainAfter(rig, 10 * SECOND)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3)])
    await rig.publish(event('e5'))
    await rig.drain()
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3), ids(3, 3)])
    expect(await statesOf(rig, subscription)).toEqual(Array(6).fill(SUCCESS))
  })

  test('is not sent twice by retries whose hints are doubled', async () => {
    const { rig } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    rig.retries.double()
    rig.clock.nowMs += 10 * SECOND
    await rig.consume(rig.retries)
    rig.paced.double()
    await rig.drain()
    expect(rig.posts).toHaveLength(2)
  })

  test('is found by the sweep when its wake-up is lost', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    rig.retries.lose()
    rig.clock.nowMs += 60 * SECOND
    await rig.sweep()
    await rig.drain()
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('of a receiver that never answers has timed out', async () => {
    const { rig, subscription } = await batchScene(inTurn(hang, answer(200)), { timeoutSeconds: 0.05 })
    await rig.publish(...events(3))
    await rig.drain()
    expect(await rowsTo(rig, subscription)).toMatchObject(
      Array(3).fill({ state: FAILED, error: 'timeout_headers', due_at_ms: START_MS + 10 * SECOND }),
    )
    await drainAfter(rig, 10 * SECOND)
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('waits as long as its receiver asks, and so does the next one', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(429, { 'Retry-After': '60' }), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await rig.publish(...events(3, 3))
    await drainAfter(rig, 59_999)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(1)
    await drainAfter(rig, 1)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts.slice(1).map(idsIn).toSorted()).toEqual([ids(3), ids(3, 3)])
    expect(await statesOf(rig, subscription)).toEqual(Array(6).fill(SUCCESS))
  })

  test('is final where its policy says so', async () => {
    const { rig, subscription } = await batchScene(answer(404), {
      retryPolicy: { schedule: [10], retryClientErrors: false },
    })
    await rig.publish(...events(3))
    await rig.drain()
    await drainAfter(rig, WAIT_MS)
    expect(rig.posts).toHaveLength(1)
    expect(await rowsTo(rig, subscription)).toMatchObject(Array(3).fill({ state: FAILED, due_at_ms: null }))
  })

  test('of a receiver that is gone disables its subscription; what waits is skipped', async () => {
    const { rig, subscription } = await batchScene(answer(410))
    await rig.publish(...events(4))
    await rig.drain()
    await ringAfter(rig, subscription, WAIT_MS)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts.map(idsIn)).toEqual([ids(3)])
    expect(await stateOf(subscription)).toMatchObject({ active: 0, disabled_reason: 'gone' })
    const log = await logOf(rig, subscription)
    expect(log.map(({ status, reason }) => [status, reason])).toEqual([
      ...Array(3).fill(['failed', null]),
      ['skipped', 'gone'],
    ])
  })
})

describe('a batch whose receiver is down', () => {
  const retryPolicy = { schedule: Array.from({ length: 20 }, () => 3600) }

  /** Ten batches of one have failed. */
  async function held(receiver: Receiver) {
    const { rig, subscription } = await batchScene(receiver, {
      batchSettings: batching({ maxEvents: 1 }),
      retryPolicy,
    })
    for (let n = 0; n < 10; n++) {
      await rig.publish(event(`e${n}`))
      await rig.drain()
    }
    expect(await stateOf(subscription)).toMatchObject({ faults_in_row: 10 })
    return { rig, subscription }
  }

  test('is not even bound while the breaker is open', async () => {
    const { rig, subscription } = await held(answer(500))
    await rig.publish(...events(5, 10))
    await drainAfter(rig, FIRST_HOLD_MS - 1)
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(10)
    expect(await batchRows(subscription)).toHaveLength(10)
    expect((await statesOf(rig, subscription)).slice(10)).toEqual(Array(5).fill(PENDING))
  })

  test('is probed once, and everything follows when that arrives', async () => {
    let isDown = true
    const { rig, subscription } = await held(() => new Response('', { status: isDown ? 500 : 200 }))
    await rig.publish(...events(5, 10))
    rig.clock.nowMs += FIRST_HOLD_MS
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(11)
    isDown = false
    rig.clock.nowMs += WAIT_MS
    await rig.sweep()
    await rig.drain()
    rig.clock.nowMs += 3_600_000
    await rig.sweep()
    await rig.drain()
    expect(await statesOf(rig, subscription)).toEqual(Array(15).fill(SUCCESS))
    expect(rig.posts.slice(11).flatMap(idsIn).toSorted()).toEqual(ids(15).toSorted())
  })
})

test('an answer that is long is stored once, with the first of its members', async () => {
  const text = 'z'.repeat(2_000)
  const { rig, subscription } = await batchScene(() => new Response(text, { status: 500 }))
  await rig.publish(...events(3))
  await rig.drain()
  const log = await logOf(rig, subscription)
  expect(log.map(({ attempts: [one] }) => one?.responseBody)).toEqual([text, null, null])
})

test('each isolate sends a batch that is due once', async () => {
  const { rig: one, subscription } = await batchScene(inTurn(answer(500), answer(200)))
  const other: Rig = await createRig({ world: one.world, workspace: one.workspace })
  await one.publish(...events(3))
  await one.drain()
  one.clock.nowMs += 10 * SECOND
  one.retries.double()
  await Promise.all([one.drain(), other.drain(), one.sweep().then(() => one.drain())])
  await expectBatches(one, subscription, [
    ['count', ids(3)],
    ['count', ids(3)],
  ])
})

import { beforeEach, describe, expect, test } from 'vitest'
import {
  batching,
  batchOf,
  batchRows,
  batchScene,
  drainAfter,
  events,
  ids,
  idsIn,
  logOf,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { freshStore, type Receiver } from '../../../../support/rig/builders.ts'
import { FAILED, rowsTo, SUCCESS, stateOf } from '../../../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const SECOND = 1000

describe('a batch that its receiver finds too large', () => {
  const tooLargeAbove =
    (count: number): Receiver =>
    (post) =>
      new Response('', { status: idsIn(post).length > count ? 413 : 200 })

  test('is halved at once, again and again, in accepted order', async () => {
    const { rig, subscription } = await batchScene(tooLargeAbove(2), {
      batchSettings: batching({ maxEvents: 9 }),
    })
    await rig.publish(...events(9))
    await rig.drain()
    const arrived = rig.posts.map(idsIn).filter((members) => members.length <= 2)
    expect(arrived.flat().toSorted()).toEqual(ids(9))
    for (const members of arrived) expect(members).toEqual(members.toSorted())
    expect(rig.posts.map((post) => idsIn(post).length).toSorted((a, b) => b - a)).toEqual([
      9, 5, 4, 3, 2, 2, 2, 2, 1,
    ])
    expect(await statesOf(rig, subscription)).toEqual(Array(9).fill(SUCCESS))
    const ended = await batchRows(subscription)
    expect(ended.filter(({ due_at_ms }) => due_at_ms !== null)).toEqual([])
    expect(new Set(rig.posts.map((post) => batchOf(post).batchId)).size).toBe(9)
  })

  test('counts the attempts that were too large in the log of its members', async () => {
    const { rig, subscription } = await batchScene(tooLargeAbove(1), {
      batchSettings: batching({ maxEvents: 2 }),
    })
    await rig.publish(...events(2))
    await rig.drain()
    for (const row of await logOf(rig, subscription)) {
      expect(row.attempts.map(({ responseCode }) => responseCode)).toEqual([413, 200])
      expect(row.batchId).toBe(
        rig.posts
          .slice(1)
          .map(batchOf)
          .find(({ events: [one] }) => one?.id === row.eventId)?.batchId,
      )
    }
  })

  test('leaves in the end the one event that is too large: it fails by the policy, the others arrive', async () => {
    const { rig, subscription } = await batchScene(
      (post) => new Response('', { status: idsIn(post).includes('e4') ? 413 : 200 }),
      { batchSettings: batching({ maxEvents: 8 }) },
    )
    await rig.publish(...events(8))
    await rig.drain()
    const others = ids(8).filter((id) => id !== 'e4')
    const arrived = () =>
      rig.posts
        .map(idsIn)
        .filter((members) => !members.includes('e4'))
        .flat()
    expect(arrived().toSorted()).toEqual(others)
    const alone = () => rig.posts.filter((post) => idsIn(post).join() === 'e4')
    expect(alone()).toHaveLength(1)
    for (let round = 0; round < 5; round++) {
      await drainAfter(rig, 30 * SECOND)
      await rig.sweep()
      await rig.drain()
    }
    const states = await rowsTo(rig, subscription)
    expect(states.filter(({ state }) => state !== SUCCESS)).toMatchObject([
      { state: FAILED, status: 413, due_at_ms: null },
    ])
    expect(arrived().toSorted()).toEqual(others)
    expect(new Set(alone().map(({ body }) => body)).size).toBe(1)
  })

  test('does not open the breaker', async () => {
    const { rig, subscription } = await batchScene(tooLargeAbove(1), {
      batchSettings: batching({ maxEvents: 32 }),
    })
    await rig.publish(...events(32))
    await rig.drain()
    expect(await statesOf(rig, subscription)).toEqual(Array(32).fill(SUCCESS))
    expect(await stateOf(subscription)).toMatchObject({ faults_in_row: 0 })
  })

  test('is final at once where its policy does not retry client errors, but for what is halved', async () => {
    const { rig, subscription } = await batchScene(tooLargeAbove(2), {
      batchSettings: batching({ maxEvents: 4 }),
      retryPolicy: { schedule: [], retryClientErrors: false },
    })
    await rig.publish(...events(4))
    await rig.drain()
    expect(await statesOf(rig, subscription)).toEqual(Array(4).fill(SUCCESS))
  })
})

import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { CRASHES_MAX } from '../../../../../src/model/delivery.ts'
import { rowsOf } from '../../../../support/rig/attempts.ts'
import {
  batching,
  batchOf,
  batchRows,
  events,
  ids,
  idsIn,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { createRig, createWorld, freshStore } from '../../../../support/rig/builders.ts'
import { mortalDb } from '../../../../support/rig/d1-watch.ts'
import { FAILED, rowsTo, SUCCESS } from '../../../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const AFTER_LEASE_MS = 91_000

/** Batches of five, and consumers that die `crashes` times of a request with one of the events. */
async function poisoned(poison: string, crashes: number) {
  const world = createWorld()
  const rig = await createRig({ world, workspace: 'ws' })
  const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 5 }) })
  let left = crashes
  let died = Promise.withResolvers<void>()
  world.receivers.set(subscription.settings.url, async (post) => {
    if (idsIn(post).includes(poison) && left > 0) {
      left--
      died.resolve()
      await new Promise(() => undefined)
    }
    return new Response('ok')
  })
  await rig.publish(...events(5))
  /** A consumer on an isolate of its own that never settles, and the sweep that finds it dead. */
  const die = async () => {
    died = Promise.withResolvers<void>()
    const { db, kill } = mortalDb(env.DB)
    const doomed = await createRig({ world, workspace: 'ws', db })
    const run = doomed.drain()
    const ended = await Promise.race([died.promise.then(() => 'died'), run.then(() => 'finished')])
    kill()
    world.retries.lose()
    world.clock.nowMs += AFTER_LEASE_MS
    await rig.sweep()
    return ended
  }
  const dieOut = async () => {
    let count = 0
    while ((await die()) === 'died') count++
    return count
  }
  return { rig, world, subscription, dieOut }
}

const membersOf = ({ posts }: { posts: Parameters<typeof idsIn>[0][] }) => posts.map(idsIn)

describe('a consumer that dies of a batch', () => {
  test.each([1, 2, CRASHES_MAX - 2])(
    '%i times: the same batch is sent again, under the same id',
    async (n) => {
      const { rig, subscription, dieOut } = await poisoned('e2', n)
      expect(await dieOut()).toBe(n)
      expect(membersOf(rig)).toEqual(Array(n + 1).fill(ids(5)))
      expect(new Set(rig.posts.map((post) => batchOf(post).batchId)).size).toBe(1)
      expect(await statesOf(rig, subscription)).toEqual(Array(5).fill(SUCCESS))
    },
  )

  test('so often that its members would end: they are tried in batches of one', async () => {
    const { rig, subscription, dieOut } = await poisoned('e2', CRASHES_MAX - 1)
    expect(await dieOut()).toBe(CRASHES_MAX - 1)
    expect(membersOf(rig).slice(0, CRASHES_MAX - 1)).toEqual(Array(CRASHES_MAX - 1).fill(ids(5)))
    expect(
      membersOf(rig)
        .slice(CRASHES_MAX - 1)
        .toSorted(),
    ).toEqual(ids(5).map((id) => [id]))
    expect(await statesOf(rig, subscription)).toEqual(Array(5).fill(SUCCESS))
    expect((await batchRows(subscription)).filter(({ due_at_ms }) => due_at_ms !== null)).toEqual([])
  })

  test('again and again: the one event that kills has failed as internal, all others arrive', async () => {
    const { rig, subscription, dieOut } = await poisoned('e2', 99)
    expect(await dieOut()).toBe(CRASHES_MAX)
    const rows = await rowsTo(rig, subscription)
    expect(rows.map(({ state }) => state)).toEqual([SUCCESS, SUCCESS, FAILED, SUCCESS, SUCCESS])
    expect(rows[2]).toMatchObject({ error: 'internal', due_at_ms: null })
    expect(membersOf(rig).filter((members) => members.length === 1 && members[0] !== 'e2')).toHaveLength(4)
    expect((await batchRows(subscription)).filter(({ due_at_ms }) => due_at_ms !== null)).toEqual([])
  })

  test('does not keep later events from being delivered', async () => {
    const { rig, subscription, dieOut } = await poisoned('e2', 1)
    await rig.publish(...events(5, 5))
    await dieOut()
    await rig.sweep()
    await rig.drain()
    expect((await rowsTo(rig, subscription)).map(({ state }) => state)).toEqual(Array(10).fill(SUCCESS))
    expect((await rowsOf('claim')).filter(({ live }) => live === 1)).toEqual([])
  })

  test('and comes back after all: what it did is recorded, and nobody does it once more', async () => {
    const world = createWorld()
    const rig = await createRig({ world, workspace: 'ws' })
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 5 }) })
    const held = Promise.withResolvers<Response>()
    const asked = Promise.withResolvers<void>()
    world.receivers.set(subscription.settings.url, () => {
      asked.resolve()
      return held.promise
    })
    await rig.publish(...events(5))
    const slow = await createRig({ world, workspace: 'ws' })
    const run = slow.drain()
    await asked.promise
    world.clock.nowMs += AFTER_LEASE_MS
    await rig.sweep()
    held.resolve(new Response('late'))
    await run
    await rig.sweep()
    await rig.drain()
    expect(membersOf(rig)).toEqual([ids(5)])
    expect(await statesOf(rig, subscription)).toEqual(Array(5).fill(SUCCESS))
    expect((await batchRows(subscription)).map(({ due_at_ms }) => due_at_ms)).toEqual([null])
  })
})

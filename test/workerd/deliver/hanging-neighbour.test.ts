import { createMessageBatch } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { totalCounters } from '../../../src/history/statistics.sql.ts'
import { handleQueue } from '../../../src/queue.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { answer, createRig, freshStore, type Receiver, type Rig } from '../../support/rig/builders.ts'
import { stateOf } from '../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const RETRY_AFTER_MS = 1_000

/** One event owed to a receiver that hangs until it is told to answer, and to others, all in one claim. */
async function besideOneThatHangs(...others: Receiver[]) {
  const rig = await createRig()
  const answered = Promise.withResolvers<Response>()
  const subscribe = async (receiver: Receiver) => {
    const subscription = await rig.subscribe({ retryPolicy: { schedule: [RETRY_AFTER_MS / 1_000] } })
    rig.receivers.set(subscription.settings.url, receiver)
    return subscription
  }
  const hanging = await subscribe(() => answered.promise)
  const neighbours: Subscription[] = []
  for (const other of others) neighbours.push(await subscribe(other))
  await rig.publish({})
  const background = await beginOnce(rig)
  // The others' outcomes are written while the one receiver still hangs.
  await vi.waitFor(async () => expect(await rig.deliveries()).toHaveLength(others.length))
  const end = async () => {
    answered.resolve(new Response('late'))
    await Promise.all(background)
  }
  return { rig, hanging, neighbours, end }
}

/** Hands first attempts to their consumer, and answers the work that it has left to the background. */
async function beginOnce({ fast, relay }: Rig): Promise<Promise<unknown>[]> {
  const background: Promise<unknown>[] = []
  const batch = createMessageBatch(fast.name, fast.take())
  fast.watch(batch)
  await handleQueue({ ok: true, relay }, batch, (work) => void background.push(work))
  return background
}

const failing = answer(500)

/** Pairs that claims have in hand. */
async function pairsInHand(): Promise<number> {
  const row = await env.DB.prepare('SELECT sum(json_array_length(pairs)) AS n FROM claim').first<{
    n: number
  }>()
  return row?.n ?? 0
}

test('retries leave at their own time while a receiver of the same claim hangs', async () => {
  const { rig, hanging, neighbours, end } = await besideOneThatHangs(failing, failing, failing)
  await vi.waitFor(() => expect(rig.retries.bodies).toHaveLength(neighbours.length))
  rig.clock.nowMs += 2 * RETRY_AFTER_MS
  await rig.consume(rig.retries)
  expect(neighbours.map((each) => rig.postsTo(each).length)).toEqual([2, 2, 2])
  expect([rig.postsTo(hanging).length, await pairsInHand()]).toEqual([1, 1])
  await end()
  const rows = await rig.deliveries()
  expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual([
    [1, 1],
    [2, 2],
    [2, 2],
    [2, 2],
  ])
  const counters = await totalCounters(env.DB, [hanging.no, ...neighbours.map(({ no }) => no)])
  const sums = ({ no }: Subscription) => {
    const { delivered, failed, attempts } = counters.get(no) ?? {}
    return [delivered, failed, attempts]
  }
  expect([hanging, ...neighbours].map(sums)).toEqual([
    [1, 0, 1],
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ])
})

test('what was learned of a receiver is written with the last of its outcomes, and once', async () => {
  const { neighbours, end } = await besideOneThatHangs(failing)
  const seen = async () => await stateOf(neighbours[0] as Subscription)
  expect(await seen()).toMatchObject({ faults_in_row: 1, failed_attempts: 1 })
  await end()
  expect(await seen()).toMatchObject({ faults_in_row: 1, failed_attempts: 1 })
})

test('a consumer that crashes while one receiver hangs repeats the request to that one alone', async () => {
  const { rig, hanging, neighbours } = await besideOneThatHangs(failing, answer(200))
  const survivor = await createRig({ world: rig.world, workspace: rig.workspace })
  rig.receivers.delete(hanging.settings.url)
  rig.clock.nowMs += 95_000
  await survivor.sweep()
  await survivor.drain()
  expect(rig.postsTo(hanging)).toHaveLength(2)
  expect(neighbours.map((each) => rig.postsTo(each).length)).toEqual([2, 1])
  const crashes = (await rig.deliveries()).filter(({ crashes }) => crashes > 0)
  expect(crashes).toEqual([])
})

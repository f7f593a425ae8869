import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { hintReplay } from '../../../../../src/replay/start.ts'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  ask,
  batching,
  batchScene,
  events,
  inTurn,
  logOf,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { watchD1 } from '../../../../support/rig/d1-watch.ts'
import { SKIPPED, SUCCESS } from '../../../../support/rig/receiver-state.ts'
import { selection, start } from '../../../../support/rig/replays.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const MINUTE = 60_000

/** Lets time pass, with a sweep each minute. */
async function minutes(rig: Rig, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
  }
}

async function retry(rig: Rig, subscription: Subscription, n: number): Promise<void> {
  const log = await logOf(rig, subscription)
  await ask(rig, 'POST', `/deliveries/${log[n]?.id}/retry`)
}

describe('behind a breaker that has opened', () => {
  test('batches of several events are probed and arrive once their receiver is back', async () => {
    let isDown = true
    const rig = await createRig()
    const subscription = await rig.subscribe({
      batchSettings: batching({ maxEvents: 3 }),
      retryPolicy: { schedule: Array.from({ length: 50 }, () => 60) },
    })
    rig.receivers.set(subscription.settings.url, () => new Response('', { status: isDown ? 500 : 200 }))
    for (let n = 0; n < 10; n++) {
      await rig.publish(...events(3, n * 3))
      await rig.drain()
    }
    isDown = false
    await minutes(rig, 30)
    expect(await statesOf(rig, subscription)).toEqual(Array(30).fill(SUCCESS))
  })

  test('a batch that is left over from batching does not keep a consumer busy', async () => {
    const world = createWorld()
    Object.defineProperty(world.clock, 'nowMs', { get: () => Date.now() })
    let claims = 0
    const db = watchD1(env.DB, async ({ sql }, run) => {
      if (sql.some((text) => text.startsWith('INSERT INTO claim'))) claims++
      return await run()
    })
    const rig = await createRig({ world, db })
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3 }) })
    rig.receivers.set(subscription.settings.url, answer(500))
    await rig.publish(...events(3))
    await rig.drain()
    await env.DB.prepare('UPDATE subscription SET faults_in_row = 10, held_until_ms = 0').run()
    await env.DB.prepare('UPDATE batch SET due_at_ms = 1').run()
    const json = { batchSettings: { enabled: false } }
    await clientOf(rig).call('PATCH', `/webhooks/${subscription.id}`, { json })
    await rig.relay.hints.paced([{ no: subscription.no }])
    claims = 0
    await rig.consume(rig.paced)
    expect(claims).toBeLessThan(20)
  }, 30_000)
})

describe('a batch that waits for its retry goes on with those that are left, when one of its members', () => {
  const schedule = { retryPolicy: { schedule: [600, 600, 600] } }

  test('was retried by a person, failed again and is due before it', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(500), answer(200)), {
      retryPolicy: { schedule: [1000, 10, 10] },
    })
    await rig.publish(...events(3))
    await rig.drain()
    await retry(rig, subscription, 1)
    await rig.drain()
    await minutes(rig, 30)
    expect(await statesOf(rig, subscription)).toEqual(Array(3).fill(SUCCESS))
  })

  test('has expired and is retried by a person, whose hint is late', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), schedule)
    await rig.publish(...events(3))
    await rig.drain()
    const second = '(SELECT seq FROM delivery ORDER BY seq LIMIT 1 OFFSET 1)'
    await env.DB.prepare(
      `UPDATE delivery SET state = 3, due_at_ms = NULL, error = 'expired' WHERE seq = ${second}`,
    ).run()
    await retry(rig, subscription, 1)
    rig.retries.lose()
    await minutes(rig, 30)
    expect(await statesOf(rig, subscription)).toEqual(Array(3).fill(SUCCESS))
  })

  test('was retried by a person, arrived, and is replayed', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), schedule)
    await rig.publish(...events(3))
    await rig.drain()
    await retry(rig, subscription, 1)
    await rig.drain()
    const replay = await start(rig, selection({ statuses: ['success'] }), subscription)
    await hintReplay(rig.relay.hints, rig.relay.log, replay.no)
    await rig.drain()
    await minutes(rig, 30)
    expect(await statesOf(rig, subscription)).toEqual(Array(3).fill(SUCCESS))
  })
})

test('members that have expired end as such, though their consumer failed to record it', async () => {
  const retryPolicy = { schedule: [10, 10, 10] }
  const { rig, subscription } = await batchScene(answer(500), { retryPolicy, expiresAfterSeconds: 5 })
  await rig.publish(...events(3))
  await rig.drain()
  rig.clock.nowMs += 10_000
  const { settle } = rig.relay.work
  rig.relay.work.settle = () => Promise.reject(new Error('D1 is away'))
  await rig.drain()
  rig.relay.work.settle = settle
  await minutes(rig, 10)
  expect(await statesOf(rig, subscription)).toEqual(Array(3).fill(SKIPPED))
})

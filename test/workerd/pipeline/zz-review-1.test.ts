import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  ask, batching, batchRows, batchScene, drainAfter, event, events, ids, idsIn, inTurn, logOf, statesOf,
} from '../../support/batching.ts'
import { answer, createRig, freshStore, type Rig } from '../../support/builders.ts'
import { rowsTo, stateOf } from '../../support/receiver-state.ts'
import { flushSubscription } from '../../../src/storage/subscription-state.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'

beforeEach(freshStore)
const dump = async (rig: Rig, subscription: Subscription, label: string) => {
  console.log(label, JSON.stringify(rig.posts.map(idsIn)), JSON.stringify(await rowsTo(rig, subscription)), JSON.stringify(await batchRows(subscription)))
}

test('F1 half-open breaker, batch of several members is probed', async () => {
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
  const state = await stateOf(subscription)
  console.log('F1 state', JSON.stringify(state), rig.posts.length)
  isDown = false
  for (let i = 0; i < 30; i++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
  console.log('F1 after 30 min', rig.posts.length, JSON.stringify(await statesOf(rig, subscription)))
  expect(await statesOf(rig, subscription)).toEqual(Array(30).fill(1))
})

test('F2 manual retry that fails and is due before its batch: the rest of the batch is not lost', async () => {
  const { rig, subscription } = await batchScene(inTurn(answer(500), answer(500), answer(200)), { retryPolicy: { schedule: [1000, 10, 10, 10] } })
  await rig.publish(...events(3))
  await rig.drain()
  const log = await logOf(rig, subscription)
  await ask(rig, 'POST', `/deliveries/${log[1]?.id}/retry`)
  await rig.drain()
  for (let i = 0; i < 40; i++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
  await dump(rig, subscription, 'F2')
  expect(await statesOf(rig, subscription)).toEqual([1, 1, 1])
})

test('F2b retried member succeeded, then replayed (or skipped member retried with its hint late) while batch waits', async () => {
  const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), { retryPolicy: { schedule: [1000, 1000] } })
  await rig.publish({ ...event('e0') }, event('e1'), event('e2'))
  await rig.drain()
  // e1 ended as skipped (say it had expired), and somebody asks for it again; the delivery hint gets lost
  await env.DB.prepare("UPDATE delivery SET state = 3, due_at_ms = NULL, error = 'expired' WHERE seq = (SELECT seq FROM delivery ORDER BY seq LIMIT 1 OFFSET 1)").run()
  const log = await logOf(rig, subscription)
  await ask(rig, 'POST', `/deliveries/${log[1]?.id}/retry`)
  rig.retries.lose()
  for (let i = 0; i < 40; i++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
  await dump(rig, subscription, 'F2b')
  expect(await statesOf(rig, subscription)).toEqual([1, 1, 1])
})

test('F3 raised rate limit takes effect', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ rateLimit: { requests: 1, perSeconds: 3600 } })
  await rig.publish(event('a'), event('b'))
  await rig.drain()
  await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { rateLimit: { requests: 1000, perSeconds: 1 } })
  await rig.drain()
  const at = [rig.postsTo(subscription).length]
  for (let i = 0; i < 10; i++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    rig.ring(subscription)
    await rig.drain()
    at.push(rig.postsTo(subscription).length)
  }
  console.log('F3', at)
  expect(at[1]).toBe(2)
})

test('F3b removed rate limit takes effect', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ rateLimit: { requests: 1, perSeconds: 3600 }, concurrency: 5 })
  await rig.publish(event('a'), event('b'))
  await rig.drain()
  await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { rateLimit: null })
  await rig.drain()
  const at = [rig.postsTo(subscription).length]
  for (let i = 0; i < 10; i++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    rig.ring(subscription)
    await rig.drain()
    at.push(rig.postsTo(subscription).length)
  }
  console.log('F3b', at)
  expect(at[1]).toBe(2)
})

test('F3c lowered concurrency is kept by the first grant', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ concurrency: 6 })
  let underWay = 0
  let most = 0
  rig.receivers.set(subscription.settings.url, async () => {
    most = Math.max(most, ++underWay)
    await new Promise((r) => setTimeout(r, 20))
    underWay--
    return new Response('ok')
  })
  await rig.publish(event('a'))
  await rig.drain()
  await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { concurrency: 1 })
  await rig.drain()
  await rig.publish(...events(12))
  await rig.drain()
  console.log('F3c', most)
  expect(most).toBe(1)
})

test('F3d lower maxEvents / maxWaitTime with nothing resting', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 2, maxWaitTime: 300 }) })
  await rig.publish(event('a'), event('b'))
  await rig.drain()
  await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { batchSettings: { maxWaitTime: 1 } })
  await rig.drain()
  await rig.publish(event('c'))
  await rig.drain()
  const at = []
  for (let i = 0; i < 8; i++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    rig.ring(subscription)
    await rig.drain()
    at.push(rig.postsTo(subscription).length)
  }
  console.log('F3d', at)
  expect(at[0]).toBe(2)
})

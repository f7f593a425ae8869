import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { ask, batching, event, events, ids, idsIn, logOf, statesOf } from '../../support/batching.ts'
import { answer, createRig, freshStore, type Rig } from '../../support/builders.ts'
import { stateOf } from '../../support/receiver-state.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import { clientOf } from '../../support/rig-client.ts'

beforeEach(freshStore)
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms))

test('S1 breaker opened by deliveries without retries: somebody comes when the hold ends', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ concurrency: 1, retryPolicy: { schedule: [] } })
  let down = true
  rig.receivers.set(s.settings.url, () => new Response('', { status: down ? 500 : 200 }))
  await rig.publish(...events(30))
  await rig.drain()
  console.log('S1', JSON.stringify(await stateOf(s)), rig.posts.length, 'retries', JSON.stringify(rig.retries.bodies), 'paced', JSON.stringify(rig.paced.bodies))
  down = false
  rig.clock.nowMs += 30_000
  rig.ring(s)
  await rig.drain()
  console.log('S1 after hold, ring', rig.posts.length)
  await rig.sweep()
  await rig.drain()
  console.log('S1 after sweep', rig.posts.length)
})

test('S2 after the probe has succeeded the rest follows', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ concurrency: 1, retryPolicy: { schedule: [] } })
  let down = true
  rig.receivers.set(s.settings.url, () => new Response('', { status: down ? 500 : 200 }))
  await rig.publish(...events(30))
  await rig.drain()
  down = false
  rig.clock.nowMs += 60_000
  await rig.sweep()
  await rig.drain()
  const at = [rig.posts.length]
  for (let i = 0; i < 3; i++) { rig.clock.nowMs += 10_000; rig.ring(s); await rig.drain(); at.push(rig.posts.length) }
  await rig.sweep(); await rig.drain(); at.push(rig.posts.length)
  console.log('S2', JSON.stringify(at), JSON.stringify(await stateOf(s)))
})

test('S3 cancelling the blocked head lets the others go', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [] } })
  rig.receivers.set(s.settings.url, (post) => new Response('', { status: post.body.includes('e0') ? 500 : 200 }))
  await rig.publish(...events(3))
  await rig.drain()
  const answered = await clientOf(rig).call('POST', '/events/e0/cancel', {})
  await sleep(300)
  await rig.drain()
  const now = rig.posts.length
  await rig.sweep(); await rig.drain()
  console.log('S3', answered.status, now, rig.posts.length)
})

test('S4 a retry that becomes due while another attempt is slow', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ rateLimit: { requests: 100, perSeconds: 1 }, retryPolicy: { schedule: [10, 10, 10] } })
  const free = Promise.withResolvers<void>()
  let n = 0
  rig.receivers.set(s.settings.url, async (post) => {
    if (post.body.includes('"e0"')) return new Response('', { status: n++ === 0 ? 500 : 200 })
    await free.promise
    return new Response('ok')
  })
  await rig.publish(event('e0'))
  await rig.drain()
  rig.clock.nowMs += 5_000
  await rig.publish(event('e1'))
  const hanging = rig.drain()
  await sleep(300)
  rig.clock.nowMs += 5_000
  await rig.consume(rig.retries)
  console.log('S4 due consumed', rig.posts.length, JSON.stringify(rig.paced.bodies))
  rig.clock.nowMs += 1_000
  free.resolve()
  await hanging
  await rig.drain()
  const at = [rig.posts.length]
  for (let i = 0; i < 4; i++) { rig.clock.nowMs += 10_000; rig.ring(s); await rig.drain(); at.push(rig.posts.length) }
  await rig.sweep(); await rig.drain(); at.push(rig.posts.length)
  console.log('S4', JSON.stringify(at))
})

import { setTimeout as after } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { answerPacerCall } from '../../../../src/pacing/pacer/decide.ts'
import type { PacerCall } from '../../../../src/pacing/pacer/protocol.ts'
import { newPacerState } from '../../../../src/pacing/pacer/state.ts'
import { ask, batching, event, events } from '../../../support/rig/batching.ts'
import { createRig, freshStore } from '../../../support/rig/builders.ts'
import { SAYS_NOTHING } from '../../../support/rig/pacer-call.ts'

beforeEach(freshStore)

describe('a change of', () => {
  test.each([
    ['raised', { rateLimit: { requests: 1000, perSeconds: 1 } }],
    ['removed', { rateLimit: null, concurrency: 5 }],
  ])('the rate limit (%s) counts at once', async (_, change) => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ rateLimit: { requests: 1, perSeconds: 3600 } })
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, change)
    await rig.drain()
    for (let n = 0; n < 10; n++) {
      rig.clock.nowMs += 60_000
      await rig.sweep()
      rig.ring(subscription)
      await rig.drain()
    }
    expect(rig.posts).toHaveLength(2)
  })

  test('the concurrency counts for the next request', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ concurrency: 6 })
    let underWay = 0
    let most = 0
    rig.receivers.set(subscription.settings.url, async () => {
      most = Math.max(most, ++underWay)
      await after(20)
      underWay--
      return new Response('ok')
    })
    await rig.publish(event('a'))
    await rig.drain()
    await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { concurrency: 1 })
    await rig.drain()
    await rig.publish(...events(12))
    await rig.drain()
    expect(most).toBe(1)
  })

  test('a batch’s wait counts for the next event', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 2 }) })
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { batchSettings: { maxWaitTime: 1 } })
    await rig.drain()
    await rig.publish(event('c'))
    await rig.drain()
    rig.clock.nowMs += 60_000
    await rig.sweep()
    rig.ring(subscription)
    await rig.drain()
    expect(rig.posts).toHaveLength(2)
  })
})

/** A receiver that is down until told otherwise, and thirty events for it without retries. */
async function down() {
  const rig = await createRig()
  const subscription = await rig.subscribe({ concurrency: 1, retryPolicy: { schedule: [] } })
  const receiver = { status: 500 }
  rig.receivers.set(subscription.settings.url, () => new Response('', { status: receiver.status }))
  await rig.publish(...events(30))
  await rig.drain()
  expect(rig.posts).toHaveLength(10)
  receiver.status = 200
  return { rig, subscription }
}

describe('without a sweep', () => {
  test('somebody comes when a breaker’s hold ends', async () => {
    const { rig, subscription } = await down()
    rig.clock.nowMs += 30_000
    rig.ring(subscription)
    await rig.drain()
    expect(rig.posts.length).toBeGreaterThan(10)
  })

  test('the rest follows a probe that has arrived', async () => {
    const { rig, subscription } = await down()
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    rig.clock.nowMs += 10_000
    rig.ring(subscription)
    await rig.drain()
    expect(rig.posts).toHaveLength(30)
  })

  test('a retry that becomes due while another attempt is slow is made after it', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      rateLimit: { requests: 100, perSeconds: 1 },
      retryPolicy: { schedule: [10, 10] },
    })
    const free = Promise.withResolvers<void>()
    let failures = 1
    rig.receivers.set(subscription.settings.url, async ({ body }) => {
      if (body.includes('"e0"')) return new Response('', { status: failures-- > 0 ? 500 : 200 })
      await free.promise
      return new Response('ok')
    })
    await rig.publish(event('e0'))
    await rig.drain()
    rig.clock.nowMs += 5_000
    await rig.publish(event('e1'))
    const hanging = rig.drain()
    await after(300)
    rig.clock.nowMs += 5_000
    await rig.consume(rig.retries)
    rig.clock.nowMs += 1_000
    free.resolve()
    await hanging
    rig.clock.nowMs += 30_000
    rig.ring(subscription)
    await rig.drain()
    expect(rig.posts).toHaveLength(3)
  })

  test('what one consumer reported as due is not forgotten for another that had looked before', () => {
    const nowMs = 1_000_000
    const terms = { version: 1, batch: null, rate: { requests: 1, perSeconds: 5 }, concurrency: null }
    const nothing = { events: 0, bytes: 0, sinceMs: null, isDue: false }
    const calls: Partial<PacerCall>[] = [
      { nowMs, leaseId: 'a', terms, arrived: { events: 2, bytes: 20, sinceMs: nowMs } },
      { nowMs: nowMs + 4_800, leaseId: 'b' },
      {
        ...{ nowMs: nowMs + 4_850, leaseId: 'c', finished: { leaseId: 'a', unused: 0 } },
        waiting: { events: 1, bytes: 10, sinceMs: nowMs, isDue: true },
      },
      {
        ...{ nowMs: nowMs + 4_900, leaseId: 'd', finished: { leaseId: 'b', unused: 1 } },
        ...{ waiting: nothing, wantsMore: false },
      },
    ]
    const common = { subscriptionNo: 7, nowMs, leaseId: '' }
    const blank = { ...SAYS_NOTHING, wantsMore: true }
    let state = newPacerState()
    let wakeAtMs: number | null = null
    for (const call of calls) ({ state, wakeAtMs } = answerPacerCall(state, { ...common, ...blank, ...call }))
    expect(wakeAtMs).not.toBeNull()
  })
})

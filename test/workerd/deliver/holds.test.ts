import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { pauseSubscription } from '../../../src/subscription/switches/switches.sql.ts'
import { answer, createRig, freshStore } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'
import { deliverMany, idOf, PENDING, rowsTo, SUCCESS } from '../../support/rig/receiver-state.ts'
import { clientOf, deliver } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

/** A paused subscription with so many deliveries waiting. */
async function paused(count: number) {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  const subscription = await rig.subscribe()
  await pauseSubscription(env.DB, subscription, rig.clock.nowMs)
  for (let left = count; left > 0; left -= 100) await deliverMany(rig, Math.min(100, left))
  const resume = () => clientOf(rig).post(`/webhooks/${subscription.id}/resume`)
  return { rig, meter, subscription, resume }
}

const states = async (rig: Parameters<typeof rowsTo>[0], subscription: Subscription) =>
  (await rowsTo(rig, subscription)).map(({ state }) => state)

describe('while a subscription is paused', () => {
  test('its deliveries rest as rows, without an attempt or a message in any queue', async () => {
    const { rig, subscription } = await paused(300)
    expect(await states(rig, subscription)).toEqual(new Array(300).fill(PENDING))
    expect([rig.posts, rig.fast.bodies, rig.unproven.bodies, rig.retries.bodies]).toEqual([[], [], [], []])
  })

  test('sweeps wake nobody', async () => {
    const { rig } = await paused(50)
    for (let minute = 0; minute < 15; minute++) {
      rig.clock.nowMs += 60_000
      await rig.sweep()
      expect(rig.retries.bodies).toEqual([])
      await rig.drain()
    }
    expect(rig.posts).toEqual([])
  })

  test('a sweep reads no more for 1,000 waiting deliveries than for 10', async () => {
    const reads = []
    for (const count of [10, 1_000]) {
      await freshStore()
      const { rig, meter } = await paused(count)
      rig.clock.nowMs += 60_000
      await rig.sweep()
      rig.clock.nowMs += 60_000
      const before = meter.rowsRead
      await rig.sweep()
      reads.push(meter.rowsRead - before)
    }
    expect(reads[1]).toBeLessThanOrEqual(40)
    expect(reads[1]).toBe(reads[0])
  })

  test('a retry that comes due waits', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe()
    rig.receivers.set(subscription.settings.url, answer(500))
    await deliverMany(rig, 1)
    await pauseSubscription(env.DB, subscription, rig.clock.nowMs)
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(1)
  })

  test('what is on its way to the queue of the unproven waits too', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ health: 'unproven' })
    await rig.publish({}, {})
    await rig.consume(rig.fast)
    await pauseSubscription(env.DB, subscription, rig.clock.nowMs)
    await rig.drain()
    expect([rig.posts, await states(rig, subscription)]).toEqual([[], [PENDING, PENDING]])
  })

  test('a suspect receiver is not attempted either', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ health: 'suspect' })
    await pauseSubscription(env.DB, subscription, rig.clock.nowMs)
    await deliverMany(rig, 3)
    expect([rig.posts, rig.retries.bodies, await states(rig, subscription)]).toEqual([[], [], [0, 0, 0]])
  })

  test('others are served as ever', async () => {
    const { rig } = await paused(0)
    const other = await rig.subscribe()
    await deliverMany(rig, 10)
    expect(rig.postsTo(other)).toHaveLength(10)
  })

  test('a retry that a person asks for passes, and nothing else with it', async () => {
    const { rig, subscription } = await paused(5)
    const [first] = await rowsTo(rig, subscription)
    expect((await clientOf(rig).post(`/deliveries/${idOf(first!)}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(await states(rig, subscription)).toEqual([SUCCESS, 0, 0, 0, 0])
  })

  test('an isolate that starts only then keeps it paused', async () => {
    const { rig, subscription } = await paused(5)
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    await other.publish({}, {})
    rig.clock.nowMs += 60_000
    await other.sweep('@start')
    await other.drain()
    expect([rig.posts, (await states(rig, subscription)).length]).toEqual([[], 7])
  })

  test('hints that were lost are made up for by rows, and nothing is attempted', async () => {
    const { rig, subscription } = await paused(0)
    await rig.publish({}, {}, {})
    rig.fast.lose()
    rig.clock.nowMs += 11 * 60_000
    await rig.sweep()
    await rig.drain()
    expect([rig.posts, await states(rig, subscription)]).toEqual([[], [0, 0, 0]])
  })
})

describe('once it is resumed', () => {
  test('all that rested is delivered, once, without waiting for a sweep', async () => {
    const { rig, subscription, resume } = await paused(250)
    await resume()
    await deliver(rig)
    expect(await states(rig, subscription)).toEqual(new Array(250).fill(SUCCESS))
    expect(new Set(rig.posts.map(({ headers }) => headers.get('webhook-id'))).size).toBe(250)
    expect(rig.posts).toHaveLength(250)
  })

  test('or with the next sweep when the wake-up is lost', async () => {
    const { rig, subscription, resume } = await paused(20)
    await resume()
    rig.retries.lose()
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    expect(await states(rig, subscription)).toEqual(new Array(20).fill(SUCCESS))
  })

  test('by another isolate than the one that paused it', async () => {
    const { rig, subscription } = await paused(20)
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    await clientOf(other).post(`/webhooks/${subscription.id}/resume`)
    await deliver(other)
    expect(rig.posts).toHaveLength(20)
  })

  test('paused in the middle of its backlog and resumed again, it loses nothing', async () => {
    const { rig, subscription, resume } = await paused(200)
    rig.receivers.set(subscription.settings.url, async () => {
      if (rig.posts.length === 60) await pauseSubscription(env.DB, subscription, rig.clock.nowMs)
      return new Response('ok')
    })
    await resume()
    await deliver(rig)
    const sofar = rig.posts.length
    await resume()
    await deliver(rig)
    expect([sofar < 200, await states(rig, subscription)]).toEqual([true, new Array(200).fill(SUCCESS)])
    expect(rig.posts).toHaveLength(200)
  })
})

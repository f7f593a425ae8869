import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import { createRig, freshStore, type Rig } from '../../../../support/rig/builders.ts'

beforeEach(freshStore)

type Batch = {
  batch: boolean
  batchId: string
  batchTimestamp: string
  events: { id: string; event: string }[]
}

/** The batches a receiver was sent, each as the ids of its events. */
function batchesTo(rig: Rig, subscription: Subscription): string[][] {
  return rig.postsTo(subscription).map(({ body }) => (JSON.parse(body) as Batch).events.map(({ id }) => id))
}

const event = (id: string, type = 'invoice.paid') => ({ id, type, data: { id } })

describe('a batch leaves', () => {
  test('at its count, with exactly that many; the rest waits', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: settings({ maxEvents: 3 }) })
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    expect(rig.postsTo(subscription)).toEqual([])
    await rig.publish(event('c'), event('d'))
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a', 'b', 'c']])
    expect((await rig.deliveries()).map(({ state }) => state)).toEqual([1, 1, 1, 0])
  })

  test('after its wait, with whatever there is', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: settings({ maxWaitTime: 30 }) })
    await rig.publish(event('a'), event('b'))
    await rig.drain()
    rig.clock.nowMs += 29_999
    rig.ring(subscription)
    await rig.drain()
    expect(rig.postsTo(subscription)).toEqual([])
    rig.clock.nowMs += 1
    rig.ring(subscription)
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a', 'b']])
  })

  test('for what is accepted while others leave after their wait, after its own', async () => {
    const rig = await createRig()
    const batchSettings = settings({ maxEvents: 2, maxWaitTime: 30 })
    const subscription = await rig.subscribe({ batchSettings, concurrency: 1 })
    let isNew = true
    rig.receivers.set(subscription.settings.url, async () => {
      if (isNew) await rig.publish(event('late'))
      isNew = false
      return new Response('ok')
    })
    await rig.publish(event('a'))
    rig.clock.nowMs += 30_000
    await rig.publish(event('b'), event('c'))
    // A doubled hint makes the pacer grant more than there is.
    const doubled = { no: subscription.no, events: 4, bytes: 40, sinceMs: rig.clock.nowMs - 30_000 }
    rig.paced.put({ v: 1, kind: 'paced', subscriptions: [doubled] })
    await rig.drain()
    expect(batchesTo(rig, subscription)).toEqual([['a', 'b'], ['c']])
    rig.clock.nowMs += 30_000
    rig.ring(subscription)
    await rig.drain()
    expect(batchesTo(rig, subscription).at(-1)).toEqual(['late'])
  })
})

function settings(given: object) {
  return { enabled: true, maxEvents: 100, maxWaitTime: 30, maxBytes: 1_000_000, flushOnEvent: [], ...given }
}

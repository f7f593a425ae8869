import { beforeEach, describe, expect, test } from 'vitest'
import {
  askAndServe,
  batchesTo,
  batching,
  batchRows,
  event,
  events,
  expectBatches,
  ids,
  ringAfter,
} from '../../../../support/rig/batching.ts'
import {
  createRig,
  type EventInput,
  freshStore,
  type SubscriptionInput,
} from '../../../../support/rig/builders.ts'

beforeEach(freshStore)

const WAIT_MS = 300_000

function sized(id: string, chars: number): EventInput {
  return { id, type: 'invoice.created', data: { text: 'x'.repeat(chars) } }
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length

describe('a batch and its bytes', () => {
  test('leaves as soon as what waits fills a body; the event that has no room waits', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxBytes: 2000 }) })
    await rig.publish(sized('e0', 500), sized('e1', 500))
    await rig.drain()
    expect(rig.posts).toEqual([])
    await rig.publish(sized('e2', 900))
    await rig.drain()
    await expectBatches(rig, subscription, [['bytes', ids(2)]])
    await ringAfter(rig, subscription, WAIT_MS)
    await expectBatches(rig, subscription, [
      ['bytes', ids(2)],
      ['wait', ids(1, 2)],
    ])
  })

  /** The batches that three events make when `maxBytes` is as much more than they take together. */
  async function threeWith(more: number, given: SubscriptionInput = {}) {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching(), ...given })
    const path = `/webhooks/${subscription.id}`
    // Characters of two and three bytes: what counts is what goes over the wire.
    const three = (name: string) =>
      ['a', 'b', 'c'].map((n) => ({ ...event(`${name}${n}`), data: { text: 'é漢'.repeat(150) } }))
    await rig.publish(...three('x'))
    await rig.drain()
    await askAndServe(rig, 'POST', `${path}/flush`)
    const [whole] = rig.postsTo(subscription)
    const maxBytes = bytesOf(whole?.body ?? '') + more
    await askAndServe(rig, 'PATCH', path, { batchSettings: { maxBytes } })
    rig.posts.length = 0
    await rig.publish(...three('y'))
    await askAndServe(rig, 'POST', `${path}/flush`)
    const bodies = rig.postsTo(subscription)
    expect(Math.max(...bodies.map(({ body }) => bytesOf(body)))).toBeLessThanOrEqual(maxBytes)
    const sizes = bodies.map(({ body }) => (JSON.parse(body) as { events: unknown[] }).events.length)
    // Without an order they go side by side.
    return sizes.sort((a, b) => b - a)
  }

  // Larger than it is counted for before it is rendered, so that rendering alone decides.
  const transform = { template: { text: '{{data.text}}', more: '{{data.text}}' } }

  test('that fill the limit to the last byte are one batch', async () => {
    expect(await threeWith(0, { transform })).toEqual([3])
  })

  test('that exceed it by one are two, and the second follows at once', async () => {
    expect(await threeWith(-1, { transform })).toEqual([2, 1])
  })

  test('without a transformation less than a hundred bytes of room are left unused', async () => {
    expect(await threeWith(100)).toEqual([3])
    expect(await threeWith(-1)).toEqual([2, 1])
  })

  test('an event that is larger by itself goes alone, and takes its neighbours nowhere', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxBytes: 1000 }) })
    await rig.publish(event('e0'), sized('e1', 5000), event('e2'))
    await rig.drain()
    await ringAfter(rig, subscription, WAIT_MS)
    expect(batchesTo(rig, subscription).sort()).toEqual([['e0'], ['e1'], ['e2']])
  })

  test('many events of many sizes: no body above the limit, each in one, none that the next would have fitted into', async () => {
    const rig = await createRig()
    const maxBytes = 4000
    const subscription = await rig.subscribe({ batchSettings: batching({ maxBytes }) })
    const sizes = Array.from({ length: 120 }, (_, n) => (n * 7919) % 1500)
    await rig.publish(...sizes.map((chars, n) => sized(`e${n}`, chars)))
    await rig.drain()
    await ringAfter(rig, subscription, WAIT_MS)
    const posts = rig.postsTo(subscription)
    expect(posts.every(({ body }) => bytesOf(body) <= maxBytes)).toBe(true)
    const bound = (await batchRows(subscription)).map(({ members }) => members)
    expect(bound.flat()).toEqual(bound.flat().toSorted((a, b) => a - b))
    expect(batchesTo(rig, subscription).flat().sort()).toEqual(ids(120).sort())
    // About half of what a body holds is the least that a greedy packing leaves in two that follow each other.
    expect(posts.length).toBeLessThan((2 * sizes.reduce((sum, size) => sum + size + 180, 0)) / maxBytes)
  })
})

describe('events with texts that rest in R2', () => {
  const large = (id: string, chars = 70_000) => sized(id, chars)

  test('go together with small ones, in accepted order', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 4 }) })
    await rig.publish(event('e0'), large('e1'), event('e2'), large('e3'))
    await rig.drain()
    await expectBatches(rig, subscription, [['count', ids(4)]])
  })

  test('are cut by what they really take, not by what they were taken for', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxBytes: 500_000 }) })
    await rig.publish(...ids(4).map((id) => large(id, 240_000)))
    await rig.drain()
    expect(rig.posts).toEqual([])
    await ringAfter(rig, subscription, WAIT_MS)
    expect(batchesTo(rig, subscription)).toEqual([ids(2), ids(2, 2)])
    for (const { body } of rig.postsTo(subscription)) expect(bytesOf(body)).toBeLessThanOrEqual(500_000)
  })
})

test('what has no room follows at once, however often a body has to be cut', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({
    batchSettings: batching({ maxBytes: 1000 }),
    // Makes each event far larger than what it was counted for.
    transform: { template: { id: '{{id}}', text: 'y'.repeat(600) } },
  })
  await rig.publish(...events(6))
  await ringAfter(rig, subscription, WAIT_MS)
  expect(batchesTo(rig, subscription).sort()).toEqual(ids(6).map((id) => [id]))
})

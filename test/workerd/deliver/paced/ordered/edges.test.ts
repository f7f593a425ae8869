import { beforeEach, describe, expect, test } from 'vitest'
import { publish } from '../../../../../src/publish/publish.ts'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import { ask, batching, event, events, ids, idsIn } from '../../../../support/rig/batching.ts'
import { createRig, draft, freshStore, type Post, type Rig } from '../../../../support/rig/builders.ts'

beforeEach(freshStore)

const BY_KEY = { ordered: true, orderingKey: 'data.key' } as const
const retryPolicy = { schedule: [10, 20, 30, 40] }
const keyed = (id: string, more: object = {}) => ({
  id,
  type: 'invoice.created',
  data: { id, key: id.charAt(0), ...more },
})

/** Ids in the order in which they were answered 2xx. */
function watch(rig: Rig, subscription: Subscription, verdict: (ids: string[]) => number): string[] {
  const arrived: string[] = []
  const idsOf = (post: Post) =>
    post.body.includes('"batch":true') ? idsIn(post) : [(JSON.parse(post.body) as { id: string }).id]
  rig.receivers.set(subscription.settings.url, (post) => {
    const sent = idsOf(post)
    const status = verdict(sent)
    if (status === 200) arrived.push(...sent)
    return new Response('', { status })
  })
  return arrived
}

async function goOn(rig: Rig, subscription: Subscription, rounds: number, ms: number): Promise<void> {
  for (let n = 0; n < rounds; n++) {
    rig.clock.nowMs += ms
    await rig.sweep()
    rig.ring(subscription)
    await rig.drain()
  }
}

describe('the order of a key holds', () => {
  test('when a half of a batch that was too large fails and is split by key', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      ...BY_KEY,
      retryPolicy,
      batchSettings: batching({ maxEvents: 4 }),
    })
    let failures = 1
    const arrived = watch(rig, subscription, ({ length }) => (length > 2 ? 413 : failures-- > 0 ? 500 : 200))
    await rig.publish(keyed('x1'), keyed('y1'), keyed('x2'), keyed('y2'))
    await rig.drain()
    await goOn(rig, subscription, 5, 20_000)
    expect(arrived.filter((id) => id.startsWith('x'))).toEqual(['x1', 'x2'])
  })

  test('when the part of a batch that had room fails and is split by key', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      ...BY_KEY,
      retryPolicy,
      batchSettings: batching({ maxEvents: 4, maxBytes: 1000 }),
      transform: { template: { id: '{{id}}', more: 'z'.repeat(350) } },
    })
    let failures = 1
    const arrived = watch(rig, subscription, () => (failures-- > 0 ? 500 : 200))
    await rig.publish(keyed('x1'), keyed('y1'), keyed('x2'), keyed('y2'))
    await rig.drain()
    await goOn(rig, subscription, 5, 20_000)
    expect(arrived.filter((id) => id.startsWith('x'))).toEqual(['x1', 'x2'])
  })

  test('in a batch of which an event cannot be rendered: those of its key wait behind it', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({
      ...BY_KEY,
      retryPolicy,
      batchSettings: batching({ maxEvents: 3 }),
      transform: { template: { id: '{{id}}', n: '{{ data.n | divided_by: data.d }}' } },
    })
    const arrived = watch(rig, subscription, () => 200)
    await rig.publish(keyed('x1', { n: 1, d: 0 }), keyed('x2', { n: 1, d: 1 }), keyed('y1', { n: 1, d: 1 }))
    await rig.drain()
    await goOn(rig, subscription, 3, 60_000)
    expect(arrived).toEqual(['y1'])
  })
})

test('a scheduled event whose time has come does not pass those that rest for their batch before it', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ ordered: true, batchSettings: batching({ maxEvents: 10 }) })
  const arrived = watch(rig, subscription, () => 200)
  await rig.publish(event('a'))
  const scheduled = { ...draft(event('b')), deliverAtMs: rig.clock.nowMs + 5_000 }
  await publish(rig.publishDeps, rig.workspace, [{ draft: scheduled, idempotencyKey: null }])
  await rig.drain()
  await goOn(rig, subscription, 8, 60_000)
  expect(arrived).toEqual(['a', 'b'])
})

test('order that is switched on while a batch waits for its retry holds what comes behind it', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ retryPolicy, batchSettings: batching({ maxEvents: 2 }) })
  let failures = 2
  const arrived = watch(rig, subscription, (sent) => (sent.includes('e0') && failures-- > 0 ? 500 : 200))
  await rig.publish(...events(2))
  await rig.drain()
  await ask(rig, 'PATCH', `/webhooks/${subscription.id}`, { ordered: true })
  await rig.drain()
  await rig.publish(...events(2, 2))
  await rig.drain()
  await goOn(rig, subscription, 8, 20_000)
  expect(arrived).toEqual(ids(4))
})

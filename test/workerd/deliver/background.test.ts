import { createMessageBatch } from 'cloudflare:test'
import { beforeEach, expect, test, vi } from 'vitest'
import { AdaptiveLimit } from '../../../src/base/concurrency/adaptive-limit.ts'
import { handleQueue } from '../../../src/queue.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import type { HeldQueue } from '../../support/rig/held-queue.ts'

beforeEach(freshStore)

/** A relay with one delivery to a receiver that answers when it is told to. */
async function withHangingReceiver() {
  const rig = await createRig()
  const subscription = await rig.subscribe({ retryPolicy: { schedule: [600] } })
  const answered = Promise.withResolvers<Response>()
  rig.receivers.set(subscription.settings.url, () => answered.promise)
  await rig.publish({})
  const background: Promise<unknown>[] = []
  const consume = async (queue: HeldQueue) => {
    const messages = queue.take()
    const batch = createMessageBatch(queue.name, messages)
    const ended = queue.watch(batch)
    await handleQueue({ ok: true, relay: rig.relay }, batch, (work) => void background.push(work))
    queue.putBack(messages, ended)
  }
  return { rig, subscription, answered, background, consume }
}

test('a batch ends while a receiver hangs; what comes of it is recorded and logged afterwards', async () => {
  const { rig, subscription, answered, background, consume } = await withHangingReceiver()
  await consume(rig.fast)
  expect(rig.fast.visible).toBe(0)
  expect(rig.postsTo(subscription)).toHaveLength(1)
  expect(await rig.deliveries()).toEqual([])
  answered.resolve(new Response('late'))
  await Promise.all(background)
  expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 1, status: 200 }])
  expect(rig.logged.filter(({ event }) => event === 'queue.left')).toMatchObject([
    { fields: { attempts: 1, delivered: 1, unsettled: 0, unsettledError: null } },
  ])
})

test('a retry that a person asked for does not hold up the queue either', async () => {
  const { rig, subscription, answered, background, consume } = await withHangingReceiver()
  const [event] = (
    await rig.relay.env.DB.prepare('SELECT pk & 17592186044415 AS seq FROM event').all<{ seq: number }>()
  ).results
  const seq = event?.seq ?? 0
  await rig.relay.env.DB.prepare(
    "INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms) VALUES (?1, ?2, 'invoice.paid', 0, ?3)",
  )
    .bind(subscription.no, seq, rig.clock.nowMs)
    .run()
  await rig.relay.hints.delivery({ subscriptionNo: subscription.no, seq })
  await consume(rig.retries)
  expect(rig.postsTo(subscription)).toHaveLength(1)
  expect(await rig.deliveries()).toMatchObject([{ state: 0, attempts: 0 }])
  answered.resolve(new Response('late'))
  await Promise.all(background)
  expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 1 }])
})

test('a delivery that waits in vain for its receiver is due again, and its consumer goes on', async () => {
  const acquire = vi.spyOn(AdaptiveLimit.prototype, 'acquire')
  const { rig, answered, background, consume } = await withHangingReceiver()
  // Ten requests at once are what a receiver is asked for at first.
  await rig.publish(...Array.from({ length: 10 }, () => ({})))
  await consume(rig.fast)
  rig.clock.nowMs += 20_000
  expect(await acquire.mock.results.at(-1)?.value).toBeNull()
  const putBackAtMs = rig.clock.nowMs
  answered.resolve(new Response('late'))
  await Promise.all(background)
  const rows = await rig.deliveries()
  expect(rows).toHaveLength(11)
  expect(rows.filter((row) => row.attempts === 0 && row.due_at_ms === putBackAtMs)).toHaveLength(1)
  acquire.mockRestore()
})

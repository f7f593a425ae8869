import { beforeEach, expect, test } from 'vitest'
import { DeliveryLines } from '../../../src/deliver/delivery-lines.ts'
import { batchScene, events, ringAfter } from '../../support/rig/batching.ts'
import { answer, createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

/** Turns the lines of a rig on. */
function logAll(rig: Rig, sample: number): void {
  rig.relay.work.lines = new DeliveryLines(rig.relay.log, { sample, budget: rig.relay.lineBudget })
  rig.relay.settings.logSample = sample
}

function linesOf(rig: Rig, name: string): Record<string, unknown>[] {
  return rig.logged.flatMap(({ event, fields }) => (event === name ? [fields] : []))
}

/** One delivery that fails twice and then arrives. */
async function withRetries(sample: number): Promise<Rig> {
  const rig = await createRig()
  logAll(rig, sample)
  const subscription = await rig.subscribe()
  const statuses = [500, 503, 200]
  rig.receivers.set(subscription.settings.url, (post, signal) =>
    answer(statuses.shift() ?? 200)(post, signal),
  )
  await rig.publish({ id: 'a' })
  await rig.drain()
  for (const seconds of [10, 20]) {
    rig.clock.nowMs += seconds * 1100
    await rig.sweep()
    await rig.drain()
  }
  expect(statuses).toEqual([])
  return rig
}

test('each attempt has a line, and the delivery one when it is over', async () => {
  const rig = await withRetries(1)
  expect(linesOf(rig, 'delivery.attempted')).toMatchObject([
    { eventId: 'a', attempt: 1, success: false, status: 500, error: 'http_status', batchSize: 1 },
    { eventId: 'a', attempt: 2, success: false, status: 503, error: 'http_status', batchSize: 1 },
    { eventId: 'a', attempt: 3, success: true, status: 200, error: null, batchSize: 1 },
  ])
  expect(linesOf(rig, 'delivery.settled')).toMatchObject([{ eventId: 'a', state: 'success', attempts: 3 }])
})

test('with a sample of 0 the failures have lines and successes none', async () => {
  const rig = await withRetries(0)
  expect(linesOf(rig, 'delivery.attempted').map(({ attempt }) => attempt)).toEqual([1, 2])
  expect(linesOf(rig, 'delivery.settled')).toEqual([])
})

test('a delivery that fails for good or is skipped has a line with its reason', async () => {
  const rig = await createRig()
  logAll(rig, 0)
  const failing = await rig.subscribe({ retryPolicy: { schedule: [] } })
  rig.receivers.set(failing.settings.url, answer(500))
  const deleted = await rig.subscribe()
  await rig.publish({ id: 'a' })
  await clientOf(rig).call('DELETE', `/webhooks/${deleted.id}`)
  await rig.drain()
  const settled = linesOf(rig, 'delivery.settled')
  expect(settled).toHaveLength(2)
  expect(settled).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        subscriptionId: failing.id,
        state: 'failed',
        reason: 'http_status',
        attempts: 1,
      }),
      expect.objectContaining({
        subscriptionId: deleted.id,
        state: 'skipped',
        reason: 'deleted',
        attempts: 0,
      }),
    ]),
  )
})

test('a batch has one line for its request and one for each member that is over', async () => {
  const { rig, subscription } = await batchScene(answer(200))
  logAll(rig, 1)
  await rig.publish(...events(3))
  await rig.drain()
  await ringAfter(rig, subscription, 0)
  const attempted = linesOf(rig, 'delivery.attempted')
  expect(attempted).toMatchObject([{ eventId: 'e0', batchSize: 3, success: true }])
  const settled = linesOf(rig, 'delivery.settled')
  expect(settled.map(({ eventId }) => eventId)).toEqual(['e0', 'e1', 'e2'])
  expect(new Set(settled.map(({ batchId }) => batchId))).toEqual(new Set([attempted[0]?.['batchId']]))
})

test('a publish request has one line, whatever its events came to', async () => {
  const rig = await createRig()
  logAll(rig, 1)
  await rig.subscribe()
  const client = clientOf(rig)
  const event = { event: 'invoice.paid', data: { object: { id: 'i' } } }
  await client.call('POST', '/events', {
    json: { events: [{ ...event, id: 'a' }, { ...event, id: 'a' }, {}] },
  })
  expect(linesOf(rig, 'event.received')).toMatchObject([
    { workspace: rig.workspace, events: 3, accepted: 1, duplicates: 1, rejected: 1, matched: 1 },
  ])
})

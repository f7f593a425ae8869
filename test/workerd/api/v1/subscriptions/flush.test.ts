import { beforeEach, describe, expect, test } from 'vitest'
import { Client, expectRefusal } from '../../../../support/process/http-client.ts'
import {
  ask,
  askAndServe,
  batching,
  events,
  expectBatches,
  ids,
  logOf,
  ringAfter,
} from '../../../../support/rig/batching.ts'
import { createRig, freshStore, type SubscriptionInput } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const MINUTE = 60_000
const WAIT_MS = 300_000

async function scene(settings: SubscriptionInput = { batchSettings: batching() }) {
  const rig = await createRig()
  const subscription = await rig.subscribe(settings)
  const client = clientOf(rig)
  const path = `/webhooks/${subscription.id}`
  const flush = () => askAndServe(rig, 'POST', `${path}/flush`)
  return { rig, subscription, client, path, flush }
}

describe('POST /webhooks/{id}/flush', () => {
  test('answers 202 and sends what waits', async () => {
    const { rig, subscription, flush } = await scene()
    await rig.publish(...events(2))
    await rig.drain()
    const { status, data } = await flush()
    expect([status, data]).toEqual([202, { id: subscription.id, status: 'flushing' }])
    await expectBatches(rig, subscription, [['request', ids(2)]])
  })

  test('sends what has been accepted even where its own hint has not arrived or is lost', async () => {
    const { rig, subscription, flush } = await scene()
    await rig.publish(...events(2))
    rig.paced.lose()
    await flush()
    await expectBatches(rig, subscription, [['request', ids(2)]])
  })

  test('leaves alone what is accepted after it', async () => {
    const { rig, subscription, path } = await scene()
    await rig.publish(...events(2))
    await ask(rig, 'POST', `${path}/flush`)
    await rig.publish(...events(2, 2))
    await rig.drain()
    await expectBatches(rig, subscription, [['request', ids(2)]])
    await ringAfter(rig, subscription, WAIT_MS)
    await expectBatches(rig, subscription, [
      ['request', ids(2)],
      ['wait', ids(2, 2)],
    ])
  })

  test('is not forgotten when the hint that follows it is lost: the next sweep sees to it', async () => {
    const { rig, subscription, path } = await scene()
    await rig.publish(...events(2))
    await rig.drain()
    await ask(rig, 'POST', `${path}/flush`)
    rig.paced.lose()
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
    await expectBatches(rig, subscription, [['request', ids(2)]])
  })

  test('twice, and then its hints once more, sends everything once', async () => {
    const { rig, subscription, flush } = await scene()
    await rig.publish(...events(2))
    rig.paced.double()
    await flush()
    await flush()
    await rig.relay.hints.paced([{ no: subscription.no }, { no: subscription.no }])
    await rig.drain()
    await expectBatches(rig, subscription, [['request', ids(2)]])
  })

  test('where nothing waits sends nothing', async () => {
    const { rig, subscription, flush } = await scene()
    expect((await flush()).status).toBe(202)
    expect(rig.posts).toEqual([])
    await rig.publish(...events(1))
    await rig.drain()
    expect(rig.postsTo(subscription)).toEqual([])
  })

  test('takes up to the limits in one batch', async () => {
    const { rig, subscription, flush } = await scene({ batchSettings: batching({ maxEvents: 3 }) })
    await rig.publish(...events(2))
    await flush()
    await rig.publish(...events(2, 2))
    await flush()
    await expectBatches(rig, subscription, [
      ['request', ids(2)],
      ['request', ids(2, 2)],
    ])
  })

  test('of a paused subscription takes effect when it is resumed', async () => {
    const { rig, subscription, client, path, flush } = await scene()
    await rig.publish(...events(2))
    await client.post(`${path}/pause`)
    await flush()
    await rig.publish(...events(1, 2))
    await rig.drain()
    expect(rig.posts).toEqual([])
    await askAndServe(rig, 'POST', `${path}/resume`)
    await expectBatches(rig, subscription, [['request', ids(2)]])
  })

  test('of a disabled subscription sends nothing: its events are skipped', async () => {
    const { rig, subscription, client, path, flush } = await scene()
    await rig.publish(...events(2))
    await client.post(`${path}/disable`)
    await flush()
    expect(rig.posts).toEqual([])
    const log = await logOf(rig, subscription)
    expect(log.map(({ status, reason }) => [status, reason])).toEqual([
      ['skipped', 'disabled'],
      ['skipped', 'disabled'],
    ])
  })

  test.each<[string, SubscriptionInput]>([
    ['that has never batched', {}],
    ['whose batching is switched off', { batchSettings: batching({ enabled: false }) }],
    ['that only limits its rate', { rateLimit: { requests: 10, perSeconds: 1 } }],
  ])('of a subscription %s is refused: there is nothing to wait for', async (_, settings) => {
    const { client, path } = await scene(settings)
    expectRefusal(await client.post(`${path}/flush`), 409, 'conflict')
  })

  test('finds no subscription that is unknown, deleted or another workspace’s', async () => {
    const { rig, client, path } = await scene()
    await rig.publish(...events(1))
    expectRefusal(await client.post('/webhooks/webhook_unknown/flush'), 404, 'not_found')
    expectRefusal(await new Client().post(`${path}/flush`), 404, 'not_found')
    expectRefusal(await clientOf(rig, 'other').post(`${path}/flush`), 404, 'not_found')
    await rig.drain()
    expect(rig.posts).toEqual([])
    await client.call('DELETE', path)
    expectRefusal(await client.post(`${path}/flush`), 404, 'not_found')
  })
})

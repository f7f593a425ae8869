import { beforeEach, describe, expect, test } from 'vitest'
import type { DeliveryAnswer } from '../../../../support/process/http-client.ts'
import { answer, createRig, freshStore } from '../../../../support/rig/builders.ts'
import { deliverMany, openBreaker, stateOf } from '../../../../support/rig/receiver-state.ts'
import { replayAll, selection } from '../../../../support/rig/replays.ts'
import { clientOf, deliver, publishAndDeliver } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

async function scene() {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  const client = clientOf(rig)
  const path = `/webhooks/${subscription.id}`
  const logs = async () => (await client.get<DeliveryAnswer[]>(`${path}/logs`)).data
  return { rig, subscription, client, path, logs }
}

describe('POST /webhooks/{id}/disable', () => {
  test('answers the subscription, disabled by hand', async () => {
    const { client, path } = await scene()
    const { status, data } = await client.post(`${path}/disable`)
    expect([status, data]).toMatchObject([200, { active: false, disabledReason: 'manual' }])
    expect((await client.get(path)).data).toMatchObject({ active: false, disabledReason: 'manual' })
  })

  test('takes effect for the very next publish, also of an isolate that had matched before', async () => {
    const { rig, client, path } = await scene()
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    await other.publish({})
    await client.post(`${path}/disable`)
    expect(await other.publish({})).toMatchObject([{ kind: 'accepted', matched: 0 }])
    expect(await client.publish({ event: 'a', data: {} })).toMatchObject({ matched: 0 })
  })

  test('ends what was accepted before as skipped: disabled', async () => {
    const { rig, client, path, logs } = await scene()
    rig.receivers.set((await client.get<{ url: string }>(path)).data.url, answer(500))
    await publishAndDeliver(rig, client, { event: 'a', data: {} })
    await client.publish({ event: 'a', data: {} })
    await client.post(`${path}/disable`)
    await deliver(rig)
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(1)
    expect(await logs()).toMatchObject([
      { status: 'skipped', reason: 'disabled' },
      { status: 'skipped', reason: 'disabled' },
    ])
  })

  test('does not hide why the relay disabled it', async () => {
    const { rig, subscription, client, path } = await scene()
    rig.receivers.set(subscription.settings.url, answer(410))
    await deliverMany(rig, 1)
    expect((await client.post(`${path}/disable`)).data).toMatchObject({
      active: false,
      disabledReason: 'gone',
    })
  })
})

describe('POST /webhooks/{id}/enable', () => {
  test('delivers from the next event on; what came meanwhile comes with a replay of the skipped', async () => {
    const { rig, subscription, client, path } = await scene()
    await client.post(`${path}/disable`)
    for (let n = 0; n < 3; n++) await client.publish({ event: 'a', data: { n } })
    const { data } = await client.post(`${path}/enable`)
    expect(data).toMatchObject({ active: true, disabledReason: null })
    await publishAndDeliver(rig, client, { event: 'a', data: { n: 3 } })
    expect(rig.posts).toHaveLength(1)
    await replayAll(rig, selection({ statuses: ['skipped'] }), subscription)
    await rig.drain()
    const numbers = rig.posts.map(({ body }) => JSON.parse(body).data.n as number)
    expect(numbers.sort()).toEqual([0, 1, 2, 3])
  })

  test('closes an open breaker and gives a new failure budget', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig)
    const { data } = await clientOf(rig).post(`/webhooks/${subscription.id}/enable`)
    expect(data).toMatchObject({ breaker: { state: 'closed', faultsInRow: 0 }, failing: null })
    expect(await stateOf(subscription)).toMatchObject({ failed_attempts: 0, failing_since_ms: null })
  })

  test.each(['PUT', 'PATCH'])('the same by %s of active', async (method) => {
    const { rig, subscription, client, path } = await scene()
    rig.receivers.set(subscription.settings.url, answer(410))
    await deliverMany(rig, 1)
    const { data } = await client.call(method, path, { json: { active: true } })
    expect(data).toMatchObject({ active: true, disabledReason: null, failing: null })
    expect((await client.call(method, path, { json: { active: false } })).data).toMatchObject({
      ...{ active: false, disabledReason: 'manual' },
    })
  })

  test('of an enabled one changes nothing that is delivered', async () => {
    const { rig, client, path } = await scene()
    await client.post(`${path}/enable`)
    await publishAndDeliver(rig, client, { event: 'a', data: {} })
    expect(rig.posts).toHaveLength(1)
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import { Client, type DeliveryAnswer, expectRefusal } from '../../../../support/process/http-client.ts'
import { answer, createRig, freshStore, START_MS } from '../../../../support/rig/builders.ts'
import { openBreaker, rowsTo, SUCCESS, stateOf } from '../../../../support/rig/receiver-state.ts'
import { clientOf, deliver } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

async function scene() {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  const client = clientOf(rig)
  const path = `/webhooks/${subscription.id}`
  return { rig, subscription, client, path }
}

describe('POST /webhooks/{id}/pause', () => {
  test('answers the subscription and since when it is paused', async () => {
    const { client, path } = await scene()
    const { status, data } = await client.post(`${path}/pause`)
    expect([status, data]).toMatchObject([200, { active: true, pausedAt: new Date(START_MS).toISOString() }])
    expect((await client.get(path)).data).toEqual(data)
  })

  test('again keeps the time of the first', async () => {
    const { rig, client, path } = await scene()
    const { data } = await client.post(`${path}/pause`)
    rig.clock.nowMs += 60_000
    expect((await client.post(`${path}/pause`)).data['pausedAt']).toBe(data['pausedAt'])
  })

  test('shows what is accepted meanwhile as pending', async () => {
    const { rig, client, path } = await scene()
    await client.post(`${path}/pause`)
    const { id } = await client.publish({ event: 'a', data: {} })
    await deliver(rig)
    const { data } = await client.get<DeliveryAnswer[]>(`${path}/logs`)
    expect(data).toMatchObject([{ eventId: id, status: 'pending', nextRetryAt: null, attempts: [] }])
  })

  test('survives other changes of the subscription', async () => {
    const { client, path } = await scene()
    const { data } = await client.post(`${path}/pause`)
    const changed = await client.call('PATCH', path, { json: { description: 'other', timeoutSeconds: 5 } })
    expect(changed.data['pausedAt']).toBe(data['pausedAt'])
  })

  test('and disabling are apart: enabling does not resume', async () => {
    const { client, path } = await scene()
    const { data } = await client.post(`${path}/pause`)
    await client.post(`${path}/disable`)
    expect((await client.post(`${path}/enable`)).data).toMatchObject({
      active: true,
      pausedAt: data['pausedAt'],
    })
  })
})

describe('POST /webhooks/{id}/resume', () => {
  test('delivers what was accepted meanwhile, and shows no pause', async () => {
    const { rig, subscription, client, path } = await scene()
    await client.post(`${path}/pause`)
    for (let n = 0; n < 3; n++) await client.publish({ event: 'a', data: { n } })
    await deliver(rig)
    expect(rig.posts).toEqual([])
    expect(await client.post(`${path}/resume`)).toMatchObject({ status: 200, data: { pausedAt: null } })
    await deliver(rig)
    expect((await rowsTo(rig, subscription)).map(({ state }) => state)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('of one that is not paused changes nothing', async () => {
    const { client, path } = await scene()
    const before = (await client.get(path)).data
    expect((await client.post(`${path}/resume`)).data).toEqual(before)
  })

  test('closes an open breaker and forgets the failures before', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig)
    rig.receivers.set(subscription.settings.url, answer(200))
    await rig.publish({}, {})
    await rig.drain()
    const { data } = await clientOf(rig).post(`/webhooks/${subscription.id}/resume`)
    expect(data).toMatchObject({
      breaker: { state: 'closed', faultsInRow: 0, heldUntil: null },
      failing: null,
    })
    await deliver(rig)
    expect([rig.posts.length, (await stateOf(subscription)).failed_attempts]).toEqual([12, 0])
  })
})

describe.each(['pause', 'resume', 'enable', 'disable'])('POST /webhooks/{id}/%s', (verb) => {
  test('404: of nothing, of another workspace, of a deleted one', async () => {
    const { rig, client, path } = await scene()
    expectRefusal(await client.post(`/webhooks/webhook_x/${verb}`), 404, 'not_found')
    expectRefusal(await clientOf(rig, 'another').post(`${path}/${verb}`), 404, 'not_found')
    await client.call('DELETE', path)
    expectRefusal(await client.post(`${path}/${verb}`), 404, 'not_found')
  })

  test('401: without a key', async () => {
    const refused = await new Client().post(`/webhooks/webhook_x/${verb}`, undefined, {
      headers: { Authorization: null },
    })
    expectRefusal(refused, 401, 'unauthorized')
  })
})

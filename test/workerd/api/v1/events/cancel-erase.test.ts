import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DeliveryAnswer, expectRefusal } from '../../../../support/process/http-client.ts'
import { textsAtRest } from '../../../../support/rig/at-rest.ts'
import {
  answer,
  createRig,
  freshStore,
  START_MS,
  type SubscriptionInput,
} from '../../../../support/rig/builders.ts'
import { replayAll, selection } from '../../../../support/rig/replays.ts'
import { clientOf, deliver, publishAndDeliver } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const MARK = 'sensitive-4711'
const event = { event: 'a', id: 'own', data: { name: MARK } }
const large = { ...event, data: { name: `${MARK} `.repeat(6_000) } }
type Erased = { cancelledAt: string | null; erasedAt: string | null }

async function scene(input: SubscriptionInput = {}) {
  const rig = await createRig()
  const subscription = await rig.subscribe(input)
  const { url } = subscription.settings
  const client = clientOf(rig)
  const cancel = () => client.post('/events/own/cancel')
  const erase = () => client.call<Erased>('DELETE', '/events/own')
  const logs = async () => (await client.get<DeliveryAnswer[]>(`/webhooks/${subscription.id}/logs`)).data
  /** Lets every retry and everything scheduled within a day come due. */
  const later = async () => {
    for (const seconds of [10, 60, 600, 3600, 86_400]) {
      rig.clock.nowMs = START_MS + seconds * 1000
      await rig.sweep()
      await rig.drain()
    }
  }
  return { rig, subscription, url, client, cancel, erase, logs, later }
}

const CANCELLED = [{ eventId: 'own', status: 'skipped', reason: 'cancelled' }]

describe('POST /events/{id}/cancel', () => {
  test('ends a delivery that waits for its retry', async () => {
    const { rig, url, client, cancel, logs, later } = await scene()
    rig.receivers.set(url, answer(500))
    await publishAndDeliver(rig, client, event)
    expect((await cancel()).data).toMatchObject({ id: 'own', cancelledDeliveries: 1 })
    await later()
    expect([rig.posts.length, await logs()]).toMatchObject([1, CANCELLED])
  })

  test('ends one that has never been attempted, whose hint is still on its way', async () => {
    const { rig, client, cancel, logs, later } = await scene()
    await client.publish(event)
    expect((await cancel()).data).toMatchObject({ cancelledDeliveries: 1 })
    await deliver(rig)
    await later()
    expect([rig.posts, await logs()]).toMatchObject([[], CANCELLED])
  })

  test('ends one that is scheduled', async () => {
    const { rig, client, cancel, logs, later } = await scene()
    await publishAndDeliver(rig, client, { ...event, deliverAt: new Date(START_MS + 600_000).toISOString() })
    expect((await cancel()).data).toMatchObject({ cancelledDeliveries: 1 })
    await later()
    expect([rig.posts, await logs()]).toMatchObject([[], CANCELLED])
  })

  test('ends one that waits because its subscription is paused', async () => {
    const { rig, subscription, client, cancel, logs, later } = await scene()
    await client.post(`/webhooks/${subscription.id}/pause`)
    await publishAndDeliver(rig, client, event)
    await cancel()
    await client.post(`/webhooks/${subscription.id}/resume`)
    await later()
    expect([rig.posts, await logs()]).toMatchObject([[], CANCELLED])
  })

  test.each([200, 500])('an attempt in flight that ends with %i does not bring it back', async (status) => {
    const { rig, url, client, cancel, logs, later } = await scene()
    rig.receivers.set(url, async () => {
      await cancel()
      return new Response(null, { status })
    })
    await publishAndDeliver(rig, client, event)
    await later()
    expect([rig.posts.length, await logs()]).toMatchObject([1, CANCELLED])
  })

  test('a retry in flight that fails does not bring it back either', async () => {
    const { rig, url, client, cancel, logs, later } = await scene()
    rig.receivers.set(url, async () => {
      if (rig.posts.length === 2) await cancel()
      return new Response(null, { status: 500 })
    })
    await publishAndDeliver(rig, client, event)
    await later()
    expect([rig.posts.length, await logs()]).toMatchObject([2, CANCELLED])
  })

  test('leaves what has succeeded, and failed for good, as it was', async () => {
    const { rig, client, cancel, logs } = await scene()
    const failed = await rig.subscribe({ retryPolicy: { schedule: [] } })
    rig.receivers.set(failed.settings.url, answer(500))
    await publishAndDeliver(rig, client, event)
    expect((await cancel()).data).toMatchObject({ cancelledDeliveries: 0 })
    const other = await client.get<DeliveryAnswer[]>(`/webhooks/${failed.id}/logs`)
    expect([await logs(), other.data]).toMatchObject([[{ status: 'success' }], [{ status: 'failed' }]])
  })

  test('ends those of all subscriptions, and again ends none', async () => {
    const { rig, url, client, cancel } = await scene()
    const other = await rig.subscribe()
    for (const each of [url, other.settings.url]) rig.receivers.set(each, answer(500))
    await publishAndDeliver(rig, client, event)
    const first = await cancel()
    expect(first.data).toMatchObject({ cancelledDeliveries: 2 })
    rig.clock.nowMs += 5_000
    expect((await cancel()).data).toEqual({ ...first.data, cancelledDeliveries: 0 })
  })

  test('touches no other event', async () => {
    const { rig, url, client, cancel, later } = await scene()
    rig.receivers.set(url, answer(500))
    await publishAndDeliver(rig, client, { ...event, id: 'other' })
    await publishAndDeliver(rig, client, event)
    await cancel()
    rig.receivers.set(url, answer(200))
    await later()
    expect(rig.posts.at(-1)?.headers.get('webhook-id')).toBe('other')
    expect(rig.posts).toHaveLength(3)
  })

  test('404: of nothing and of another workspace', async () => {
    const { rig, client } = await scene()
    await client.publish(event)
    expectRefusal(await client.post('/events/nothing/cancel'), 404, 'not_found')
    expectRefusal(await clientOf(rig, 'another').post('/events/own/cancel'), 404, 'not_found')
    expectRefusal(await clientOf(rig, 'another').call('DELETE', '/events/own'), 404, 'not_found')
  })
})

describe('DELETE /events/{id}', () => {
  test.each([
    ['a small event', event],
    ['a large one, which is in R2', large],
  ])('removes the content of %s wherever it is kept', async (_, published) => {
    const { rig, url, client, erase } = await scene({
      transform: { template: '{"who":"{{ data.name }}"}' },
    })
    rig.receivers.set(url, (post) => new Response(`${post.body} ${'x'.repeat(400)}`, { status: 500 }))
    await publishAndDeliver(rig, client, published)
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(rig.posts).toHaveLength(2)
    expect(rig.posts[0]?.body).toContain(MARK)
    expect(await textsAtRest()).toContain(MARK)
    expect((await erase()).status).toBe(200)
    expect(await textsAtRest()).not.toContain(MARK)
    expect((await env.BODIES.list()).objects).toEqual([])
  })

  test('leaves a trace that can be read', async () => {
    const { rig, client, erase, logs } = await scene()
    await publishAndDeliver(rig, client, event)
    const { data } = await erase()
    expect(data).toMatchObject({ id: 'own', event: 'a', erasedAt: new Date(START_MS).toISOString() })
    expect((await client.get('/events/own')).data).toMatchObject({ id: 'own', erasedAt: data.erasedAt })
    expect(await logs()).toMatchObject([
      { eventId: 'own', status: 'success', responseCode: 200, responseBody: null },
    ])
    const { status, data: outcomes } = await client.get<object[]>('/events/own/deliveries')
    expect([status, outcomes.length]).toEqual([200, 1])
  })

  test('cancels what is outstanding', async () => {
    const { rig, url, client, erase, logs, later } = await scene()
    rig.receivers.set(url, answer(500))
    await publishAndDeliver(rig, client, event)
    await erase()
    await later()
    expect([rig.posts.length, await logs()]).toMatchObject([1, CANCELLED])
  })

  test.each([200, 500])(
    'of an attempt in flight keeps no answer of %i, and does not bring it back',
    async (status) => {
      const { rig, url, client, erase, logs, later } = await scene()
      rig.receivers.set(url, async (post) => {
        await erase()
        return new Response(post.body, { status })
      })
      await publishAndDeliver(rig, client, event)
      await later()
      expect([rig.posts.length, await logs()]).toMatchObject([1, CANCELLED])
      expect(await textsAtRest()).not.toContain(MARK)
    },
  )

  test('of a first attempt in flight keeps no long answer nor what was to be sent again', async () => {
    const { rig, url, client, erase } = await scene({
      transform: { template: '{"who":"{{ data.name }}"}' },
    })
    rig.receivers.set(url, async (post) => {
      await erase()
      return new Response(`${post.body} ${'x'.repeat(400)}`, { status: 500 })
    })
    await publishAndDeliver(rig, client, event)
    expect(await textsAtRest()).not.toContain(MARK)
  })

  test('is passed over by a replay of everything', async () => {
    const { rig, subscription, client, erase } = await scene()
    await publishAndDeliver(rig, client, event)
    await publishAndDeliver(rig, client, { ...event, id: 'other' })
    await erase()
    await replayAll(rig, selection({ statuses: ['success', 'failed', 'skipped'] }), subscription)
    await rig.drain()
    const ids = rig.posts.map(({ headers }) => headers.get('webhook-id'))
    expect(ids).toEqual(['own', 'other', 'other'])
  })

  test('is not brought back by a retry that a person asks for', async () => {
    const { rig, url, client, erase, logs, later } = await scene({ retryPolicy: { schedule: [] } })
    rig.receivers.set(url, answer(500))
    await publishAndDeliver(rig, client, event)
    await erase()
    const [row] = await logs()
    await client.post(`/deliveries/${row?.id}/retry`)
    await later()
    expect(rig.posts).toHaveLength(1)
  })

  test('again answers the same', async () => {
    const { rig, client, erase } = await scene()
    await publishAndDeliver(rig, client, event)
    const first = await erase()
    rig.clock.nowMs += 5_000
    expect((await erase()).data).toEqual(first.data)
  })

  test('leaves its id taken', async () => {
    const { rig, client, erase } = await scene()
    await publishAndDeliver(rig, client, event)
    await erase()
    expect((await client.publish(event)).status).toBe('duplicate')
  })
})

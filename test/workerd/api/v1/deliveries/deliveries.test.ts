import { describe, expect, test } from 'vitest'
import {
  Client,
  type DeliveryAnswer,
  expectRefusal,
  unhintedClient,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

/** A subscription whose one delivery has failed. */
async function failed(schedule: number[], ...answers: Parameters<typeof receivers.url>) {
  const client = new Client()
  const url = receivers.url(...answers)
  const { id } = await client.subscribe({ url, retryPolicy: { schedule } })
  await client.publish({ event: 'a', data: { n: 2.5 } })
  const [row] = await client.settled(id, 'failed', 1)
  if (row === undefined) throw new Error('no delivery was logged')
  return { client, url, webhookId: id, row }
}

describe('POST /deliveries/{id}/retry', () => {
  test('attempts a delivery that failed for good once more, with the same bytes', async () => {
    const { client, url, webhookId, row } = await failed([], { status: 500 }, { status: 200 })
    const retried = await client.post<DeliveryAnswer>(`/deliveries/${row.id}/retry`)
    expect(retried.status).toBe(202)
    expect(retried.data).toMatchObject({ id: row.id, eventId: row.eventId })
    const [after] = await client.settled(webhookId, 'success', 1)
    expect(after).toMatchObject({ id: row.id, retryCount: 1, nextRetryAt: null })
    expect(after?.attempts.map((attempt) => attempt.responseCode)).toEqual([500, 200])
    const [first, second, ...more] = receivers.received(url)
    expect(more).toEqual([])
    expect(second?.body).toBe(first?.body)
    expect(second?.headers.get('webhook-id')).toBe(first?.headers.get('webhook-id'))
  })

  test('brings a scheduled retry forward', async () => {
    const { client, webhookId, row } = await failed([3600], { status: 500 }, { status: 200 })
    expect(row.nextRetryAt).not.toBeNull()
    expect((await client.post(`/deliveries/${row.id}/retry`)).status).toBe(202)
    await client.settled(webhookId, 'success', 1)
  })

  test('that fails for good again and again leaves it failed, and counted once', async () => {
    const { client, url, webhookId, row } = await failed([], { status: 500 })
    expect(await statistics(client, webhookId)).toMatchObject({ totalDelivered: 0, totalFailed: 1 })
    const retryCount = async () => (await client.get<DeliveryAnswer>(`/deliveries/${row.id}`)).data.retryCount
    for (const retries of [1, 2, 3]) {
      expect((await client.post(`/deliveries/${row.id}/retry`)).status).toBe(202)
      await expect.poll(retryCount, { timeout: 4000, interval: 20 }).toBe(retries)
      expect((await client.get(`/deliveries/${row.id}`)).data).toMatchObject({
        status: 'failed',
        nextRetryAt: null,
      })
      expect(await statistics(client, webhookId)).toMatchObject({ totalDelivered: 0, totalFailed: 1 })
    }
    expect(receivers.received(url)).toHaveLength(4)
  })

  test('that succeeds turns a failure counted into a delivery counted', async () => {
    const { client, webhookId, row } = await failed([], { status: 500 }, { status: 200 })
    await client.post(`/deliveries/${row.id}/retry`)
    await client.settled(webhookId, 'success', 1)
    expect(await statistics(client, webhookId)).toMatchObject({ totalDelivered: 1, totalFailed: 0 })
  })

  test('409: it has succeeded', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(id, 'success', 1)
    await expectConflict(client, row?.id, /has succeeded/)
    expect(receivers.received(url)).toHaveLength(1)
  })

  test('409: its first attempt is still to come', async () => {
    const client = unhintedClient()
    const { id } = await client.subscribe()
    await client.publish({ event: 'a', data: {} })
    const { data } = await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)
    await expectConflict(client, data[0]?.id, /first attempt of this delivery is still to come/)
  })

  test('409: the subscription is disabled, and 202 once it is enabled', async () => {
    const { client, webhookId, row } = await failed([], { status: 500 }, { status: 200 })
    await client.call('PATCH', `/webhooks/${webhookId}`, { json: { active: false } })
    await expectConflict(client, row.id, /disabled; enable it first/)
    await client.call('PATCH', `/webhooks/${webhookId}`, { json: { active: true } })
    expect((await client.post(`/deliveries/${row.id}/retry`)).status).toBe(202)
    await client.settled(webhookId, 'success', 1)
  })

  test('409: the subscription has been deleted', async () => {
    const { client, webhookId, row } = await failed([], { status: 500 })
    await client.call('DELETE', `/webhooks/${webhookId}`)
    await expectConflict(client, row.id, /has been deleted/)
    expect((await client.get(`/deliveries/${row.id}`)).status).toBe(200)
  })

  test.each(['log_x', 'log_000000000000000000x', 'evt_000000000000000000x'])('404: %s', async (id) => {
    expectRefusal(await new Client().post(`/deliveries/${id}/retry`), 404, 'not_found')
  })
})

describe('GET /webhooks/{id}/statistics', () => {
  test('of nothing is zero', async () => {
    const client = new Client()
    const { id } = await client.subscribe()
    expect(await statistics(client, id)).toEqual({
      ...{ totalDelivered: 0, totalFailed: 0, successRate: 0, lastDelivery: null, averageResponseTime: 0 },
      latencyPercentiles: { p50: null, p90: null, p95: null, p99: null },
      recentDeliveries: [],
      timeSeries: [],
    })
  })

  test('counts deliveries and final failures, and cuts the percentage', async () => {
    const client = new Client()
    const url = receivers.url({ status: 200 }, { status: 200 }, { status: 500 })
    const { id } = await client.subscribe({ url, retryPolicy: { schedule: [] } })
    const first = await client.publish({ event: 'invoice.paid', data: {} })
    await client.settled(id, 'success', 1)
    const second = await client.publish({ event: 'invoice.paid', data: {} })
    await client.settled(id, 'success', 2)
    await client.publish({ event: 'invoice.paid', data: {} })
    await client.settled(id, 'failed', 1)
    const shown = await statistics(client, id)
    expect(shown).toMatchObject({
      // 2 of 3 is 66.666…: cut, not rounded.
      ...{ totalDelivered: 2, totalFailed: 1, successRate: 66.66 },
      lastDelivery: expect.stringMatching(/Z$/),
      averageResponseTime: expect.any(Number),
      timeSeries: [{ hour: expect.stringMatching(/:00:00\.000Z$/), delivered: 2, failed: 1 }],
    })
    expect(shown['recentDeliveries']).toEqual(
      [second, first].map((event) => ({
        ...{ eventId: event.id, event: 'invoice.paid', responseCode: 200 },
        deliveredAt: expect.stringMatching(/Z$/),
        responseTime: expect.any(Number),
      })),
    )
    const listed = await client.get<{ statistics: object }[]>('/webhooks')
    expect(listed.data[0]?.statistics).toEqual({
      ...{ totalDelivered: 2, totalFailed: 1, lastDelivery: shown['lastDelivery'] },
    })
  })

  test('does not count a failure that will be tried again', async () => {
    const { client, webhookId } = await failed([3600], { status: 500 })
    expect(await statistics(client, webhookId)).toMatchObject({ totalFailed: 0, successRate: 0 })
  })
})

async function statistics(client: Client, webhookId: string): Promise<Record<string, unknown>> {
  return (await client.get(`/webhooks/${webhookId}/statistics`)).data
}

async function expectConflict(client: Client, id: string | undefined, message: RegExp): Promise<void> {
  const before = await client.get(`/deliveries/${id}`)
  const answer = await client.post(`/deliveries/${id}/retry`)
  expectRefusal(answer, 409, 'conflict')
  expect(answer.error.message).toMatch(message)
  expect((await client.get(`/deliveries/${id}`)).data).toEqual(before.data)
}

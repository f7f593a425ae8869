import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { Client, type DeliveryAnswer, expectRefusal } from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

type TestAnswer = {
  success: boolean
  status: string
  eventId: string
  deliveryId: string
  event: string
  statusCode: number | null
  responseTime: number | null
  responseBody: string | null
  error: string | null
}

describe('POST /webhooks/{id}/test', () => {
  test('delivers seed 002 example now and answers with what the receiver said', async () => {
    const client = new Client()
    const url = receivers.url({ status: 202, body: 'Thank you' })
    const { id } = await client.subscribe({ url, events: ['something.else'] })
    const testData = { invoiceId: 'inv_test_123', customerId: 'cust_test_456' }
    const { status, data } = await client.post<TestAnswer>(`/webhooks/${id}/test`, {
      event: 'invoice.created',
      testData,
    })
    expect(status).toBe(200)
    expect(data).toEqual({
      success: true,
      status: 'success',
      eventId: expect.stringMatching(/^evt_/),
      deliveryId: expect.stringMatching(/^log_/),
      event: 'invoice.created',
      ...{ responseCode: 202, statusCode: 202 },
      responseTime: expect.any(Number),
      responseBody: 'Thank you',
      error: null,
      ...{ errorMessage: null, explanation: null, waitingFor: null },
    })
    const [request, ...more] = receivers.received(url)
    expect(more).toEqual([])
    expect(JSON.parse(String(request?.body))).toMatchObject({
      id: data.eventId,
      event: 'invoice.created',
      livemode: false,
      data: { object: testData },
    })
    expect(request?.headers.get('webhook-id')).toBe(data.eventId)
  })

  test('delivers a batch of one where batching is on, at once and under an id of its own', async () => {
    const client = new Client()
    const url = receivers.url({ status: 500 }, { status: 202 })
    const { id } = await client.subscribe({ url, batchSettings: { enabled: true, maxWaitTime: 300 } })
    const testData = '{ "total": 2567.50 }'
    const call = { body: `{"event":"invoice.created","testData":${testData}}` }
    const failed = await client.call<TestAnswer>('POST', `/webhooks/${id}/test`, call)
    expect(failed.data).toMatchObject({ success: false, event: 'invoice.created', statusCode: 500 })
    const { data } = await client.call<TestAnswer>('POST', `/webhooks/${id}/test`, call)
    expect(data).toMatchObject({ success: true, statusCode: 202 })
    const bodies = receivers.received(url).map(({ body, headers }) => {
      const batch = JSON.parse(body) as { batchId: string; events: { id: string }[] }
      expect(batch).toMatchObject({
        batch: true,
        events: [{ event: 'invoice.created', data: { object: { total: 2567.5 } } }],
      })
      expect(batch.batchId).toMatch(/^batch_[0-9a-z]{19}$/)
      expect(headers.get('webhook-id')).toBe(batch.batchId)
      expect(body).toContain(`"data":{"object":${testData}}`)
      return batch
    })
    expect(bodies.map(({ events }) => events[0]?.id)).toEqual([failed.data.eventId, data.eventId])
    expect(new Set(bodies.map(({ batchId }) => batchId)).size).toBe(2)
  })

  test('sends testData to the character', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    const testData = '{ "total": 2567.50, "number": 12345678901234567890 }'
    await client.call('POST', `/webhooks/${id}/test`, { body: `{"testData": ${testData}}` })
    expect(receivers.received(url)[0]?.body).toContain(`"data":{"object":${testData}}`)
  })

  describe('sends what the receivers of the profile read:', () => {
    const OBJECT = { invoiceId: 'inv_test_123' }
    const SEED_002 = { event: 'invoice.created', testData: OBJECT }

    test.each<[string, object, object, object]>([
      ['standard', {}, SEED_002, { object: OBJECT }],
      ['bigledger', { profile: 'bigledger' }, SEED_002, { object: OBJECT }],
      ['core', { profile: 'core' }, SEED_002, { object: OBJECT }],
      [
        'core, all alone',
        { profile: 'core' },
        { test: true, message: 'Hi' },
        { object: { test: true, message: 'Hi' } },
      ],
      ['standard, all alone', {}, OBJECT, { object: OBJECT }],
      ['an object of its own', {}, { testData: { object: OBJECT } }, { object: OBJECT }],
      ['an object of its own, all alone', {}, { object: OBJECT }, { object: OBJECT }],
      ['the whole data', {}, { data: OBJECT }, OBJECT],
      ['marko', { profile: 'marko' }, SEED_002, OBJECT],
      ['ledgerly', { profile: 'ledgerly' }, SEED_002, OBJECT],
      ['marko, all alone', { profile: 'marko' }, OBJECT, OBJECT],
      ['cloudevents', { profile: 'cloudevents' }, SEED_002, OBJECT],
      [
        'a custom scheme with the payload of marko',
        { profile: 'custom', custom: { payload: 'marko', signature: { header: 'X-Mine' } } },
        SEED_002,
        OBJECT,
      ],
    ])('%s', async (_, settings, body, data) => {
      const client = new Client()
      const url = receivers.url()
      const { id } = await client.subscribe({ url, ...settings })
      expect((await client.post<TestAnswer>(`/webhooks/${id}/test`, body)).data.success).toBe(true)
      expect(JSON.parse(receivers.received(url)[0]?.body ?? '')).toMatchObject({ data })
    })
  })

  test.each([
    ['no body', {}],
    ['an empty object', { json: {} }],
  ])('with %s sends webhook.test', async (_, call) => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    const { data } = await client.call<TestAnswer>('POST', `/webhooks/${id}/test`, call)
    expect(data).toMatchObject({ success: true, event: 'webhook.test' })
    expect(JSON.parse(receivers.received(url)[0]?.body ?? '')).toMatchObject({
      data: { object: { test: true } },
    })
  })

  test('says what a failing receiver answered', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: receivers.url({ status: 500, body: 'broken' }) })
    const { status, data } = await client.post<TestAnswer>(`/webhooks/${id}/test`)
    expect(status).toBe(200)
    expect(data).toMatchObject({ success: false, status: 'failed', statusCode: 500, responseBody: 'broken' })
  })

  test('works on a disabled subscription', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url, active: false })
    const { data } = await client.post<TestAnswer>(`/webhooks/${id}/test`)
    expect(data).toMatchObject({ success: true, status: 'success' })
    expect(receivers.received(url)).toHaveLength(1)
  })

  test('reaches the tested subscription only', async () => {
    const client = new Client()
    const [mine, other] = [receivers.url(), receivers.url()]
    const { id } = await client.subscribe({ url: mine })
    const neighbour = await client.subscribe({ url: other })
    const { data } = await client.post<TestAnswer>(`/webhooks/${id}/test`)
    expect(receivers.received(mine)).toHaveLength(1)
    expect(receivers.received(other)).toHaveLength(0)
    const rows = await client.get<{ webhookId: string; reason: string | null }[]>(
      `/events/${data.eventId}/deliveries`,
    )
    expect(rows.data.find(({ webhookId }) => webhookId === neighbour.id)).toMatchObject({
      matched: false,
      reason: 'test_for_another_subscription',
    })
  })

  test('is logged and marked, and not counted', async () => {
    const client = new Client()
    const url = receivers.url({ status: 200 }, { status: 500 })
    const { id } = await client.subscribe({ url, retryPolicy: { schedule: [] } })
    await client.post(`/webhooks/${id}/test`)
    await client.post(`/webhooks/${id}/test`)
    const logs = await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)
    expect(logs.data.map((row) => [row.test, row.status])).toEqual([
      [true, 'failed'],
      [true, 'success'],
    ])
    const events = await client.get<{ test: boolean }[]>('/events')
    expect(events.data.map((event) => event.test)).toEqual([true, true])
    const statistics = await client.get(`/webhooks/${id}/statistics`)
    expect(statistics.data).toMatchObject({
      totalDelivered: 0,
      totalFailed: 0,
      successRate: 0,
      lastDelivery: null,
      recentDeliveries: [],
      timeSeries: [],
    })
    const shown = await client.get(`/webhooks/${id}`)
    expect(shown.data['statistics']).toEqual({ totalDelivered: 0, totalFailed: 0, lastDelivery: null })
  })

  test('does not push real deliveries out of the recent ones', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: receivers.url() })
    const event = await client.publish({ event: 'a', data: {} })
    await client.settled(id, 'success', 1)
    for (let i = 0; i < 11; i++) await client.post(`/webhooks/${id}/test`)
    const { data } = await client.get<{ recentDeliveries: { eventId: string }[] }>(
      `/webhooks/${id}/statistics`,
    )
    expect(data.recentDeliveries.map(({ eventId }) => eventId)).toEqual([event.id])
  })

  test('carries texts of any size a body may have', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    // Printed again, each 1e20 becomes 22 characters: 4 MB, more than a row of D1 holds.
    const body = `{"testData":{"n":[${Array.from({ length: 190_000 }, () => '1e20').join()}]}}`
    const { data, text } = await client.call<TestAnswer>('POST', `/webhooks/${id}/test`, { body })
    expect(data, text).toMatchObject({ success: true })
    const sent = JSON.parse(receivers.received(url)[0]?.body ?? '') as { data: { object: { n: number[] } } }
    expect(sent.data.object.n).toHaveLength(190_000)
    const rows = await env.DB.prepare('SELECT max(length(body)) AS longest FROM event').first()
    expect(rows?.['longest']).toBeLessThan(100_000)
  })

  test('answers 404 for a deleted subscription', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    await client.call('DELETE', `/webhooks/${id}`)
    expectRefusal(await client.post(`/webhooks/${id}/test`), 404, 'not_found')
    expect(receivers.received(url)).toHaveLength(0)
  })
})

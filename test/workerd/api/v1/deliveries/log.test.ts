import { beforeAll, describe, expect, test, vi } from 'vitest'
import {
  Client,
  type DeliveryAnswer,
  expectInvalid,
  expectRefusal,
  unhintedClient,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('a row of the log', () => {
  test('of a success has the shape of seed 002, and its attempt', async () => {
    const client = new Client()
    const url = receivers.url({ body: 'Event processed successfully' })
    const { id } = await client.subscribe({ url })
    await client.publish({ event: 'invoice.paid', data: {}, id: 'evt_987654321' })
    expect(await client.settled(id, 'success', 1)).toEqual([
      {
        id: expect.stringMatching(/^log_0[0-9a-z]{18}$/),
        ...{ webhookId: id, url },
        eventId: 'evt_987654321',
        event: 'invoice.paid',
        deliveredAt: expect.stringMatching(TIME),
        responseCode: 200,
        responseTime: expect.any(Number),
        responseBody: 'Event processed successfully',
        retryCount: 0,
        attemptCount: 1,
        status: 'success',
        reason: null,
        error: null,
        errorMessage: null,
        explanation: null,
        nextRetryAt: null,
        waitingFor: null,
        blocked: false,
        test: false,
        batchId: null,
        summary: expect.stringMatching(
          /^Delivered at the first attempt: the receiver answered 200 in \d+ ms\.$/,
        ),
        advice: null,
        attempts: [
          {
            id: expect.stringMatching(/^attempt_0[0-9a-z]{18}_1$/),
            attempt: 1,
            ...{ webhookId: id, url },
            attemptedAt: expect.stringMatching(TIME),
            responseCode: 200,
            responseTime: expect.any(Number),
            responseBody: 'Event processed successfully',
            error: null,
            errorMessage: null,
            explanation: null,
          },
        ],
      },
    ])
  })

  test('of a failure says when it is tried again', async () => {
    const client = new Client()
    const url = receivers.url({ status: 500, body: 'Internal server error' })
    const { id } = await client.subscribe({ url, retryPolicy: { schedule: [600] } })
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(id, 'failed', 1)
    expect(row).toMatchObject({
      ...{ responseCode: 500, responseBody: 'Internal server error', retryCount: 0, error: 'http_status' },
      errorMessage: 'The receiver answered 500.',
      attempts: [{ attempt: 1, responseCode: 500, error: 'http_status' }],
    })
    const delayMs = Date.parse(String(row?.nextRetryAt)) - Date.parse(String(row?.deliveredAt))
    expect(delayMs).toBeGreaterThanOrEqual(600_000)
    expect(delayMs).toBeLessThan(610_000)
  })

  test('of a failure for good has no next try', async () => {
    const client = new Client()
    const url = receivers.url({ status: 503 })
    const { id } = await client.subscribe({ url, retryPolicy: { schedule: [] } })
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(id, 'failed', 1)
    expect(row).toMatchObject({ responseCode: 503, nextRetryAt: null, retryCount: 0 })
  })

  test('of a delivery that took three attempts lists all three in order', async () => {
    const client = new Client()
    const url = receivers.url({ status: 500, body: 'one' }, { status: 502, body: 'two' }, { body: 'three' })
    const { id } = await client.subscribe({ url, retryPolicy: { schedule: [0, 0] } })
    await client.publish({ event: 'a', data: {} })
    const [row] = await client.settled(id, 'success', 1)
    expect(row).toMatchObject({ retryCount: 2, status: 'success', nextRetryAt: null, responseBody: 'three' })
    expect(row?.attempts.map((a) => [a.attempt, a.responseCode, a.responseBody])).toEqual([
      [1, 500, 'one'],
      [2, 502, 'two'],
      [3, 200, 'three'],
    ])
    expect((await client.get(`/deliveries/${row?.id}`)).data).toMatchObject(row ?? {})
    const ids = row?.attempts.map((attempt) => attempt.id)
    expect(ids).toEqual([1, 2, 3].map((n) => `${row?.id.replace('log_', 'attempt_')}_${n}`))
  })

  test('of a connection that broke has its error in the words of the platform, without what may be secret', async () => {
    const client = new Client()
    const fault = () =>
      Promise.reject(new TypeError(`connect ECONNREFUSED ${url} by Bearer top-secret-token`))
    const url = receivers.url(fault)
    const auth = { type: 'bearer', token: 'top-secret-token' }
    const { id } = await client.subscribe({ url, auth, retryPolicy: { schedule: [0] } })
    await client.publish({ event: 'a', data: {} })
    const row = await vi.waitFor(async () => {
      const { data } = await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)
      expect(data[0]).toMatchObject({ attemptCount: 2 })
      return data[0]
    })
    const errorMessage =
      "The receiver's name does not resolve, or its certificate was not accepted: connect ECONNREFUSED (URL) by Bearer ********"
    const shown = {
      errorMessage,
      explanation: null,
      responseCode: null,
      responseBody: null,
      error: 'dns_or_tls',
    }
    expect(row).toMatchObject({ ...shown, attempts: [shown, shown] })
  })

  test('of a delivery still to come is pending, without anything an attempt would say', async () => {
    const client = unhintedClient()
    const { id } = await client.subscribe()
    const event = await client.publish({ event: 'a', data: {} })
    const { data } = await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)
    expect(data).toEqual([
      {
        ...{ id: expect.stringMatching(/^log_/), eventId: event.id, event: 'a', status: 'pending' },
        ...{ webhookId: id, url: 'https://receiver.example.com/hooks' },
        ...{ deliveredAt: null, responseCode: null, responseTime: null, responseBody: null },
        ...{
          retryCount: 0,
          attemptCount: 0,
          reason: null,
          error: null,
          errorMessage: null,
          explanation: null,
          nextRetryAt: null,
          waitingFor: { reason: 'turn', until: null },
          summary: 'Is about to be attempted.',
          advice: null,
          blocked: false,
          test: false,
          batchId: null,
          attempts: [],
        },
      },
    ])
    expect((await client.get(`/deliveries/${data[0]?.id}`)).data).toMatchObject(data[0] ?? {})
  })

  test('of a deleted subscription is skipped where it had not ended, and stays where it had', async () => {
    const client = unhintedClient()
    const { id } = await client.subscribe()
    await client.publish({ event: 'a', data: {} })
    await client.call('DELETE', `/webhooks/${id}`)
    const { data } = await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)
    expect(data).toMatchObject([{ status: 'skipped', reason: 'deleted', nextRetryAt: null }])
  })
})

describe('a filtered log', () => {
  const client = new Client()
  let id: string
  let accepted: string

  beforeAll(async () => {
    const url = receivers.url({ status: 200 }, { status: 500 }, { status: 200 }, { status: 404 })
    id = (await client.subscribe({ url, events: ['a', 'b.*'], retryPolicy: { schedule: [] } })).id
    for (const [i, event] of ['a', 'a', 'b.c', 'b.d'].entries()) {
      await client.publish({ event, data: {}, id: `e${i}` })
      await logged(i + 1)
    }
    accepted = (await client.get<{ acceptedAt: string }>('/events/e2')).data.acceptedAt
  })

  async function logged(count: number): Promise<void> {
    const ended = async () => (await rows('')).filter((row) => row.status !== 'pending')
    await vi.waitFor(async () => expect(await ended()).toHaveLength(count), { timeout: 4000, interval: 20 })
  }

  async function rows(query: string): Promise<DeliveryAnswer[]> {
    const answer = await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs?${query}`)
    expect(answer.status, answer.text).toBe(200)
    return answer.data
  }
  const eventIds = async (query: string) => (await rows(query)).map(({ eventId }) => eventId)

  test.each([
    ['', ['e3', 'e2', 'e1', 'e0']],
    ['event=a', ['e1', 'e0']],
    ['event=b.c', ['e2']],
    ['event=never.published', []],
    ['status=success', ['e2', 'e0']],
    ['status=failed', ['e3', 'e1']],
    ['status=pending', []],
    ['status=skipped', []],
    ['event=a&status=failed', ['e1']],
    ['event=b.*', ['e3', 'e2']],
    ['event=*', ['e3', 'e2', 'e1', 'e0']],
    ['event=b.c.*', []],
    ['event=b.*&status=failed', ['e3']],
    ['status=pending,failed', ['e3', 'e1']],
    ['status=success,failed', ['e3', 'e2', 'e1', 'e0']],
    ['status=failed,skipped,pending&limit=1', ['e3']],
    ['error=http_status', ['e3', 'e1']],
    ['error=http_status&status=failed,success', ['e3', 'e1']],
    ['error=http_status&status=success', []],
    ['error=connection', []],
    ['limit=3', ['e3', 'e2', 'e1']],
    ['limit=1&status=success', ['e2']],
    ['dateFrom=2000-01-01', ['e3', 'e2', 'e1', 'e0']],
    ['dateTo=2000-01-01', []],
    ['dateFrom=2999-01-01', []],
    ['dateTo=2999-12-31', ['e3', 'e2', 'e1', 'e0']],
    ['dateFrom=2000-01-01T00:00:00Z&dateTo=2999-01-01T00:00:00%2B02:00', ['e3', 'e2', 'e1', 'e0']],
    ['dateFrom=2999-01-01&dateTo=2000-01-01', []],
    ['dateFrom=0001-01-01&dateTo=9999-12-31', ['e3', 'e2', 'e1', 'e0']],
  ])('by %j shows %j', async (query, expected) => {
    expect(await eventIds(query)).toEqual(expected)
  })

  test('by date takes both ends in, as days', async () => {
    const day = accepted.slice(0, 10)
    expect(await eventIds(`dateFrom=${day}&dateTo=${day}`)).toContain('e2')
    const [before, after] = [-1, 1].map((days) =>
      new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10),
    )
    expect(await eventIds(`dateTo=${before}`)).not.toContain('e2')
    expect(await eventIds(`dateFrom=${after}`)).not.toContain('e2')
  })

  test.each([
    ['the very millisecond', 0, 0, true],
    ['up to a millisecond before', -1000, -1, false],
    ['from a millisecond after', 1, 1000, false],
  ])('by time takes both ends in: %s', async (_, fromMs, toMs, shown) => {
    const at = (ms: number) => new Date(Date.parse(accepted) + ms).toISOString()
    const found = await eventIds(`dateFrom=${at(fromMs)}&dateTo=${at(toMs)}`)
    expect(found.includes('e2')).toBe(shown)
  })

  test('reads a time with an offset, and one without as UTC', async () => {
    const local = accepted.replace('Z', '')
    expect(await eventIds(`dateFrom=${local}&dateTo=${local}`)).toContain('e2')
    const shifted = new Date(Date.parse(accepted) + 7_200_000).toISOString().replace('Z', '%2B02:00')
    expect(await eventIds(`dateFrom=${shifted}&dateTo=${shifted}`)).toContain('e2')
  })

  test.each(['a', 'b.c'])('the list of events filters by type and date too: %s', async (event) => {
    const byType = await client.get<{ id: string; event: string }[]>(`/events?event=${event}`)
    expect(byType.data.length).toBeGreaterThan(0)
    expect(new Set(byType.data.map((row) => row.event))).toEqual(new Set([event]))
    const pattern = await client.get<{ event: string }[]>(`/events?event=${event.replace(/\w$/, '*')}`)
    expect(new Set(pattern.data.map((row) => row.event))).toEqual(
      new Set(event === 'a' ? ['a', 'b.c', 'b.d'] : ['b.c', 'b.d']),
    )
    expect((await client.get(`/events?event=${event}&dateTo=2000-01-01`)).data).toEqual([])
    const exact = await client.get<{ id: string }[]>(`/events?dateFrom=${accepted}&dateTo=${accepted}`)
    expect(exact.data.map((row) => row.id)).toContain('e2')
  })
})

test.each([
  ['status', 'pending,,failed'],
  ['status', 'pending,gone'],
  ['status', ''],
  ['event', 'a.*.b'],
  ['event', '*.a'],
  ['error', 'timeout'],
])('a log filtered by %s=%s is refused', async (name, value) => {
  const client = new Client()
  const { id } = await client.subscribe()
  const answer = await client.get(`/webhooks/${id}/logs?${name}=${value}`)
  expectInvalid(answer, name, /^must be/)
})

test('the log of no subscription is 404', async () => {
  expectRefusal(await new Client().get('/webhooks/webhook_x/logs'), 404, 'not_found')
})

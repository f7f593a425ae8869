import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { Client, type DeliveryAnswer, expectRefusal } from '../../../../support/process/http-client.ts'
import { clientWith } from '../../../../support/process/keys.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

type Detail = {
  id: string
  attempt: number
  request: {
    url: string
    headers: Record<string, string> | null
    body: string
    truncated: boolean
    reconstructed: boolean
  } | null
  requestMissing: string | null
  responseHeaders: Record<string, string> | null
  responseBody: string | null
  timings: { waiting: number | null; firstByte: number | null; whole: number | null }
  answeredBy: string | null
  advice: string | null
}

const DATA = { total: 2567.5, name: 'Müller' }

/** A subscription with one delivery of the given end. */
async function delivered(
  status: 'success' | 'failed',
  reply: object,
  settings: Record<string, unknown> = {},
) {
  const client = new Client()
  const url = receivers.url(reply)
  const { id } = await client.subscribe({ url, retryPolicy: { schedule: [3600] }, ...settings })
  const { id: eventId } = await client.publish({ event: 'invoice.paid', data: DATA })
  const [row] = await client.settled(id, status, 1)
  const deliveryId = String(row?.id)
  const detail = async (caller = client) => {
    const answer = await caller.get<DeliveryAnswer & { latestAttempt: Detail }>(`/deliveries/${deliveryId}`)
    expect(answer.status, answer.text).toBe(200)
    return { ...answer.data.latestAttempt, text: answer.text }
  }
  const [received] = receivers.received(url)
  return { client, id, eventId, deliveryId, detail, received: received! }
}

describe('GET /deliveries/{id} shows of the latest attempt', () => {
  test('what was sent to a success, made from the event once more, and what came back', async () => {
    const headers = { 'content-type': 'text/plain', server: 'acme', 'x-else': 'is not kept of a success' }
    const { detail, received } = await delivered('success', { status: 200, body: 'Thanks', headers })
    const { request, responseHeaders, timings, answeredBy, advice, responseBody } = await detail()
    expect(request).toMatchObject({
      url: received.url,
      body: received.body,
      truncated: false,
      reconstructed: true,
    })
    const unsigned = [...received.headers].filter(([name]) => !/signature$|^content-length$/.test(name))
    const shown = new Headers(request?.headers ?? {})
    for (const [name, value] of unsigned) expect(shown.get(name), name).toBe(value)
    expect(responseHeaders).toEqual({ 'content-type': 'text/plain', server: 'acme' })
    expect(responseBody).toBe('Thanks')
    expect(answeredBy).toBe('receiver')
    expect(advice).toBeNull()
    for (const time of [timings.waiting, timings.firstByte, timings.whole])
      expect(time).toBeGreaterThanOrEqual(0)
  })

  test('the kept bytes and all headers of a failure, but cookies', async () => {
    const headers = {
      'retry-after': '10',
      'set-cookie': 'session=secret-of-theirs',
      'x-trace': 'abc',
      server: 'nginx',
    }
    const { detail, received } = await delivered(
      'failed',
      { status: 502, body: 'Bad gateway', headers },
      { profile: 'marko' },
    )
    const shown = await detail()
    expect(shown.request).toMatchObject({ body: received.body, reconstructed: false })
    expect(shown.responseHeaders).toMatchObject({ 'retry-after': '10', 'x-trace': 'abc' })
    expect(shown.text).not.toContain('secret-of-theirs')
    expect(shown).toMatchObject({ answeredBy: 'proxy', advice: expect.stringContaining('answered 502') })
  })

  test('neither signatures, nor credentials that were sent, nor those that came back', async () => {
    const token = 'a-bearer-token-of-acme'
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const reply = { status: 400, headers: { 'x-echo': `Bearer ${token}` }, body: `you sent ${token}` }
    const settings = {
      secret,
      auth: { type: 'bearer', token },
      headers: { 'X-Api-Key': 'key-of-the-receiver' },
    }
    const { detail, received } = await delivered('failed', reply, settings)
    expect(received.headers.get('authorization')).toBe(`Bearer ${token}`)
    const { text, request } = await detail()
    expect(request?.headers).not.toBeNull()
    const signatures = ['webhook-signature', 'x-signature'].map((name) => received.headers.get(name))
    for (const hidden of [token, 'key-of-the-receiver', ...signatures]) {
      expect(hidden).toBeTruthy()
      expect(text).not.toContain(hidden)
    }
  })

  test('that a protection against robots has answered', async () => {
    const headers = { 'cf-mitigated': 'challenge', server: 'cloudflare' }
    const { detail } = await delivered('failed', {
      status: 403,
      body: '<title>Just a moment...</title>',
      headers,
    })
    expect(await detail()).toMatchObject({
      answeredBy: 'challenge',
      advice: expect.stringContaining('robots'),
    })
  })

  test('the body still, and no headers, where the settings have changed since a failure', async () => {
    const { client, id, detail, received } = await delivered('failed', { status: 500 })
    await client.call('PATCH', `/webhooks/${id}`, { json: { headers: { 'X-New': 'header' } } })
    expect((await detail()).request).toMatchObject({ body: received.body, headers: null })
  })

  test('no request where the settings have changed since a success, and says so', async () => {
    const { client, id, detail } = await delivered('success', { status: 200 })
    await client.call('PATCH', `/webhooks/${id}`, { json: { profile: 'marko' } })
    expect(await detail()).toMatchObject({ request: null, requestMissing: 'settings_changed' })
  })

  test('nothing of an event that was erased', async () => {
    const { client, eventId, detail } = await delivered('success', {
      status: 200,
      headers: { server: 'acme' },
    })
    expect((await client.call('DELETE', `/events/${eventId}`)).status).toBe(200)
    const shown = await detail()
    expect(shown.request).toBeNull()
    expect(shown.responseHeaders).toBeNull()
    expect(shown.text).not.toContain('Müller')
  })

  test('no content of events to those who may not read events', async () => {
    const { client, detail } = await delivered('success', { status: 200 })
    const reader = await clientWith(client, { scopes: ['deliveries:read'] })
    const shown = await detail(reader)
    expect(shown).toMatchObject({ request: null, requestMissing: 'scope' })
    expect(shown.text).not.toContain('Müller')
  })

  test('no request where none was made', async () => {
    const { detail } = await delivered(
      'failed',
      {},
      { transform: { template: '{{ data.total | divided_by: 0 }}' } },
    )
    expect(await detail()).toMatchObject({ request: null, requestMissing: 'not_sent', answeredBy: null })
  })
})

describe('GET /deliveries/{id}/attempts/{n}', () => {
  test('shows each attempt, with its own headers and its own number', async () => {
    const { client, id, deliveryId, received } = await delivered('failed', {
      status: 500,
      headers: { 'x-n': '1' },
    })
    await client.post(`/deliveries/${deliveryId}/retry`)
    await expect
      .poll(
        async () => (await client.get<DeliveryAnswer>(`/deliveries/${deliveryId}`)).data['attemptCount'],
        {
          timeout: 4000,
          interval: 20,
        },
      )
      .toBe(2)
    for (const n of [1, 2]) {
      const { data, status, text } = await client.get<Detail>(`/deliveries/${deliveryId}/attempts/${n}`)
      expect(status, text).toBe(200)
      expect(data).toMatchObject({
        attempt: n,
        request: { body: received.body },
        responseHeaders: { 'x-n': '1' },
      })
      expect(new Headers(data.request?.headers ?? {}).get('webhook-attempt')).toBe(String(n))
    }
    for (const n of ['0', '3', 'x'])
      expectRefusal(await client.get(`/deliveries/${deliveryId}/attempts/${n}`), 404, 'not_found')
    const foreign = await new Client().get(`/deliveries/${deliveryId}/attempts/1`)
    expectRefusal(foreign, 404, 'not_found')
    expect(id).toBeTruthy()
  })
})

test('a success keeps at most 250 bytes beside what it kept before, a failure 3,000', async () => {
  const long = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [`x-header-${n}`, 'value '.repeat(100)]),
  )
  const headers = { ...long, 'content-type': 'text/plain; '.repeat(50), server: 'a'.repeat(5_000) }
  const stored = async (deliveryId: string) => {
    const { results } = await env.DB.prepare('SELECT octet_length(detail) AS bytes FROM delivery').all<{
      bytes: number
    }>()
    expect(deliveryId).toBeTruthy()
    return Math.max(...results.map(({ bytes }) => bytes))
  }
  await env.DB.prepare('DELETE FROM delivery').run()
  expect(await stored((await delivered('success', { status: 200, headers })).deliveryId)).toBeLessThanOrEqual(
    250,
  )
  expect(await stored((await delivered('failed', { status: 500, headers })).deliveryId)).toBeLessThanOrEqual(
    3_000,
  )
})

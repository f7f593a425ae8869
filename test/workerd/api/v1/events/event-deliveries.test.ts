import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { decodePublicId, encodePublicId } from '../../../../../src/base/ids/public-id.ts'
import { findWorkspaceNo } from '../../../../../src/workspace/workspaces.sql.ts'
import {
  Client,
  type DeliveryAnswer,
  expectInvalid,
  expectRefusal,
  unhintedClient,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

type Row = {
  webhookId: string
  url: string
  matched: boolean
  reason: string | null
  explanation: string | null
  delivery: DeliveryAnswer | null
}

describe('GET /events and /events/{id}', () => {
  test('show what was accepted, newest first, and the payload as text', async () => {
    const client = new Client()
    await client.subscribe({ url: receivers.url() })
    const body =
      '{"event":"a.b","timestamp":"2024-01-15T10:30:00Z","data":{"t":2567.50,"n":12345678901234567890}}'
    const first = await client.call<{ id: string }>('POST', '/events', { body })
    const second = await client.publish({ event: 'c', data: {}, id: 'mine' })
    const shown = {
      ...{ id: first.data.id, event: 'a.b', matched: 1, test: false, dispatched: false },
      ...{ deliverAt: null, expiresAfterSeconds: null, cancelledAt: null, erasedAt: null },
      acceptedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    }
    const list = await client.get<object[]>('/events')
    expect(list.data).toEqual([{ ...shown, id: second.id, event: 'c' }, shown])
    expect(list.nextCursor).toBeNull()
    expect((await client.get(`/events/${first.data.id}`)).data).toEqual({
      ...shown,
      payload: `{"id":"${first.data.id}","event":"a.b","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":{"t":2567.50,"n":12345678901234567890},"context":{}}`,
    })
  })

  test('show a large event, whose text waits in R2, whole', async () => {
    const client = new Client()
    const data = `{"pad":"${'é€😀'.repeat(50_000)}","t":2567.50}`
    const { id } = (
      await client.call<{ id: string }>('POST', '/events', { body: `{"event":"a","data":${data}}` })
    ).data
    const shown = await client.get<{ payload: string }>(`/events/${id}`)
    expect(shown.data.payload.includes(`"data":${data},"context":{}}`)).toBe(true)
  })

  test('count the subscriptions an event is owed to alike, alone and in a list', async () => {
    const client = unhintedClient()
    const matched: number[] = []
    for (const settings of [{ active: false }, {}, { active: false }, {}]) {
      await client.subscribe(settings)
      matched.unshift((await client.publish({ event: 'a', data: {} })).matched)
    }
    const listed = await client.get<{ id: string; matched: number }[]>('/events')
    expect(listed.data.map((event) => event.matched)).toEqual(matched)
    for (const { id, matched: shown } of listed.data) {
      expect((await client.get(`/events/${id}`)).data).toMatchObject({ matched: shown })
    }
    expect(matched).toEqual([2, 1, 1, 0])
  })

  test('list each event exactly once over all pages', async () => {
    const client = new Client()
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.unshift((await client.publish({ event: 'a', data: { i } })).id)
    for (const limit of [1, 2, 3, 7, 100]) {
      const listed = await client.all<{ id: string }>('/events', limit)
      expect(listed.map(({ id }) => id)).toEqual(ids)
    }
  })

  test('know an event with an own id by that id only', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    await client.publish({ event: 'a', data: {}, id: 'mine' })
    const [row] = await client.settled(id, 'success', 1)
    expect(row?.eventId).toBe('mine')
    const { seq = 0 } = decodePublicId('log_', String(row?.id)) ?? {}
    const owner = await findWorkspaceNo(env.DB, client.workspace)
    const generated = encodePublicId('evt_', { owner: owner ?? 0, seq })
    expectRefusal(await client.get(`/events/${generated}`), 404, 'not_found')
    expect((await client.get('/events/mine')).status).toBe(200)
  })
})

describe('GET /events/{id}/deliveries says of each subscription why or why not:', () => {
  async function reasons(client: Client, eventId: string): Promise<Map<string, Row>> {
    const rows = await client.all<Row>(`/events/${eventId}/deliveries`, 2)
    expect(new Set(rows.map(({ webhookId }) => webhookId)).size).toBe(rows.length)
    return new Map(rows.map((row) => [row.webhookId, row]))
  }

  test('delivered, not subscribed, disabled, deleted before and after, created later', async () => {
    const client = new Client()
    const subscribe = async (settings: object) =>
      (await client.subscribe({ url: receivers.url(), ...settings })).id
    const delivered = await subscribe({})
    const notSubscribed = await subscribe({ events: ['b.*', 'c'] })
    const disabled = await subscribe({ active: false })
    const deletedBefore = await subscribe({})
    await client.call('DELETE', `/webhooks/${deletedBefore}`)
    const event = await client.publish({ event: 'a', data: {} })
    await client.settled(delivered, 'success', 1)
    // The clock has to move on before a subscription can be younger than the event.
    const acceptedAt = (await client.get<{ acceptedAt: string }>(`/events/${event.id}`)).data.acceptedAt
    while (Date.now() <= Date.parse(acceptedAt)) await client.get('/healthz')
    const createdLater = await subscribe({})
    const rows = await reasons(client, event.id)
    expect(rows.get(delivered)).toMatchObject({
      matched: true,
      reason: null,
      explanation: null,
      delivery: { status: 'success', eventId: event.id, attempts: [{ attempt: 1, responseCode: 200 }] },
    })
    for (const [id, matched, reason, explanation] of [
      [notSubscribed, false, 'event_type_not_subscribed', /None of the event types/],
      [disabled, true, 'disabled', /was disabled when it was accepted/],
      [deletedBefore, false, 'subscription_deleted_before', /had been deleted/],
      [createdLater, false, 'subscription_created_later', /created after/],
    ] as const) {
      expect(rows.get(id)).toMatchObject({
        matched,
        reason,
        explanation: expect.stringMatching(explanation),
        delivery: null,
      })
    }
    expect(rows.size).toBe(5)
  })

  test('only of those it is owed to, or only of the others, page by page', async () => {
    const client = unhintedClient()
    const ids: string[] = []
    for (let i = 0; i < 9; i++) {
      const settings = i % 3 === 0 ? {} : i % 3 === 1 ? { active: false } : { events: ['b'] }
      ids.unshift((await client.subscribe(settings)).id)
    }
    const event = await client.publish({ event: 'a', data: {} })
    const others = [ids[0], ids[3], ids[6]]
    const listed = async (matched: boolean) =>
      (await client.all<Row>(`/events/${event.id}/deliveries?matched=${matched}`, 2)).map(
        (row) => row.webhookId,
      )
    expect(await listed(true)).toEqual(ids.filter((id) => !others.includes(id)))
    expect(await listed(false)).toEqual(others)
    const refused = await client.get(`/events/${event.id}/deliveries?matched=maybe`)
    expectInvalid(refused, 'matched', /must be "true" or "false"/)
  })

  test('pending, and skipped once the subscription is deleted', async () => {
    const client = unhintedClient()
    const { id } = await client.subscribe()
    const event = await client.publish({ event: 'a', data: {} })
    expect((await reasons(client, event.id)).get(id)).toMatchObject({
      matched: true,
      reason: null,
      delivery: { status: 'pending' },
    })
    await client.call('DELETE', `/webhooks/${id}`)
    expect((await reasons(client, event.id)).get(id)).toMatchObject({
      matched: true,
      reason: 'deleted',
      delivery: { status: 'skipped', reason: 'deleted' },
    })
  })

  test('would match now, and did not then', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ events: ['b'] })
    const event = await client.publish({ event: 'a', data: {} })
    await client.call('PATCH', `/webhooks/${id}`, { json: { events: ['a'] } })
    expect((await reasons(client, event.id)).get(id)).toMatchObject({
      matched: false,
      reason: 'subscription_changed_since',
      explanation: expect.stringMatching(/would match now/),
    })
  })
})

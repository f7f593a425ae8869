import { describe, expect, test } from 'vitest'
import {
  type Client,
  type DeliveryAnswer,
  expectInvalid,
  expectRefusal,
  unhintedClient,
} from '../../../../support/process/http-client.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

type EventRow = { id: string }
/** A payload that is too large for D1. */
const LARGE = 'x'.repeat(70_000)

async function found(client: Client, query: string): Promise<string[]> {
  const { status, text, data } = await client.get<EventRow[]>(`/events?${query}`)
  expect(status, text).toBe(200)
  return data.map(({ id }) => id)
}

/** Three events: two small ones, and between them one whose payload is in R2. */
async function published(): Promise<Client> {
  const client = unhintedClient()
  await client.publish({
    id: 'e1',
    event: 'invoice.paid',
    data: { object: { id: 'in_1', name: 'Müller & Co' } },
  })
  await client.publish({
    id: 'e2',
    event: 'invoice.paid',
    data: { object: { id: 'in_2', name: 'Müller', text: LARGE } },
  })
  await client.publish({
    id: 'e3',
    event: 'order.made',
    data: { object: { id: 'or_3', lines: [{ sku: 'A/7' }] } },
  })
  return client
}

describe('GET /events', () => {
  test.each([
    ['q=müller', ['e2', 'e1']],
    ['q=m%C3%BCller%20%26', ['e1']],
    ['q=A/7', ['e3']],
    ['q=e2', ['e2']],
    ['q=nothing', []],
    ['q=müller&event=order.*', []],
    ['path=data.object.id&equals=in_2', ['e2']],
    ['path=invoice.id&equals=in_1', ['e1']],
    ['path=data.object.lines.sku&equals=A/7', ['e3']],
    ['path=data.object.id&equals=in', []],
  ])('?%s finds %j', async (query, expected) => {
    expect(await found(await published(), query)).toEqual(expected)
  })

  test('finds an event by its generated id', async () => {
    const client = unhintedClient()
    const { id } = await client.publish({ event: 'a', data: {} })
    await client.publish({ event: 'a', data: { seen: id } })
    expect(await found(client, `q=${id}`)).toEqual([id])
  })

  test('goes on where a page has ended, and says so', async () => {
    const client = await published()
    const first = await client.get<EventRow[]>('/events?q=müller&limit=1')
    expect(first.data.map(({ id }) => id)).toEqual(['e2'])
    expect(await found(client, `q=müller&limit=1&cursor=${first.nextCursor}`)).toEqual(['e1'])
    expect((await client.all<EventRow>('/events?q=müller', 1)).map(({ id }) => id)).toEqual(['e2', 'e1'])
  })

  test('reads at most 20 payloads from R2 for a page, and then goes on', async () => {
    const client = unhintedClient()
    const large = (n: number) => ({ id: `l${n}`, event: 'a', data: { n: `wanted-${n}`, text: LARGE } })
    await client.post('/events', { events: Array.from({ length: 25 }, (_, n) => large(n)) })
    const first = await client.get<EventRow[]>('/events?q=wanted-0')
    expect([first.data, typeof first.nextCursor]).toEqual([[], 'string'])
    expect(JSON.parse(first.text)).toMatchObject({ pagination: { searchedUntil: expect.any(String) } })
    expect(await found(client, `q=wanted-0&cursor=${first.nextCursor}`)).toEqual(['l0'])
  })

  test('finds nothing in what was erased, and nothing of another workspace', async () => {
    const client = await published()
    await client.call('DELETE', '/events/e1')
    expect(await found(client, 'q=müller')).toEqual(['e2'])
    expect(await found(unhintedClient(), 'q=müller')).toEqual([])
  })

  test.each([
    ['q', 'q=', /empty/],
    ['path', 'equals=1', /equals/],
    ['equals', 'path=data.id', /path/],
    ['q', 'q=a&path=data.id&equals=1', /combined/],
    ['path', 'path=data..id&equals=1', /path/],
  ])('refuses %s in ?%s', async (name, query, message) => {
    expectInvalid(await unhintedClient().get(`/events?${query}`), name, message)
  })
})

describe('GET /deliveries?q=', () => {
  async function delivered() {
    const rig = await createRig()
    const client = clientOf(rig)
    const one = await rig.subscribe()
    const two = await rig.subscribe({ events: ['order.*'] })
    await rig.publish(
      { id: 'e1', type: 'order.made', data: { ref: 'needle' } },
      { id: 'e2', type: 'invoice.paid', data: { ref: 'hay', text: LARGE } },
      { id: 'e3', type: 'invoice.paid', data: { ref: 'needle', text: LARGE } },
    )
    await rig.drain()
    const list = async (query: string) => {
      const { data } = await client.get<DeliveryAnswer[]>(`/deliveries?${query}`)
      return data.map((row) => [row.eventId, row['webhookId']])
    }
    return { rig, client, one, two, list }
  }

  test('finds the deliveries of the events whose payload has a text', async () => {
    const { list, one, two } = await delivered()
    const all = [
      ['e3', one.id],
      ['e1', two.id],
      ['e1', one.id],
    ]
    expect(await list('q=needle')).toEqual(all)
    expect(await list(`q=needle&webhook=${two.id}`)).toEqual([['e1', two.id]])
    expect(await list('q=needle&status=failed')).toEqual([])
  })

  test('finds those of one event by its id, and one delivery by its own', async () => {
    const { client, list, one, two } = await delivered()
    expect(await list('q=e1')).toEqual([
      ['e1', two.id],
      ['e1', one.id],
    ])
    const { data } = await client.get<DeliveryAnswer[]>('/deliveries?q=e1')
    expect(await list(`q=${data[1]?.id}`)).toEqual([['e1', one.id]])
  })

  test('walks all pages', async () => {
    const { client } = await delivered()
    const rows = await client.all<DeliveryAnswer>('/deliveries?q=needle', 1)
    expect(rows.map(({ eventId }) => eventId)).toEqual(['e3', 'e1', 'e1'])
  })

  test('looks into payloads only for those who may read them', async () => {
    const { rig, client } = await delivered()
    const { data } = await client.post<{ key: string }>('/keys', { name: 'log', scopes: ['deliveries:read'] })
    const reader = clientOf(rig, rig.workspace, data.key)
    expectRefusal(await reader.get('/deliveries?q=needle'), 403, 'forbidden')
    const { status, data: rows } = await reader.get<DeliveryAnswer[]>('/deliveries?q=e2')
    expect([status, rows.length]).toEqual([200, 1])
  })
})

import { describe, expect, test } from 'vitest'
import {
  type Bulk,
  type Client,
  type Detail,
  unhintedClient,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

type Enforced = { status: string; matched: number; warnings?: string[] }

const put = (client: Client, path: string, json: object) => client.call('PUT', path, { json })
const invoice = (object: object) => ({ event: 'invoice.created', data: { object } })

describe('eventTypeEnforcement', () => {
  const schema = {
    type: 'object',
    required: ['object'],
    properties: {
      object: { type: 'object', required: ['total'], properties: { total: { type: 'number' } } },
    },
  }
  async function workspace(eventTypeEnforcement: string): Promise<Client> {
    const client = unhintedClient()
    expect((await put(client, '/event-types/invoice.created', { schema })).status).toBe(201)
    await put(client, `/workspaces/${client.workspace}`, { eventTypeEnforcement })
    return client
  }
  const bad = invoice({ total: '5' })
  const unknown = { event: 'invoice.creatd', data: {} }
  const TOTAL: Detail = { path: 'data.object.total', message: 'must be number, not string' }

  test('reject refuses what the catalogue does not allow, by path, and stores nothing of it', async () => {
    const client = await workspace('reject')
    const refused = await client.post('/events', bad)
    expect([refused.status, refused.error.details]).toEqual([400, [TOTAL]])
    expect((await client.post('/events', { event: 'invoice.created', data: {} })).error.details).toEqual([
      { path: 'data.object', message: 'is required' },
    ])
    expect((await client.post('/events', unknown)).error.details).toEqual([
      { path: 'event', message: expect.stringMatching(/"invoice\.creatd" is not in it/) },
    ])
    const accepted = await client.publish(invoice({ total: 5 }))
    const events = await client.get<{ id: string }[]>('/events')
    expect(events.data.map(({ id }) => id)).toEqual([accepted.id])
  })

  test('reject refuses of several events only those that are wrong', async () => {
    const client = await workspace('reject')
    const { data } = await client.post<Bulk>('/events', { events: [invoice({ total: 5 }), bad, unknown] })
    expect(data.events).toMatchObject([
      { status: 'accepted' },
      { status: 'rejected', error: { code: 'invalid_request', details: [TOTAL] } },
      { status: 'rejected', error: { code: 'invalid_request', details: [{ path: 'event' }] } },
    ])
  })

  test('warn accepts them and says so in the 202; off says nothing', async () => {
    const client = await workspace('warn')
    await client.subscribe({ url: receivers.url() })
    const warned = await client.post<Enforced>('/events', bad)
    expect([warned.status, warned.data]).toMatchObject([
      202,
      { status: 'accepted', matched: 1, warnings: ['data.object.total must be number, not string'] },
    ])
    expect((await client.publish(invoice({ total: 5 }))) as object).not.toHaveProperty('warnings')
    await put(client, `/workspaces/${client.workspace}`, { eventTypeEnforcement: 'off' })
    expect((await client.publish(bad)) as object).not.toHaveProperty('warnings')
  })

  test('checks the events of one request with the steps of one', async () => {
    const client = await workspace('warn')
    // A long list of values costs many steps, and little time.
    const items = { enum: Array.from({ length: 1_500 }, (_, i) => `value-${i}`) }
    await put(client, '/event-types/heavy', { schema: { properties: { list: { items } } } })
    const heavy = { event: 'heavy', data: { list: ['none', ...new Array(150).fill('value-0')] } }
    const { data } = await client.post<Bulk>('/events', { events: new Array(20).fill(heavy) })
    const warnings = (data.events as Enforced[]).map((event) => event.warnings?.[0])
    expect(warnings[0]).toMatch(/^data\.list\[0\] must be one of "value-0", /)
    expect(warnings.at(-1)).toMatch(/^data must be smaller or less nested: .* takes too many steps$/)
  })
})

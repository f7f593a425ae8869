import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import {
  Client,
  concurrentClient,
  type SubscriptionAnswer,
  unhintedClient,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

type Row = {
  webhookId: string
  matched: boolean
  reason: string | null
  explanation: string | null
  rules?: { rule: string; reason: string; message: string }[]
}

async function rowOf(client: Client, eventId: string, webhookId: string): Promise<Row | undefined> {
  const rows = await client.all<Row>(`/events/${eventId}/deliveries`, 100)
  return rows.find((row) => row.webhookId === webhookId)
}

const versionOf = (client: Client) =>
  env.DB.prepare('SELECT config_version AS n FROM workspace WHERE id = ?1')
    .bind(client.workspace)
    .first<number>('n')

const put = (client: Client, path: string, json: object) => client.call('PUT', path, { json })

const SEED_002_CUSTOMER = {
  url: 'https://your-app.com/webhooks/vip-customers',
  events: ['invoice.created', 'payment.received'],
  filters: { 'customer.tags': ['vip', 'enterprise'], 'invoice.total': { min: 1000.0 } },
}
const object = (event: string, value: object) => ({ event, data: { object: value } })
const invoice = (value: object) => object('invoice.created', value)
const CONDITIONS = [
  { field: 'data.object.total', operator: 'gt', value: 1000.0 },
  { field: 'data.object.customer.tags', operator: 'contains', value: 'vip' },
]

/** The seeds' own subscriptions; an event that each wants, one it does not, and what the refusal names. */
const SEEDS: [string, Record<string, unknown>, object, object, [string, string, RegExp][]][] = [
  [
    '001, With Filters',
    { events: ['post.*'], filters: { status: 'published' } },
    { event: 'post.created', data: { id: 123, title: 'My Blog Post', status: 'published' } },
    object('post.updated', { id: 123, status: 'draft' }),
    [['filters.status', 'not_satisfied', /status is "draft", which is not "published"/]],
  ],
  [
    '002, Filter by Customer',
    SEED_002_CUSTOMER,
    invoice({ total: 2567.5, customer: { tags: ['new', 'vip'] } }),
    invoice({ total: 999.99, customer: { tags: ['basic'] } }),
    [
      ['filters.customer.tags', 'not_satisfied', /customer\.tags/],
      ['filters.invoice.total', 'not_satisfied', /invoice\.total is 999\.99, which is less than 1000/],
    ],
  ],
  [
    '002, Filter by Amount',
    { events: ['payment.received'], filters: { 'payment.amount': { min: 5000.0 } } },
    object('payment.received', { amount: 5000 }),
    object('payment.received', { amount: '9000' }),
    [['filters.payment.amount', 'wrong_type', /payment\.amount/]],
  ],
  [
    '002, Filter by Product',
    { events: ['invoice.created'], filters: { 'invoice.items.category': ['software', 'licenses'] } },
    invoice({ items: [{ category: 'hardware' }, { category: 'software' }] }),
    invoice({ items: [] }),
    [['filters.invoice.items.category', 'missing', /invoice\.items\.category/]],
  ],
  [
    '002, Conditional Webhooks',
    { events: ['invoice.created'], conditions: CONDITIONS, conditionLogic: 'AND' },
    invoice({ total: 1000.01, customer: { tags: ['vip'] } }),
    invoice({ total: 1000, customer: { tags: [] } }),
    [
      ['conditions[0]', 'not_satisfied', /data\.object\.total/],
      ['conditions[1]', 'not_satisfied', /data\.object\.customer\.tags/],
    ],
  ],
  [
    '004, Filters',
    { events: ['sales_order.*'], filters: ['order.total > 100', 'order.status != "draft"'] },
    object('sales_order.created', { total: 100.5, status: 'open' }),
    object('sales_order.updated', { total: 100.5, status: 'draft' }),
    [['filters[1]', 'not_satisfied', /order\.status != "draft" is false: order\.status is "draft"/]],
  ],
]

test.each(SEEDS)(
  'the subscription of seed %s gets what it asks for, and the rest says which rule refused it',
  async (_, settings, wanted, unwanted, refusals) => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ ...settings, url })
    const refused = await client.publish(unwanted)
    const accepted = await client.publish(wanted)
    expect([refused.matched, accepted.matched]).toEqual([0, 1])
    await client.settled(id, 'success', 1)
    expect(receivers.received(url).map(({ body }) => JSON.parse(body).id)).toEqual([accepted.id])
    expect(await rowOf(client, accepted.id, id)).toMatchObject({ matched: true, reason: null })
    const row = await rowOf(client, refused.id, id)
    expect(row).toMatchObject({
      ...{ matched: false, reason: 'refused_by_rules', delivery: null },
      rules: refusals.map(([rule, reason, message]) => ({
        ...{ rule, reason },
        message: expect.stringMatching(message),
      })),
    })
    expect(row?.rules).toHaveLength(refusals.length)
    for (const { rule, message } of row?.rules ?? [])
      expect(row?.explanation).toContain(`${rule}: ${message}`)
  },
)

test.each([
  ['livemode', { livemode: true }, { livemode: true }, { livemode: false }, 'livemode_not_wanted'],
  ['livemode false', { livemode: false }, { livemode: false }, {}, 'livemode_not_wanted'],
  ['apiVersion', { apiVersion: 'v2' }, { api_version: 'v2' }, {}, 'api_version_not_wanted'],
])('a subscription of one %s gets no other', async (_, asked, wanted, unwanted, reason) => {
  const client = unhintedClient()
  const { id } = await client.subscribe({ url: receivers.url(), ...asked })
  const refused = await client.publish({ event: 'a', data: {}, ...unwanted })
  expect(refused.matched).toBe(0)
  expect((await client.publish({ event: 'a', data: {}, ...wanted })).matched).toBe(1)
  expect(await rowOf(client, refused.id, id)).toMatchObject({ matched: false, reason })
})

describe('PUT /webhooks/{id}', () => {
  test('of rules takes effect for the very next publish', async () => {
    // One relay, and so one cached configuration, publishes; others, as on other isolates, change the subscription.
    const publisher = unhintedClient()
    const client = new Client(publisher.workspace)
    const { id } = await client.subscribe({ url: receivers.url(), filters: { total: { min: 10 } } })
    const matched = async (total: number, more: object = {}) =>
      (await publisher.publish({ event: 'a', data: { total }, ...more })).matched
    expect([await matched(9), await matched(10)]).toEqual([0, 1])
    await put(client, `/webhooks/${id}`, { filters: ['total < 10.0'] })
    expect([await matched(9), await matched(10)]).toEqual([1, 0])
    await put(client, `/webhooks/${id}`, { conditions: [{ field: 'total', operator: 'gt', value: 5 }] })
    expect([await matched(5), await matched(6), await matched(10)]).toEqual([0, 1, 0])
    await put(client, `/webhooks/${id}`, { filters: null, livemode: true })
    expect([await matched(10), await matched(10, { livemode: false })]).toEqual([1, 0])
    await put(client, `/webhooks/${id}`, { conditions: null, livemode: null, apiVersion: 'v2' })
    expect([await matched(1), await matched(1, { api_version: 'v2' })]).toEqual([0, 1])
  })

  test('bumps the configuration version for what changes matching, and only then', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: receivers.url() })
    const bumps = async (change: object): Promise<boolean> => {
      const before = await versionOf(client)
      const answer = await put(client, `/webhooks/${id}`, change)
      expect(answer.status, answer.text).toBe(200)
      return (await versionOf(client)) !== before
    }
    for (const change of [
      { filters: { a: 1 } },
      { filters: ['a == 1'] },
      { filters: null },
      { conditions: CONDITIONS },
      { conditionLogic: 'OR' },
      { conditions: null },
      { livemode: false },
      { apiVersion: 'v2' },
      { events: ['a'] },
      { active: false },
    ]) {
      expect(await bumps(change), JSON.stringify(change)).toBe(true)
    }
    for (const change of [
      { transform: { template: { id: '{{id}}' } } },
      { transform: null },
      { profile: 'core' },
      { profile: 'custom', custom: { signature: { header: 'X-S' } } },
      { profile: 'standard', custom: null, asymmetric: true },
      { url: 'https://other.example.com/' },
      { description: 'd' },
      { metadata: { a: '1' }, headers: { 'X-A': '1' }, timeoutSeconds: 3, retryPolicy: { tries: 1 } },
      { auth: { type: 'bearer', token: 't' } },
      { secret: 'another-secret' },
      { filters: null, livemode: false, events: ['a'] },
    ]) {
      expect(await bumps(change), JSON.stringify(change)).toBe(false)
    }
  })

  test('with null drops filters, and the answer shows what is left', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ filters: { a: 1 }, conditions: CONDITIONS, conditionLogic: 'OR' })
    const dropped = await put(client, `/webhooks/${id}`, { filters: null })
    expect(dropped.data).toMatchObject({ filters: null, conditions: CONDITIONS, conditionLogic: 'OR' })
    expect((await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data).toMatchObject({
      ...{ filters: null, conditions: CONDITIONS, conditionLogic: 'OR' },
    })
  })
})

test('filters hold beside the conditions, of which OR takes one', async () => {
  const client = unhintedClient()
  const conditions = [
    { field: 'a', operator: 'eq', value: 1 },
    { field: 'b', operator: 'eq', value: 1 },
  ]
  const rules = { filters: { c: true }, conditions, conditionLogic: 'OR' }
  const { id } = await client.subscribe({ url: receivers.url(), ...rules })
  const refusing = async (data: object) => {
    const { id: eventId, matched } = await client.publish({ event: 'x', data })
    const row = await rowOf(client, eventId, id)
    return matched === 1 ? 'matched' : row?.rules?.map(({ rule }) => rule)
  }
  expect(await refusing({ a: 1, c: true })).toBe('matched')
  expect(await refusing({ b: 1, c: true })).toBe('matched')
  expect(await refusing({ a: 1, b: 1 })).toEqual(['filters.c'])
  expect(await refusing({ c: true })).toEqual(['conditions[0]', 'conditions[1]'])
})

test("seed 002's Filter by Customer is saved with a warning of what can never be meant", async () => {
  const client = new Client()
  const created = await client.post<SubscriptionAnswer>('/webhooks/subscribe', SEED_002_CUSTOMER)
  const warning = {
    path: 'filters.invoice.total',
    message: expect.stringMatching(/invoice\.created.*payment\.received/),
  }
  expect([created.status, created.data['warnings']]).toEqual([201, [warning]])
  expect(created.data['filters']).toEqual(SEED_002_CUSTOMER.filters)
  const changed = await put(client, `/webhooks/${created.data.id}`, { description: 'd' })
  expect(changed.data['warnings']).toEqual([warning])
  const narrowed = await put(client, `/webhooks/${created.data.id}`, { events: ['invoice.created'] })
  expect(narrowed.data).not.toHaveProperty('warnings')
})

test('what an event does not say, the workspace does, for rules and receivers alike, from the very next publish', async () => {
  const publisher = concurrentClient()
  const client = new Client(publisher.workspace)
  const url = receivers.url()
  const { id } = await client.subscribe({ url, livemode: false, apiVersion: '2024-06' })
  const publish = async (more: object = {}) =>
    (await publisher.publish({ event: 'a', data: {}, ...more })).matched
  expect(await publish()).toBe(0)
  await put(client, `/workspaces/${client.workspace}`, { livemode: false, apiVersion: '2024-06' })
  expect(await publish()).toBe(1)
  expect([await publish({ livemode: true }), await publish({ api_version: 'v1' })]).toEqual([0, 0])
  await client.settled(id, 'success', 1)
  const [request] = receivers.received(url)
  expect(JSON.parse(request?.body ?? '')).toMatchObject({ livemode: false, api_version: '2024-06' })
})

test('a large event too is stored with the settings it was matched under', async () => {
  const publisher = unhintedClient()
  const client = new Client(publisher.workspace)
  const { id } = await client.subscribe({ url: receivers.url(), livemode: false })
  await publisher.publish({ event: 'warm.up', data: {} })
  await put(client, `/workspaces/${client.workspace}`, { livemode: false })
  const event = await publisher.publish({ event: 'a', data: { pad: 'x'.repeat(70_000) } })
  expect(await rowOf(client, event.id, id)).toMatchObject({ matched: true })
  const shown = await client.get<{ payload: string }>(`/events/${event.id}`)
  expect(JSON.parse(shown.data.payload)).toMatchObject({ livemode: false })
})

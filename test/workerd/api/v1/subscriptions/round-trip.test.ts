import { describe, expect, test } from 'vitest'
import { Client, expectInvalid } from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

const MASK = '********'
const ALL = {
  events: ['invoice.*', 'payment.received'],
  secret: 'a-secret-of-ours',
  name: 'Billing',
  description: 'd',
  active: true,
  metadata: { team: 'billing' },
  headers: { 'X-Api-Key': 'the-key', 'X-Team': 'billing' },
  retryPolicy: { maxRetries: 2, retryDelay: 5 },
  timeoutSeconds: 7,
  filters: { 'invoice.total': { min: 1 } },
  conditions: [{ field: 'data.object.total', operator: 'gt', value: 1 }],
  conditionLogic: 'OR',
  livemode: true,
  apiVersion: 'v1',
  transform: { template: { total: '{{data.object.total}}' } },
  profile: 'custom',
  custom: { signature: { header: 'X-Mine' } },
  auth: { type: 'bearer', token: 'the-token' },
  responseRules: [{ status: 423, outcome: 'final' }],
  disablePolicy: { enabled: false },
  expiresAfterSeconds: 60,
  batchSettings: { enabled: true, maxEvents: 5 },
  ordered: true,
  orderingKey: 'data.object.id',
  onExhausted: 'skip',
  rateLimit: { requests: 5, perSeconds: 1 },
  concurrency: 3,
}

async function shownOf(client: Client, id: string): Promise<Record<string, unknown>> {
  const { data } = await client.get(`/webhooks/${id}`)
  const { updatedAt: _, ...shown } = data
  return shown
}

describe.each(['PUT', 'PATCH'])('%s takes what GET has shown:', (method) => {
  test.each([
    ['of a subscription with everything', ALL],
    ['of one with nothing', {}],
    ['of one with asymmetric keys', { asymmetric: true }],
  ])('%s', async (_, settings) => {
    const client = new Client()
    const { id } = await client.subscribe({ url: 'https://a.example.com/', ...settings })
    const secret = (await client.get(`/webhooks/${id}/secret`)).data
    const { data } = await client.get(`/webhooks/${id}`)
    const before = await shownOf(client, id)
    const changed = await client.call(method, `/webhooks/${id}`, { json: data })
    expect(changed.status, changed.text).toBe(200)
    expect(await shownOf(client, id)).toEqual(before)
    const other = await client.call(method, `/webhooks/${id}`, { json: { ...data, description: 'other' } })
    expect(other.data).toMatchObject({ description: 'other' })
    expect(await shownOf(client, id)).toEqual({ ...before, description: 'other' })
    expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual(secret)
  })

  test('masked credentials go on being sent', async () => {
    const client = new Client()
    const url = receivers.url()
    const headers = { 'X-Api-Key': 'the-key', Cookie: 'c=1' }
    const { id } = await client.subscribe({ url, headers, auth: { type: 'bearer', token: 'the-token' } })
    const { data } = await client.get<{ headers: Record<string, string> }>(`/webhooks/${id}`)
    expect(data.headers).toEqual({ 'X-Api-Key': MASK, Cookie: MASK })
    const next = { ...data, headers: { 'x-api-key': MASK, 'X-New': '1' } }
    const changed = await client.call(method, `/webhooks/${id}`, { json: next })
    expect(changed.status, changed.text).toBe(200)
    await client.post(`/webhooks/${id}/test`)
    const sent = receivers.received(url)[0]?.headers
    expect(sent?.get('x-api-key')).toBe('the-key')
    expect(sent?.get('x-new')).toBe('1')
    expect(sent?.get('cookie')).toBeNull()
    expect(sent?.get('authorization')).toBe('Bearer the-token')
  })
})

describe('a change is refused', () => {
  const HEADERS = { Authorization: 'Bearer the-token' }

  test('that masks a header of which nothing is stored', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ headers: HEADERS })
    const change = (headers: object) => client.call('PATCH', `/webhooks/${id}`, { json: { headers } })
    expectInvalid(await change({ 'X-Api-Key': MASK }), 'headers.X-Api-Key', /nothing is stored/)
    expectInvalid(await change({ 'X-Team': MASK }), 'headers.X-Team', /must be the value itself/)
  })

  test('that would send a masked header to another origin', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: 'https://a.example.com/', headers: HEADERS })
    const change = (url: string) =>
      client.call('PATCH', `/webhooks/${id}`, { json: { url, headers: { Authorization: MASK } } })
    expectInvalid(await change('https://b.example.com/'), 'headers.Authorization', /another origin/)
    expect((await change('https://a.example.com/elsewhere')).status).toBe(200)
  })

  test('that names another id, or nothing but what is read-only', async () => {
    const client = new Client()
    const { id } = await client.subscribe()
    const change = (json: object) => client.call('PUT', `/webhooks/${id}`, { json })
    expectInvalid(await change({ id: 'webhook_other', name: 'x' }), 'id', /must be the id in the path/)
    expectInvalid(await change({ pausedAt: null }), 'pausedAt', /is read-only/)
  })
})

test('an event type and a workspace take what was shown of them', async () => {
  const client = new Client()
  await client.call('PUT', '/event-types/a.b', { json: { description: 'd', example: { x: 1 } } })
  for (const path of ['/event-types/a.b', `/workspaces/${client.workspace}`]) {
    const shown = await client.get(path)
    const put = await client.call('PUT', path, { json: shown.data })
    expect(put.status, put.text).toBe(200)
    const { updatedAt: _, ...before } = shown.data
    expect((await client.get(path)).data).toMatchObject(before)
  }
})

test('many changes of one subscription at once are all made', async () => {
  const client = new Client()
  const { id } = await client.subscribe()
  const changes = [
    ...[{ name: 'n' }, { description: 'd' }, { timeoutSeconds: 9 }, { metadata: { a: 'b' } }],
    ...[{ headers: { 'X-A': '1' } }, { livemode: false }, { apiVersion: 'v2' }, { concurrency: 4 }],
    ...[{ retryPolicy: { maxRetries: 1 } }, { expiresAfterSeconds: 5 }, { events: ['z'] }, { ordered: true }],
  ]
  const answers = await Promise.all(changes.map((json) => client.call('PATCH', `/webhooks/${id}`, { json })))
  expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200))
  expect((await client.get(`/webhooks/${id}`)).data).toMatchObject(Object.assign({}, ...changes) as object)
})

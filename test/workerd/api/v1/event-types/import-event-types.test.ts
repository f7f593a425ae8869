/// <reference types="vite/client" />

import { describe, expect, test } from 'vitest'
import bigledger from '../../../../../examples/event-types/bigledger.json'
import { Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'

/** The repository's catalogue, as its files stand. */
const SHIPPED = import.meta.glob<string>('../../../../../examples/event-types/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The event types of seed 002, in its order. */
const SEED_002 = `
  invoice: created updated sent viewed paid partially_paid overdue cancelled
  payment: received matched unmatched refunded
  customer: created updated credit_limit_exceeded status_changed
  inventory: low_stock out_of_stock adjustment transfer
  einvoice: created validated submitted accepted rejected cancelled
  sales_order: created confirmed shipped delivered cancelled
  purchase_order: created sent confirmed received invoiced
  bill: created approved paid
  expense: created approved
  user: login logout password_changed created deactivated
  backup: completed
  report: generated
  integration: sync_completed sync_failed`
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [resource = '', actions = ''] = line.trim().split(': ')
    return actions.split(' ').map((action) => `${resource}.${action}`)
  })

type Note = { name: string; reason: string }
type Imported = {
  dryRun: boolean
  created: string[]
  updated: string[]
  changes: { name: string; fields: string[] }[]
  unchanged: string[]
  skipped: Note[]
  warnings: Note[]
}
type EventTypeAnswer = { name: string; group: string; description: string; example: unknown; schema: unknown }

const NOTHING = {
  dryRun: false,
  ...{ created: [], updated: [], changes: [], unchanged: [], skipped: [], warnings: [] },
}
const importInto = async (client: Client, json: unknown, query = '') => {
  const answer = await client.post<Imported>(`/event-types/import${query}`, json)
  expect(answer.status, answer.text).toBe(200)
  return answer.data
}
const namesIn = async (client: Client) =>
  (await client.all<EventTypeAnswer>('/event-types', 100)).map(({ name }) => name)

describe("the catalogue of seed 002, the repository's example,", () => {
  test('holds its 50 types, which are imported as they are', async () => {
    expect(SEED_002).toHaveLength(50)
    const client = new Client()
    expect(await importInto(client, bigledger)).toEqual({ ...NOTHING, created: SEED_002 })
    const types = await client.all<EventTypeAnswer>('/event-types', 100)
    expect(types.map(({ name }) => name)).toEqual([...SEED_002].sort())
    for (const type of types) {
      expect(type.description).toMatch(/\w/)
      expect(type.group).toMatch(/^[A-Z].* Events$/)
    }
    for (const type of types)
      expect(type, type.name).toMatchObject({ example: {}, schema: { type: 'object' } })
    expect((await client.get('/event-types/invoice.paid')).data).toMatchObject({
      group: 'Invoice Events',
      example: { object: { total: 2567.5 }, previous_attributes: { status: 'sent' } },
    })
  })

  test('changes nothing the second time', async () => {
    const client = new Client()
    await importInto(client, bigledger)
    const before = (await client.get('/event-types?limit=100')).text
    expect(await importInto(client, bigledger)).toEqual({ ...NOTHING, unchanged: SEED_002 })
    const withoutRequest = (text: string) => JSON.parse(text).data as unknown
    expect(withoutRequest((await client.get('/event-types?limit=100')).text)).toEqual(withoutRequest(before))
  })
})

test('the whole shipped catalogue is imported, file by file', async () => {
  const client = new Client()
  const names: string[] = []
  for (const [file, text] of Object.entries(SHIPPED)) {
    const shipped = JSON.parse(text) as { eventTypes: { name: string }[] }
    const created = shipped.eventTypes.map(({ name }) => name)
    expect(await importInto(client, shipped), file).toEqual({ ...NOTHING, created })
    names.push(...created)
  }
  expect(await namesIn(client)).toEqual(names.sort())
  expect(names.length).toBeGreaterThanOrEqual(220)
})

test('new, changed and unchanged types are told apart, and the others of the catalogue stay', async () => {
  const client = new Client()
  await importInto(client, {
    eventTypes: [{ name: 'stays' }, { name: 'same', group: 'G' }, { name: 'other', schema: {} }],
  })
  const eventTypes = [
    { name: 'same', group: 'G' },
    { name: 'new' },
    { name: 'other', schema: { type: 'object' } },
  ]
  const done = {
    ...NOTHING,
    ...{ created: ['new'], updated: ['other'], unchanged: ['same'] },
    changes: [{ name: 'other', fields: ['schema'] }],
  }
  expect(await importInto(client, { eventTypes }, '?dryRun=true')).toEqual({ ...done, dryRun: true })
  expect(await namesIn(client)).toEqual(['other', 'same', 'stays'])
  expect(await importInto(client, { eventTypes }, '?dryRun=false')).toEqual(done)
  expect(await namesIn(client)).toEqual(['new', 'other', 'same', 'stays'])
  expect((await client.get('/event-types/other')).data).toMatchObject({ schema: { type: 'object' } })
})

test.each(['description', 'group', 'schema', 'example', 'deprecated'])(
  'a change of %s is a change',
  async (field) => {
    const client = new Client()
    const value = { description: 'x', group: 'x', schema: {}, example: {}, deprecated: true }[field]
    await importInto(client, { eventTypes: [{ name: 'a' }] })
    const changed = { eventTypes: [{ name: 'a', [field]: value }] }
    const { updated, changes } = await importInto(client, changed)
    expect({ updated, changes }).toEqual({ updated: ['a'], changes: [{ name: 'a', fields: [field] }] })
    expect((await importInto(client, changed)).unchanged).toEqual(['a'])
    expect((await client.get<Record<string, unknown>>('/event-types/a')).data[field]).toEqual(value)
  },
)

test("an OpenAPI document's webhooks become types, as it stands or wrapped", async () => {
  const client = new Client()
  const document = {
    openapi: '3.1.0',
    info: { title: 'Shop', version: '1' },
    webhooks: {
      'order.created': {
        post: {
          summary: 'An order was placed',
          tags: ['Orders'],
          requestBody: {
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  properties: { event: { type: 'string' }, data: { $ref: '#/components/schemas/Order' } },
                },
                example: { event: 'order.created', data: { total: 5 } },
              },
            },
          },
        },
      },
      'new order': { post: {} },
      'order.bad': { post: { requestBody: { content: { 'application/json': { schema: { type: 'x' } } } } } },
    },
    components: { schemas: { Order: { type: 'object', properties: { total: { type: 'number' } } } } },
  }
  const done = {
    ...NOTHING,
    created: ['order.created'],
    skipped: [
      { name: 'new order', reason: expect.stringMatching(/^name: must be an event type/) },
      { name: 'order.bad', reason: expect.stringMatching(/^schema\.type: must be one of/) },
    ],
  }
  expect(await importInto(client, document, '?dryRun=true')).toEqual({ ...done, dryRun: true })
  expect(await importInto(client, { openapi: document })).toEqual(done)
  expect((await client.get('/event-types/order.created')).data).toMatchObject({
    description: 'An order was placed',
    group: 'Orders',
    example: { total: 5 },
    schema: { $ref: '#/$defs/Order', $defs: { Order: { type: 'object' } } },
  })
})

test('one workspace holds at most 1,000 types, whichever way they come', async () => {
  const client = new Client()
  const eventTypes = Array.from({ length: 999 }, (_, i) => ({ name: `t.n${i}` }))
  expect((await importInto(client, { eventTypes })).created).toHaveLength(999)
  const more = { eventTypes: [{ name: 'u.a' }, { name: 'u.b' }, { name: 't.n5', group: 'G' }] }
  expect(await importInto(client, more)).toEqual({
    ...NOTHING,
    created: ['u.a'],
    updated: ['t.n5'],
    changes: [{ name: 't.n5', fields: ['group'] }],
    skipped: [{ name: 'u.b', reason: expect.stringContaining('the catalogue is full') }],
  })
  const refused = await client.call('PUT', '/event-types/u.c', { json: {} })
  expectRefusal(refused, 409, 'conflict')
  expect(refused.error.message).toContain('at most 1,000 types')
  expect((await client.call('PUT', '/event-types/t.n0', { json: { group: 'H' } })).status).toBe(200)
})

test('all schemas of a workspace have 4 MB, whichever way they come', async () => {
  const client = new Client()
  const schema = (extra: number) => ({ const: 'x'.repeat(31_900 + extra) })
  for (let i = 0; i < 5; i++) {
    const eventTypes = Array.from({ length: 25 }, (_, n) => ({ name: `t.n${i * 25 + n}`, schema: schema(0) }))
    expect((await importInto(client, { eventTypes })).skipped).toEqual([])
  }
  expect((await importInto(client, { eventTypes: [{ name: 'u', schema: schema(0) }] })).skipped).toHaveLength(
    1,
  )
  expectRefusal(await client.call('PUT', '/event-types/u', { json: { schema: schema(0) } }), 409, 'conflict')
  expect((await client.call('PUT', '/event-types/t.n0', { json: { schema: schema(5) } })).status).toBe(200)
  expect((await client.call('PUT', '/event-types/u', { json: { schema: { type: 'object' } } })).status).toBe(
    201,
  )
})

describe('an import is refused as a whole, and says what would be right:', () => {
  const client = new Client()
  const KNOWN = /must be \{"eventTypes": \[\.\.\.\]\}, an OpenAPI 3\.1 document, or \{"openapi": <document>\}/
  const VERSION = /must be the version of an OpenAPI 3\.1 document/
  const types = (...list: object[]) => ({ eventTypes: [{ name: 'good' }, ...list] })
  test.each<[string, unknown, string, RegExp]>([
    ['nothing known', {}, 'body', KNOWN],
    ['Swagger', { swagger: '2.0' }, 'body', KNOWN],
    ['a list', [], 'body', /must be a JSON object/],
    ['OpenAPI 3.0', { openapi: '3.0.3', webhooks: {} }, 'openapi', VERSION],
    ['a number as document', { openapi: 5, webhooks: {} }, 'openapi', VERSION],
    ['no webhooks', { openapi: { openapi: '3.1.0' } }, 'openapi.webhooks', /must be an object: the webhooks/],
    [
      '101 levels',
      `{"openapi":"3.1.0","webhooks":${'{"a":'.repeat(99)}{}${'}'.repeat(99)}}`,
      'body',
      /at most 100 levels/,
    ],
    [
      '1,001 webhooks',
      {
        openapi: '3.1.0',
        webhooks: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a${i}`, {}])),
      },
      'webhooks',
      /at most 1,000 webhooks/,
    ],
    [
      '1,001 types',
      { eventTypes: Array.from({ length: 1001 }, (_, i) => ({ name: `a${i}` })) },
      'eventTypes',
      /at most 1,000 event types/,
    ],
    ['both forms', { openapi: '3.1.0', ...types() }, 'openapi', /is not a field/],
    ['a type without a name', types({}), 'eventTypes[1].name', /is required/],
    ['a bad name', types({ name: 'a b' }), 'eventTypes[1].name', /must be an event type/],
    [
      'a reserved name',
      types({ name: 'posthorn.x' }),
      'eventTypes[1].name',
      /must not begin with "posthorn\."/,
    ],
    ['a type twice', types({ name: 'good' }), 'eventTypes[1].name', /is given twice/],
    [
      'a bad schema',
      types({ name: 'a', schema: { items: { type: 'x' } } }),
      'eventTypes[1].schema.items.type',
      /must be one of/,
    ],
    [
      'a bad example',
      types({ name: 'a', schema: { required: ['id'] }, example: {} }),
      'eventTypes[1].example.id',
      /is required/,
    ],
  ])('%s', async (_, body, path, message) => {
    const sent = typeof body === 'string' ? { body } : { json: body }
    expectInvalid(await client.call('POST', '/event-types/import', sent), path, message)
    expect(await namesIn(client)).toEqual([])
  })

  test('another value of dryRun', async () => {
    expectInvalid(await client.post('/event-types/import?dryRun=1', types()), 'dryRun', /"true" or "false"/)
  })

  test('more than a megabyte', async () => {
    const body = JSON.stringify({ eventTypes: [], x: 'x'.repeat(1_000_000) })
    expectRefusal(await client.call('POST', '/event-types/import', { body }), 413, 'payload_too_large')
  })
})

test('an import is into its own workspace only', async () => {
  const [one, two] = [new Client(), new Client()]
  await importInto(one, { eventTypes: [{ name: 'a', group: 'one' }] })
  expect(await importInto(two, { eventTypes: [{ name: 'a', group: 'two' }] })).toEqual({
    ...NOTHING,
    created: ['a'],
  })
  expect((await one.get('/event-types/a')).data).toMatchObject({ group: 'one' })
})

import { describe, expect, test } from 'vitest'
import {
  Client,
  concurrentClient,
  expectInvalid,
  expectRefusal,
} from '../../../../support/process/http-client.ts'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
type EventTypeAnswer = { name: string; createdAt: string; updatedAt: string } & Record<string, unknown>

const put = (client: Client, name: string, json: unknown = {}) =>
  client.call<EventTypeAnswer>('PUT', `/event-types/${name}`, { json })
const WHOLE = {
  description: 'An invoice was paid in full.',
  group: 'Invoice Events',
  schema: { type: 'object', required: ['object'], properties: { object: { type: 'object' } } },
  example: { object: { id: 'inv_1', total: 25 } },
  deprecated: true,
}
const EMPTY = { description: null, group: null, schema: null, example: null, deprecated: false }
const times = { createdAt: expect.stringMatching(TIME), updatedAt: expect.stringMatching(TIME) }

describe('PUT /event-types/{name}', () => {
  test('creates a type, answers with it, and shows it to GET', async () => {
    const client = new Client()
    const created = await put(client, 'invoice.paid', WHOLE)
    expect(created.status, created.text).toBe(201)
    expect(created.data).toEqual({ name: 'invoice.paid', ...WHOLE, ...times })
    expect((await client.get('/event-types/invoice.paid')).data).toEqual(created.data)
    expect((await client.get('/v1/event-types/invoice.paid')).data).toEqual(created.data)
  })

  test('keeps the numbers of an example as they were sent, and shows them so', async () => {
    const client = new Client()
    const example = '{"object":{"total":2567.50,"no":12345678901234567890}}'
    const saved = await client.call('PUT', '/event-types/a', { body: `{"example":${example}}` })
    expect(saved.text).toContain(example)
    expect((await client.get('/event-types/a')).text).toContain(example)
    expect((await client.get('/event-types')).text).toContain(example)
  })

  test('replaces a type as a whole: what is left out is gone, the time of creation stays', async () => {
    const client = new Client()
    const { data: before } = await put(client, 'a', WHOLE)
    const replaced = await put(client, 'a', { name: 'a', description: null })
    expect(replaced.status).toBe(200)
    expect(replaced.data).toEqual({ name: 'a', ...EMPTY, ...times, createdAt: before.createdAt })
    expect((await client.get('/event-types/a')).data).toEqual(replaced.data)
  })

  test.each([
    ['invoice', /^\/v1/],
    ['A-z_0.9', /./],
    ['import', /./],
    ['constructor', /./],
    ['__proto__', /./],
    [`${'a'.repeat(127)}b`, /./],
  ])('takes the name %s', async (name) => {
    const client = new Client()
    expect((await put(client, name)).status).toBe(201)
    expect((await client.get<EventTypeAnswer>(`/event-types/${name}`)).data.name).toBe(name)
  })
})

describe('a type is refused, and says what would be right:', () => {
  const client = new Client()
  const schema = (properties: unknown) => ({ schema: { type: 'object', properties } })
  const deep = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}{}${'}'.repeat(levels)}`) as unknown
  test.each<[string, unknown, string, RegExp]>([
    ['another name than in the path', { name: 'b' }, 'name', /must be the name in the path/],
    ['a list', [], 'body', /must be object/],
    ['an unknown field', { title: 'x' }, 'title', /is not a field of this request/],
    ['a number as description', { description: 5 }, 'description', /must be string, not number/],
    ['a long description', { description: 'x'.repeat(1001) }, 'description', /at most 1,000 characters/],
    ['a long group', { group: 'x'.repeat(101) }, 'group', /at most 100 characters/],
    ['a text as deprecated', { deprecated: 'no' }, 'deprecated', /must be boolean/],
    ['a text as schema', { schema: '{}' }, 'schema', /must be a JSON Schema: an object/],
    ['true as schema', { schema: true }, 'schema', /must be a JSON Schema: an object/],
    ['a list as example', { example: [] }, 'example', /must be a JSON object/],
    [
      'an unknown type',
      schema({ a: { type: 'text' } }),
      'schema.properties.a.type',
      /must be one of string, number/,
    ],
    ['a bad alternative', { schema: { anyOf: [{}, 5] } }, 'schema.anyOf[1]', /must be a JSON Schema/],
    ['a pattern', schema({ a: { pattern: '(a+)+' } }), 'schema.properties.a.pattern', /not bounded in time/],
    [
      'a remote reference',
      schema({ a: { $ref: 'http://x/' } }),
      'schema.properties.a.$ref',
      /within this schema/,
    ],
    ['an endless reference', { schema: { $ref: '#' } }, 'schema.$ref', /must not lead back to itself/],
    ['a schema 33 levels deep', { schema: { const: deep(32) } }, 'schema', /at most 32 levels/],
    [
      'a schema 400 levels deep',
      `{"schema":${'{"not":'.repeat(400)}{}${'}'.repeat(400)}}`,
      'schema',
      /at most 32 levels/,
    ],
    ['a schema of 32,001 bytes', { schema: { const: 'x'.repeat(31_989) } }, 'schema', /at most 32,000 bytes/],
    ['an example 33 levels deep', { example: deep(33) }, 'example', /at most 32 levels/],
    [
      'an example of too many bytes',
      { example: { a: 'é'.repeat(16_000) } },
      'example',
      /at most 32,000 bytes/,
    ],
    [
      'an example that is not as the schema has it',
      {
        ...schema({ object: schema({ total: { type: 'number' } }).schema }),
        example: { object: { total: '5' } },
      },
      'example.object.total',
      /must be number, not string/,
    ],
    ['__proto__ as a field', '{"__proto__":{}}', '__proto__', /is not a field/],
  ])('%s', async (_, body, path, message) => {
    const sent = typeof body === 'string' ? { body } : { json: body }
    expectInvalid(await client.call('PUT', '/event-types/a', sent), path, message)
    expectRefusal(await client.get('/event-types/a'), 404, 'not_found')
  })

  test.each(['a..b', '.a', 'a%20b', 'a%2Fb', '%', 'a'.repeat(129), 'posthorn.disabled'])(
    'the name %s',
    async (name) => {
      const message = name.startsWith('posthorn')
        ? /must not begin with "posthorn\."/
        : /must be an event type: segments of/
      expectRefusal(await put(client, name), 400, 'invalid_request')
      expect((await put(client, name)).error.details?.[0]).toEqual({
        path: 'name',
        message: expect.stringMatching(message),
      })
      expectRefusal(await client.get(`/event-types/${name}`), 404, 'not_found')
    },
  )

  test('an example of exactly 32,000 bytes and a schema 32 levels deep are taken', async () => {
    const example = { a: 'x'.repeat(31_992) }
    expect((await put(client, 'edge', { example, schema: { default: deep(31) } })).status).toBe(400)
    expect((await put(client, 'edge', { example, schema: { default: deep(30) } })).status).toBe(201)
  })

  test('a schema may name its own properties as it likes', async () => {
    const text =
      '{"schema":{"properties":{"__proto__":{"type":"string"},"constructor":true}},"example":{"__proto__":"x"}}'
    const saved = await client.call<EventTypeAnswer>('PUT', '/event-types/proto', { body: text })
    expect(saved.status, saved.text).toBe(201)
    expect(JSON.parse(saved.text).data.schema).toEqual(JSON.parse(text).schema)
    expect(saved.text).toContain('"__proto__":{"type":"string"}')
  })
})

test('a check goes as deep as 350 schemas, and says so when it would go deeper', async () => {
  const client = new Client()
  const chain = (length: number) => {
    const links = Array.from({ length }, (_, i) => [
      `c${i}`,
      { $ref: i === 0 ? '#/$defs/end' : `#/$defs/c${i - 1}` },
    ])
    const end = { properties: { a: { $ref: `#/$defs/c${length - 1}` } } }
    return { $ref: '#/$defs/end', $defs: { ...Object.fromEntries(links), end } }
  }
  const example = JSON.parse(`${'{"a":'.repeat(31)}{}${'}'.repeat(31)}`) as unknown
  const within = await put(client, 'within', { schema: chain(9), example })
  expect(within.status, within.text).toBe(201)
  expectInvalid(await put(client, 'beyond', { schema: chain(15), example }), 'example', /too many steps/)
})

describe('GET /event-types', () => {
  async function filled(names: readonly string[]) {
    const client = new Client()
    const eventTypes = names.map((name) => ({
      name,
      description: `About ${name.toUpperCase()}`,
      group: name.startsWith('a') ? 'First 100%' : null,
      deprecated: name.endsWith('z'),
    }))
    expect((await client.post('/event-types/import', { eventTypes })).status).toBe(200)
    const names_ = async (query: string) =>
      (await client.all<EventTypeAnswer>(`/event-types${query}`, 2)).map(({ name }) => name)
    return { client, namesOf: names_ }
  }

  test('lists by name, in pages that end', async () => {
    const names = ['B', 'a', 'a.b', 'a_b', 'ab', 'b.z', 'c']
    const { client } = await filled([...names].reverse())
    for (const limit of [1, 2, 3, 6, 7, 8, 100]) {
      const all = await client.all<EventTypeAnswer>('/event-types', limit)
      expect(all.map(({ name }) => name)).toEqual(names)
    }
    expect((await client.get('/event-types?limit=7')).nextCursor).toBeNull()
  })

  test('a page without a limit holds 50; no page more than 100', async () => {
    const { client } = await filled(Array.from({ length: 51 }, (_, i) => `t.n${i}`))
    expect((await client.get<unknown[]>('/event-types')).data).toHaveLength(50)
    expectInvalid(await client.get('/event-types?limit=1001'), 'limit', /must be 1-1000/)
  })

  test('types that come and go between pages neither repeat nor hide others', async () => {
    const { client } = await filled(['a', 'b', 'c', 'd'])
    const { data, nextCursor } = await client.get<EventTypeAnswer[]>('/event-types?limit=2')
    await client.call('DELETE', '/event-types/b')
    await put(client, 'aa')
    const rest = await client.get<EventTypeAnswer[]>(`/event-types?limit=2&cursor=${nextCursor}`)
    expect([...data, ...rest.data].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('is narrowed by prefix, text and deprecation', async () => {
    const { namesOf } = await filled(['a', 'a.b', 'a.z', 'ax', 'b.a', 'b.z'])
    expect(await namesOf('?prefix=a.')).toEqual(['a.b', 'a.z'])
    expect(await namesOf('?prefix=A')).toEqual([])
    expect(await namesOf('?q=B.')).toEqual(['b.a', 'b.z'])
    expect(await namesOf('?q=about%20ax')).toEqual(['ax'])
    expect(await namesOf('?q=100%25')).toEqual(['a', 'a.b', 'a.z', 'ax'])
    expect(await namesOf('?q=_')).toEqual([])
    expect(await namesOf('?deprecated=true')).toEqual(['a.z', 'b.z'])
    expect(await namesOf('?deprecated=false&prefix=a&q=b')).toEqual(['a', 'a.b', 'ax'])
  })

  test.each([
    ['cursor=x', 'cursor', /nextCursor of an earlier page/],
    ['deprecated=yes', 'deprecated', /must be "true" or "false"/],
    ['name=a', 'name', /is not a field/],
    [`q=${'x'.repeat(101)}`, 'q', /at most 100 characters/],
  ])('?%s is refused', async (query, path, message) => {
    expectInvalid(await new Client().get(`/event-types?${query}`), path, message)
  })

  test('a cursor of another list is refused', async () => {
    const client = new Client()
    for (let i = 0; i < 2; i++) await client.subscribe()
    const { nextCursor } = await client.get('/webhooks?limit=1')
    expectInvalid(await client.get(`/event-types?cursor=${nextCursor}`), 'cursor', /nextCursor/)
  })
})

test('DELETE /event-types/{name} removes a type once', async () => {
  const client = new Client()
  await put(client, 'a', WHOLE)
  const deleted = await client.call('DELETE', '/event-types/a')
  expect([deleted.status, deleted.data]).toEqual([200, { name: 'a', deleted: true }])
  expectRefusal(await client.get('/event-types/a'), 404, 'not_found')
  expectRefusal(await client.call('DELETE', '/event-types/a'), 404, 'not_found')
  expectRefusal(await new Client().call('DELETE', '/event-types/a'), 404, 'not_found')
  expect((await put(client, 'a')).status).toBe(201)
})

test('no tenant can see, change or delete the types of another', async () => {
  const [one, two] = [new Client(), new Client()]
  await put(one, 'a', WHOLE)
  expectRefusal(await two.get('/event-types/a'), 404, 'not_found')
  expect((await two.get<unknown[]>('/event-types')).data).toEqual([])
  expectRefusal(await two.call('DELETE', '/event-types/a'), 404, 'not_found')
  expect((await put(two, 'a', { description: 'Mine' })).status).toBe(201)
  expect((await two.call('DELETE', '/event-types/a')).status).toBe(200)
  expect((await one.get('/event-types/a')).data).toMatchObject(WHOLE)
})

test('without a key there is no catalogue', async () => {
  const headers = { Authorization: null }
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/a'],
    ['PUT', '/a'],
    ['DELETE', '/a'],
    ['POST', '/import'],
  ] as const) {
    expectRefusal(await new Client().call(method, `/event-types${path}`, { headers }), 401, 'unauthorized')
  }
})

test('types saved at once are all there', async () => {
  const client = concurrentClient()
  await Promise.all(Array.from({ length: 8 }, (_, i) => put(client, `t.n${i}`)))
  expect((await client.get<unknown[]>('/event-types')).data).toHaveLength(8)
})

test('a schema with "nullable" of OpenAPI 3.0 is saved with a warning, by PUT and by import', async () => {
  const client = new Client()
  const schema = { type: 'object', properties: { note: { type: 'string', nullable: true } } }
  const reason =
    /^(?:schema\.properties\.note\.nullable )?is OpenAPI 3\.0's .*write "type": \["string", "null"\]$/
  const saved = await client.call('PUT', '/event-types/order.created', { json: { schema } })
  expect([saved.status, saved.data['warnings']]).toEqual([
    201,
    [{ path: 'schema.properties.note.nullable', message: expect.stringMatching(reason) as string }],
  ])
  const imported = await client.post('/event-types/import', { eventTypes: [{ name: 'order.paid', schema }] })
  expect(imported.data['warnings']).toEqual([
    { name: 'order.paid', reason: expect.stringMatching(reason) as string },
  ])
  const shown = await client.get<object>('/event-types/order.created')
  expect(shown.data).not.toHaveProperty('warnings')
})

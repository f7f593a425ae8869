import { describe, expect, test } from 'vitest'
import { atOnce } from '../../../src/base/concurrency/yielder.ts'
import { readImport } from '../../../src/catalogue/openapi-import.ts'

type Json = Record<string, unknown>

const read = (body: Json) => {
  const result = atOnce(readImport(body, JSON.stringify(body)))
  if (result.kind === 'invalid') throw result.error
  const types = result.types.map((type) => ({
    ...type,
    schema: type.schema === null ? null : (JSON.parse(type.schema) as unknown),
    example: type.example === null ? null : (JSON.parse(type.example) as unknown),
  }))
  return { ...result, types }
}
const document = (webhooks: Json, components: Json = {}) => ({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  webhooks,
  components,
})
const webhook = (media: Json, operation: Json = {}) => ({
  post: { requestBody: { content: { 'application/json': media } }, ...operation },
})
const first = (webhooks: Json, components: Json = {}) => {
  const { types, skipped, warnings } = read(document(webhooks, components))
  return { type: types[0], skipped, warnings }
}
const TEXT = { type: 'string' }

describe('a webhook of an OpenAPI document', () => {
  test('becomes a type with description, group, deprecation, schema and example', () => {
    const media = { schema: { type: 'object', properties: { id: TEXT } }, example: { id: 'a' } }
    const operation = { summary: 'Short', description: 'Long', tags: ['Orders', 'x'], deprecated: true }
    expect(first({ 'order.created': webhook(media, operation) })).toEqual({
      type: {
        name: 'order.created',
        description: 'Long',
        group: 'Orders',
        deprecated: true,
        schema: media.schema,
        example: media.example,
      },
      skipped: [],
      warnings: [],
    })
  })

  test('needs nothing but its name', () => {
    const nothing = { description: null, group: null, schema: null, example: null, deprecated: false }
    for (const item of [
      {},
      { post: {} },
      null,
      5,
      { post: { requestBody: { content: { 'text/xml': {} } } } },
    ]) {
      expect(first({ a: item }).type).toEqual({ name: 'a', ...nothing })
    }
    expect(first({ a: { post: { summary: 'S' } } }).type?.description).toBe('S')
    expect(first({ a: { summary: 'P', put: {} } }).type?.description).toBe('P')
  })

  test('whose schema is that of a payload gives the part under "data", of schema and example', () => {
    const payload = {
      type: 'object',
      properties: { event: TEXT, data: { type: 'object', properties: { id: TEXT } } },
    }
    const media = {
      schema: payload,
      examples: { one: { value: { event: 'a', data: { id: 'x' } } }, two: {} },
    }
    expect(first({ a: webhook(media) }).type).toMatchObject({
      schema: { type: 'object', properties: { id: TEXT } },
      example: { id: 'x' },
    })
  })

  test('finds "data" through references and allOf, the refined one before the common one', () => {
    const schemas = {
      Envelope: { properties: { event: TEXT, data: { type: 'object' } } },
      OrderEvent: {
        allOf: [
          { $ref: '#/components/schemas/Envelope' },
          { properties: { data: { $ref: '#/components/schemas/Order' } } },
        ],
      },
      Order: { type: 'object', properties: { total: { type: 'number' } } },
    }
    const media = { schema: { $ref: '#/components/schemas/OrderEvent' } }
    expect(first({ a: webhook(media) }, { schemas }).type?.schema).toEqual({
      $ref: '#/$defs/Order',
      $defs: { Order: schemas.Order },
    })
  })

  test('may refer to its path item, request body and example', () => {
    const components = {
      pathItems: { A: { post: { requestBody: { $ref: '#/components/requestBodies/B' } } } },
      requestBodies: {
        B: {
          content: {
            'application/vnd.shop+json; charset=utf-8': {
              examples: { x: { $ref: '#/components/examples/E' } },
            },
          },
        },
      },
      examples: { E: { value: { data: { id: 1 } } } },
    }
    expect(first({ a: { $ref: '#/components/pathItems/A' } }, components).type?.example).toEqual({ id: 1 })
  })

  test('takes along what its schema refers to, once, circles included', () => {
    const schemas = {
      Node: {
        type: 'object',
        properties: {
          child: { $ref: '#/components/schemas/Node' },
          item: { $ref: '#/components/schemas/A%20b/properties/c' },
        },
      },
      'A b': { properties: { c: TEXT, $ref: { type: 'number' }, pattern: TEXT } },
      Unused: {},
    }
    const { type, skipped } = first(
      { a: webhook({ schema: { $ref: '#/components/schemas/Node' } }) },
      { schemas },
    )
    expect(skipped).toEqual([])
    expect(type?.schema).toEqual({
      $ref: '#/$defs/Node',
      $defs: {
        Node: {
          type: 'object',
          properties: { child: { $ref: '#/$defs/Node' }, item: { $ref: '#/$defs/A%20b/properties/c' } },
        },
        'A b': schemas['A b'],
      },
    })
  })

  test('keeps what is data in its schema as it is, though it looks like a schema', () => {
    const data = { $ref: '#/components/schemas/A', pattern: 'x' }
    const schema = {
      properties: { a: { const: data, default: data, example: data, examples: [data], enum: [data] } },
    }
    const { type, warnings } = first({ a: webhook({ schema }) }, { schemas: { A: {} } })
    expect(type?.schema).toEqual(schema)
    expect(warnings).toEqual([])
  })

  test('loses its patterns and a bad example with a warning', () => {
    const media = {
      schema: { properties: { id: { type: 'string', pattern: '^(a+)+$', enum: ['a'] } } },
      example: { id: 5 },
    }
    const { type, warnings } = first({ a: webhook(media) })
    expect(type).toMatchObject({
      schema: { properties: { id: { type: 'string', enum: ['a'] } } },
      example: null,
    })
    expect(warnings).toEqual([
      { name: 'a', reason: expect.stringContaining('without 1 "pattern"') },
      { name: 'a', reason: 'without its example: example.id must be string, not number' },
    ])
  })

  test.each<[string, Json, Json, RegExp]>([
    ['is no event type', { 'new order': {} }, {}, /^name: must be an event type/],
    ['is reserved', { 'posthorn.a': {} }, {}, /^name: must not begin with "posthorn\."/],
    [
      'has a schema that is none',
      { a: webhook({ schema: { type: 'text' } }) },
      {},
      /^schema\.type: must be one of/,
    ],
    [
      'refers to nothing',
      { a: webhook({ schema: { $ref: '#/components/schemas/X' } }) },
      {},
      /^schema\.\$ref: must lead to/,
    ],
    [
      'refers to elsewhere',
      { a: webhook({ schema: { $ref: 'https://a.example.com' } }) },
      {},
      /^schema\.\$ref: must be a reference within/,
    ],
    [
      'has patternProperties',
      { a: webhook({ schema: { patternProperties: {} } }) },
      {},
      /^schema\.patternProperties: is not supported/,
    ],
    [
      'has too large a schema with all it refers to',
      { a: webhook({ schema: { $ref: '#/components/schemas/Big' } }) },
      { schemas: { Big: { enum: Array.from({ length: 20_000 }, (_, i) => i) } } },
      /^schema: must be at most 32,000 bytes/,
    ],
    [
      'has a schema of too many parts',
      { a: webhook({ schema: { anyOf: Array.from({ length: 20_000 }, () => ({})) } }) },
      {},
      /^schema: must be at most 32,000 bytes/,
    ],
  ])('that %s is skipped, and the others are taken', (_, webhooks, components, reason) => {
    const { types, skipped } = read(document({ ...webhooks, good: {} }, components))
    expect(types.map(({ name }) => name)).toEqual(['good'])
    expect(skipped).toEqual([{ name: Object.keys(webhooks)[0], reason: expect.stringMatching(reason) }])
  })

  test('cannot be made to go round in references', () => {
    const components = {
      schemas: { A: { $ref: '#/components/schemas/A' }, B: { allOf: [{ $ref: '#/components/schemas/B' }] } },
      pathItems: { C: { $ref: '#/components/pathItems/C' } },
    }
    const { types, skipped } = read(
      document(
        {
          a: webhook({ schema: { $ref: '#/components/schemas/A' } }),
          b: webhook({ schema: { $ref: '#/components/schemas/B' } }),
          c: { $ref: '#/components/pathItems/C' },
        },
        components,
      ),
    )
    expect(types.map(({ name }) => name)).toEqual(['c'])
    expect(skipped.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('must not lead back to itself'),
      expect.stringContaining('must not lead back to itself'),
    ])
  })

  test('called `__proto__` or `constructor` is a name like any other', () => {
    const body = JSON.parse(
      '{"openapi":"3.1.0","webhooks":{"__proto__":{"post":{"summary":"S"}},"constructor":{}}}',
    ) as Json
    expect(read(body).types.map(({ name, description }) => [name, description])).toEqual([
      ['__proto__', 'S'],
      ['constructor', null],
    ])
  })
})

test('many webhooks that share a large schema grow no further than 8 MB; the rest is skipped', () => {
  const schemas = { Big: { enum: ['x'.repeat(30_000)] } }
  const media = { schema: { $ref: '#/components/schemas/Big' } }
  const webhooks = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a.n${i}`, webhook(media)]))
  const { types, skipped } = read(document(webhooks, { schemas }))
  expect(types.length + skipped.length).toBe(300)
  expect(types.length).toBeLessThan(270)
  expect(skipped[0]?.reason).toContain('too large')
})

test('the document may be wrapped, and a newer minor version counts', () => {
  expect(read({ openapi: { ...document({ a: {} }), openapi: '3.2.0' } }).types).toHaveLength(1)
})

test('a list of types keeps each example to the character', () => {
  const text = '{"eventTypes":[{"name":"a"},{"name":"b","example": {"total": 2567.50}}]}'
  const result = atOnce(readImport(JSON.parse(text) as Json, text))
  expect(result.kind === 'read' && result.types.map(({ example }) => example)).toEqual([
    null,
    '{"total": 2567.50}',
  ])
})

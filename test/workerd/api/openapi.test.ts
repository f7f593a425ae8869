import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { createApp } from '../../../src/api/app.ts'
import { relayOf } from '../../../src/relay.ts'
import { Client } from '../../support/process/http-client.ts'

type Operation = {
  summary?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}
type Document = {
  openapi: string
  info: { title: string; version: string }
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, object>>
}

let document: Document
beforeAll(async () => {
  const answer = await new Client().get('/openapi.json', { headers: { Authorization: null } })
  expect(answer.status).toBe(200)
  document = JSON.parse(answer.text) as Document
})

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )

test('says that it is OpenAPI 3.1 and where the relay is', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(document.info).toMatchObject({ title: 'Posthorn', version: expect.any(String) })
  expect(document.servers).toEqual([{ url: 'https://relay.example.com' }])
})

test('is built once, may be cached, and names the host that was asked', async () => {
  const app = createApp(() => relayOf(env))
  const build = vi.spyOn(app, 'getOpenAPI31Document')
  const answers = await Promise.all(
    ['https://one.example.com', 'https://two.example.com', 'https://one.example.com'].map(async (origin) => {
      const answer = await app.request(`${origin}/openapi.json`)
      expect(answer.headers.get('Cache-Control')).toBe('public, max-age=300')
      expect(answer.headers.get('Content-Type')).toMatch(/^application\/json/)
      const { servers, ...others } = (await answer.json()) as Document
      expect(servers).toEqual([{ url: origin }])
      return others
    }),
  )
  expect(build).toHaveBeenCalledTimes(1)
  expect(answers).toEqual(Array(3).fill(answers[0]))
})

test('lists every mounted call of the API and no other, and /v1 has each of them', () => {
  const app = createApp(() => relayOf(env))
  const mounted = app.routes
    .filter(({ method, path }) => method !== 'ALL' && /^\/(api\/)?v1\//.test(path))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const listed = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  const under = (prefix: string) => mounted.filter((call) => call.includes(` ${prefix}/`)).sort()
  expect(listed.sort()).toEqual(under('/api/v1'))
  expect(under('/v1')).toEqual(under('/api/v1').map((call) => call.replace('/api/v1', '/v1')))
  expect(listed.length).toBeGreaterThanOrEqual(16)
})

test('describes every operation: summary, security, and answers with descriptions', () => {
  for (const { path, method, operation } of operations()) {
    const name = `${method} ${path}`
    expect(['get', 'post', 'put', 'patch', 'delete'], name).toContain(method)
    expect(operation.summary, name).toMatch(/\w/)
    expect(operation.security, name).toEqual([{ bearer: [] }])
    expect(Object.keys(operation.responses), name).toContain('default')
    expect(
      Object.keys(operation.responses).some((status) => /^20[0-2]$/.test(status)),
      name,
    ).toBe(true)
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(status, name).toMatch(/^(default|[1-5]\d\d)$/)
      expect(response.description, name).toMatch(/\w/)
      const isArchive = name === 'get /api/v1/archives/{id}' && status === '200'
      const type = isArchive ? 'application/gzip' : 'application/json'
      expect(Object.keys(response.content ?? {}), name).toEqual([type])
    }
  }
  expect(document.components['securitySchemes']).toEqual({ bearer: { type: 'http', scheme: 'bearer' } })
})

test('declares each parameter once, and exactly those of the path', () => {
  for (const { path, method, operation } of operations()) {
    const name = `${method} ${path}`
    const parameters = operation.parameters ?? []
    const keys = parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
    expect(new Set(keys).size, name).toBe(keys.length)
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    expect(inPath.map((parameter) => parameter.name).sort(), name).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort(),
    )
    for (const parameter of inPath) expect(parameter.required, name).toBe(true)
    for (const parameter of parameters) expect(['path', 'query', 'header'], name).toContain(parameter.in)
    for (const parameter of parameters) expect(parameter.schema, name).toBeTypeOf('object')
  }
})

test('gives a body to each call that takes one, and to no other', () => {
  const withBody = operations().filter(({ operation }) => operation.requestBody !== undefined)
  expect(withBody.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
    'patch /api/v1/webhooks/{id}',
    'post /api/v1/dispatch',
    'post /api/v1/event-types/import',
    'post /api/v1/events',
    'post /api/v1/events/{id}/replay',
    'post /api/v1/webhooks',
    'post /api/v1/webhooks/preview',
    'post /api/v1/webhooks/subscribe',
    'post /api/v1/webhooks/{id}/preview',
    'post /api/v1/webhooks/{id}/replay',
    'post /api/v1/webhooks/{id}/rotate-secret',
    'post /api/v1/webhooks/{id}/test',
    'put /api/v1/event-types/{name}',
    'put /api/v1/webhooks/{id}',
    'put /api/v1/workspaces/{id}',
  ])
  const optional = /\/(test|rotate-secret|replay|\{id\}\/preview)$/
  for (const { path, operation } of withBody)
    expect(operation.requestBody?.required).toBe(!optional.test(path))
})

test('holds schemas of JSON Schema 2020-12 only, with every reference resolved', () => {
  const schemas = operations().flatMap(({ operation }) => [
    ...(operation.parameters ?? []).map((parameter) => parameter.schema),
    ...[operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
      Object.values(part?.content ?? {}).map((content) => content.schema),
    ),
  ])
  expect(schemas.length).toBeGreaterThan(40)
  for (const schema of schemas) checkSchema(schema)
})

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
const KEYWORDS = new Set([
  ...['$ref', 'type', 'enum', 'const', 'default', 'description', 'format', 'pattern', 'example', 'examples'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['items', 'minItems', 'maxItems', 'uniqueItems', 'properties', 'required', 'additionalProperties'],
  ...['propertyNames', 'minProperties', 'maxProperties', 'anyOf', 'oneOf', 'allOf', 'not'],
])

type Schema = Record<string, unknown>

/** The keywords this relay uses, each with the kind of value 2020-12 gives it; `nullable` and its like are 3.0's. */
function checkSchema(schema: unknown): void {
  if (typeof schema === 'boolean') return
  expect(schema).toBeTypeOf('object')
  for (const [keyword, value] of Object.entries(schema as Schema)) {
    expect(KEYWORDS).toContain(keyword)
    checkKeyword(keyword, value, schema as Schema)
  }
  for (const part of partsOf(schema as Schema)) checkSchema(part)
}

function checkKeyword(keyword: string, value: unknown, { properties }: Schema): void {
  if (keyword === '$ref') expect(resolve(String(value)), String(value)).toBeTypeOf('object')
  if (keyword === 'type') expect(TYPES).toEqual(expect.arrayContaining([value].flat()))
  if (/^(exclusive)?(min|max)/i.test(keyword)) expect(value, keyword).toBeTypeOf('number')
  if (keyword === 'pattern') expect(() => new RegExp(String(value), 'u')).not.toThrow()
  if (keyword === 'required')
    expect(Object.keys(properties ?? {})).toEqual(expect.arrayContaining(value as []))
}

function partsOf({ properties, items, additionalProperties, propertyNames, ...rest }: Schema): unknown[] {
  const lists = ['anyOf', 'oneOf', 'allOf'].flatMap((list) => (rest[list] ?? []) as unknown[])
  const single = [items, additionalProperties, propertyNames].filter((part) => part !== undefined)
  return [...Object.values((properties ?? {}) as Schema), ...single, ...lists]
}

function resolve(pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document)
}

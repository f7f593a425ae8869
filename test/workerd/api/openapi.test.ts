import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { createApp } from '../../../src/api/app.ts'
import { describeApi, OpenApiDocument } from '../../../src/api/openapi/document.ts'
import { routes } from '../../../src/api/v1/routes.ts'
import { VERSION } from '../../../src/deliver/attempt/request.ts'
import { relayOf } from '../../../src/relay.ts'
import { Client } from '../../support/process/http-client.ts'

type Answered = { description: string; content?: Record<string, { schema: object }> }
type Parameter = { name: string; in: string; required?: boolean; schema: object }
type Operation = {
  operationId: string
  summary?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, Answered | { $ref: string }>
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
  expect(document.info).toMatchObject({ title: 'Posthorn', version: VERSION })
  expect(document.servers).toEqual([{ url: 'https://relay.example.com' }])
})

test('is built once, may be cached, and names the host that was asked', async () => {
  const build = vi.fn(() => describeApi(routes))
  const built = new OpenApiDocument(build)
  const answers = await Promise.all(
    ['https://one.example.com', 'https://two.example.com', 'https://one.example.com'].map(async (origin) => {
      const answer = built.answer(origin)
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

/** Other protocols than requests and answers in JSON, which OpenAPI has no words for. */
const OTHER_PROTOCOLS = ['GET /api/v1/listeners/{id}/socket', 'POST /mcp']

test('lists every mounted call of the API and no other, and /v1 has each of them', () => {
  const app = createApp(() => relayOf(env))
  // What stands before a call is mounted under the same name.
  const all = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const mounted = [...new Set(all)]
  const listed = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  const under = (prefix: string) => mounted.filter((call) => call.includes(` ${prefix}/`)).sort()
  const expected = [...listed, ...OTHER_PROTOCOLS].sort()
  expect(mounted.filter((call) => !call.includes(' /v1/')).sort()).toEqual(expected)
  expect(under('/v1')).toEqual(under('/api/v1').map((call) => call.replace('/api/v1', '/v1')))
  expect(listed.length).toBeGreaterThanOrEqual(16)
})

const OTHER_TYPES: Record<string, string | string[]> = {
  'get /api/v1/archives/{id}': 'application/gzip',
  'get /metrics': 'text/plain',
  'get /api/v1/stream': 'text/event-stream',
  'get /api/v1/audit-log': ['application/json', 'application/x-ndjson'],
}

/** Calls that need no key. */
function isPublic(path: string): boolean {
  return /^\/(healthz|jwks\/|openapi)/.test(path)
}

test('names every operation once, as clients will', () => {
  const names = operations().map(({ operation }) => operation.operationId)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining(['publishEvents', 'listSubscriptions', 'rotateSecret']))
})

test('describes every operation: summary, security, and answers with descriptions', () => {
  for (const { path, method, operation } of operations()) {
    const name = `${method} ${path}`
    expect(['get', 'post', 'put', 'patch', 'delete'], name).toContain(method)
    expect(operation.summary, name).toMatch(/\w/)
    expect(operation.operationId, name).toMatch(/^[a-z]+([A-Z][a-z]+)+$/)
    expect(operation.security, name).toEqual(isPublic(path) ? [] : [{ bearer: expect.any(Array) }])
    const statuses = Object.keys(operation.responses)
    expect(statuses.filter((status) => /^20[0-2]$/.test(status)).length, name).toBeGreaterThan(0)
    expect(statuses, name).toEqual(
      expect.arrayContaining(isPublic(path) ? ['400', '500'] : ['400', '401', '403', '500', '503']),
    )
    for (const [status, given] of Object.entries(operation.responses)) {
      expect(status, name).toMatch(/^[1-5]\d\d$/)
      const response = '$ref' in given ? (resolve(String(given.$ref)) as Answered) : given
      expect(response.description, name).toMatch(/\w/)
      const type = status === '200' ? (OTHER_TYPES[name] ?? 'application/json') : 'application/json'
      expect(Object.keys(response.content ?? {}), name).toEqual([type].flat())
    }
  }
  expect(document.components['securitySchemes']).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } })
})

test('declares each parameter once, and exactly those of the path', () => {
  for (const { path, method, operation } of operations()) {
    const name = `${method} ${path}`
    const parameters = parametersOf(operation)
    const keys = parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
    expect(new Set(keys).size, name).toBe(keys.length)
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    expect(inPath.map((parameter) => parameter.name).sort(), name).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort(),
    )
    for (const parameter of inPath) expect(parameter.required, name).toBe(true)
    for (const parameter of parameters) expect(['path', 'query', 'header'], name).toContain(parameter.in)
    for (const parameter of parameters) expect(parameter.schema, name).toBeTypeOf('object')
    expect(keys.includes('header X-Company-Id'), name).toBe(!isPublic(path))
  }
})

test('gives a body to each call that takes one, and to no other', () => {
  const withBody = operations().filter(({ operation }) => operation.requestBody !== undefined)
  expect(withBody.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
    'patch /api/v1/keys/{id}',
    'patch /api/v1/webhooks/{id}',
    'post /api/v1/dispatch',
    'post /api/v1/event-types/import',
    'post /api/v1/events',
    'post /api/v1/events/{id}/replay',
    'post /api/v1/keys',
    'post /api/v1/keys/{id}/rotate',
    'post /api/v1/listeners',
    'post /api/v1/portal-tokens',
    'post /api/v1/verify',
    'post /api/v1/webhooks',
    'post /api/v1/webhooks/preview',
    'post /api/v1/webhooks/subscribe',
    'post /api/v1/webhooks/{id}/preview',
    'post /api/v1/webhooks/{id}/replay',
    'post /api/v1/webhooks/{id}/rotate-secret',
    'post /api/v1/webhooks/{id}/test',
    'post /api/v1/workspaces',
    'put /api/v1/event-types/{name}',
    'put /api/v1/webhooks/{id}',
    'put /api/v1/workspaces/{id}',
  ])
  const optional = /\/(test|rotate-secret|rotate|portal-tokens|replay|\{id\}\/preview)$/
  for (const { path, operation } of withBody)
    expect(operation.requestBody?.required).toBe(!optional.test(path))
})

test('holds schemas of JSON Schema 2020-12 only, with every reference resolved', () => {
  const schemas = operations().flatMap(({ operation }) => [
    ...parametersOf(operation).map((parameter) => parameter.schema),
    ...[operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
      Object.values((part !== undefined && 'content' in part && part.content) || {}).map(
        ({ schema }) => schema,
      ),
    ),
  ])
  schemas.push(...Object.values(document.components['schemas'] ?? {}))
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

function parametersOf({ parameters = [] }: Operation): Parameter[] {
  return parameters.map((each) => ('$ref' in each ? (resolve(each.$ref) as Parameter) : each))
}

function resolve(pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document)
}

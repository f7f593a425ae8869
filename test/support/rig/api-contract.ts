import { type Schema, Validator } from '@cfworker/json-schema'
import { expect } from 'vitest'
import { describeApi } from '../../../src/api/openapi/document.ts'
import { routes } from '../../../src/api/v1/routes.ts'

type Content = Record<string, { schema: Schema }>
type Parameter = { name: string; in: string; required?: boolean; schema: Schema }
type Operation = {
  operationId: string
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content } | { $ref: string }>
}
/** A receiver's share of the document, for one profile. */
type Received = { parameters: Parameter[]; requestBody: { content: Content } }
type Document = {
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, { post: Received }>
  components: { schemas: Record<string, Schema>; responses: Record<string, { content?: Content }> }
}

/** A request of a test and its answer, read once. */
export type Exchange = {
  method: string
  url: string
  sent: string | null
  status: number
  type: string | null
  text: string
}

/** Bodies beyond this are not held against the document: walking them would take longer than the test. */
const BODY_CHARS_MAX = 100_000
/** Statuses of calls that the document does not have. */
const UNKNOWN_CALL = [400, 401, 403, 404, 405, 500, 503]

let shared: Contract | undefined

/** The API document as the relay of the tests has it. */
export function contract(): Contract {
  shared ??= new Contract(describeApi(routes) as Document)
  return shared
}

/** Requests and answers are held against one document. */
class Contract {
  readonly document: Document
  readonly #calls: { pattern: RegExp; operations: Record<string, Operation> }[]
  readonly #validators = new Map<Schema, Validator>()

  constructor(document: Document) {
    this.document = document
    this.#calls = Object.entries(document.paths).map(([path, operations]) => ({
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
      operations,
    }))
  }

  /**
   * Fails the test when an answer is not what the document says of its call: another status or type, a member that is
   * missing, wrong or not described. What was sent and taken must be as described, too.
   */
  check(exchange: Exchange): void {
    const { method, url, status, text } = exchange
    // It answers as GET does, without a body.
    if (method === 'HEAD') return
    const { pathname } = new URL(url)
    const label = `${method} ${pathname} was answered ${status} ${text.slice(0, 2000)}`
    const operation = this.#find(method, pathname)
    if (operation === null) {
      expect(UNKNOWN_CALL, label).toContain(status)
      expect(this.problems(ERROR, text, closed), label).toEqual([])
      return
    }
    this.#checkAnswer(operation, exchange, label)
    if (status < 300) this.#checkRequest(operation, exchange)
  }

  /** Says where a JSON text is not as a schema of the document has it. */
  problems(schema: Schema, text: string, strictness: (schema: Schema) => Schema): string[] {
    const validator = this.#validators.get(schema) ?? this.#validatorOf(strictness, schema)
    this.#validators.set(schema, validator)
    const { errors } = validator.validate(JSON.parse(text.replace(/^\uFEFF/, ''), withWellFormedNames))
    return errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).slice(-8)
  }

  #validatorOf(strictness: (schema: Schema) => Schema, schema: Schema): Validator {
    const all = strictness({ ...schema, $defs: this.document.components.schemas })
    const local = JSON.stringify(all).replaceAll('#/components/schemas/', '#/$defs/')
    return new Validator(JSON.parse(local) as Schema, '2020-12', false)
  }

  #find(method: string, pathname: string): Operation | null {
    const path = pathname.replace(/^\/v1\//, '/api/v1/').replace(/(?<=.)\/$/, '')
    const found = this.#calls.filter(({ pattern }) => pattern.test(path))
    return found.flatMap(({ operations }) => operations[method.toLowerCase()] ?? [])[0] ?? null
  }

  #checkAnswer({ responses }: Operation, { status, type, text }: Exchange, label: string): void {
    const given = responses[status]
    expect(Object.keys(responses), label).toContain(String(status))
    const { content = {} } = given === undefined ? {} : this.#response(given)
    const plainType = type?.split(';')[0] ?? ''
    expect(Object.keys(content), label).toContain(plainType)
    const schema = content[plainType]?.schema
    if (schema === undefined || plainType !== 'application/json' || text.length > BODY_CHARS_MAX) return
    expect(this.problems(schema, text, closed), label).toEqual([])
  }

  #response(given: Operation['responses'][string]): { content?: Content } {
    if (!('$ref' in given)) return given
    return this.document.components.responses[given.$ref.split('/').at(-1) ?? ''] ?? {}
  }

  /** Holds a request that was taken against the document, which must not ask for more than the relay does. */
  #checkRequest(
    { operationId, requestBody, parameters = [] }: Operation,
    { url, sent, text }: Exchange,
  ): void {
    const isPartlyRefused = text.includes('"status":"rejected"')
    const schema = requestBody?.content['application/json']?.schema
    if (sent !== null && schema !== undefined && !isPartlyRefused && isShort(sent)) {
      expect(this.problems(schema, sent, opened), `${operationId} took ${sent.slice(0, 2000)}`).toEqual([])
    }
    const described = parameters.flatMap((each) => ('in' in each && each.in === 'query' ? [each.name] : []))
    const named = [...new URL(url).searchParams.keys()].filter((name) => name !== '')
    // A call without parameters looks at none.
    if (described.length === 0) return
    expect(described, `${operationId} took ${url}`).toEqual(expect.arrayContaining(named))
  }
}

/** The validator writes each member's name as a pointer, which it cannot do with half a surrogate pair. */
function withWellFormedNames(_: string, value: unknown): unknown {
  if (!isObject(value) || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), member]))
}

const ERROR = { $ref: '#/components/schemas/Error' }

function isShort(sent: string): boolean {
  return sent !== '' && sent.length < BODY_CHARS_MAX
}

/** Aliases and fields of answers are taken too, which a request's schema does not describe; others are refused. */
function opened(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema), (name, value: unknown) =>
    name === 'additionalProperties' && value === false ? undefined : value,
  ) as Schema
}

/** An answer's objects may gain members in later versions; in this one every member is described. */
export function closed(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    const isOpen = isObject(value) && isObject(value['properties']) && !('additionalProperties' in value)
    return isOpen && value['type'] === 'object' ? { ...value, additionalProperties: false } : value
  }) as Schema
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** A JSON Schema, as far as the API document uses it. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  description?: string
  enum?: unknown[]
  const?: unknown
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  example?: unknown
}

export type Parameter = {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: Schema
  example?: unknown
}

export type Content = Record<string, { schema?: Schema; example?: unknown }>
export type Answer = { description: string; content?: Content }
type Ref = { $ref: string }

export type Operation = {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: (Parameter | Ref)[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, Answer | Ref>
}

type RawDocument = {
  info: { title: string; version: string; description: string }
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, { post: Operation }>
  components: Record<string, Record<string, unknown>>
}

/** An operation and where it is called; `path` is null for what a receiver gets, whose address is its own. */
export type Call = { method: string; path: string | null; operation: Operation }

/** The relay's API document, with its operations at hand. */
export class ApiDocument {
  readonly version: string
  readonly description: string
  readonly calls: readonly Call[]
  readonly #raw: RawDocument

  constructor(raw: RawDocument) {
    this.#raw = raw
    this.version = raw.info.version
    this.description = raw.info.description
    const calls = Object.entries(raw.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    )
    const received = Object.values(raw.webhooks).map(({ post }) => ({
      method: 'POST',
      path: null,
      operation: post,
    }))
    this.calls = [...calls, ...received]
  }

  /** The operations of each tag that a text finds, in the document's order. */
  groups(search: string): { tag: string; calls: Call[] }[] {
    const wanted = search.trim().toLowerCase()
    const found = this.calls.filter(({ method, path, operation: { summary, operationId } }) =>
      `${method} ${path ?? ''} ${summary} ${operationId}`.toLowerCase().includes(wanted),
    )
    return this.#raw.tags
      .map(({ name }) => ({
        tag: name,
        calls: found.filter(({ operation }) => operation.tags.includes(name)),
      }))
      .filter(({ calls }) => calls.length > 0)
  }

  find(operationId: string): Call | null {
    return this.calls.find(({ operation }) => operation.operationId === operationId) ?? null
  }

  /** The thing itself, or the one that a reference leads to. */
  resolve<T extends object>(thing: T | Ref): T {
    if (!('$ref' in thing) || typeof thing.$ref !== 'string') return thing as T
    const [, , kind = '', name = ''] = thing.$ref.split('/')
    return this.#raw.components[kind]?.[name] as T
  }
}

/** Reads the document of the relay that serves this page. No key is needed for it. */
export async function readDocument(): Promise<ApiDocument> {
  const response = await fetch('/openapi.json')
  if (!response.ok) throw new Error(`The relay answered ${response.status}.`)
  return new ApiDocument((await response.json()) as RawDocument)
}

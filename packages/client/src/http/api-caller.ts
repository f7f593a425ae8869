import type { Data, Input, Item, MethodOf, Path } from '../api.ts'
import { List, type Page } from '../list.ts'
import type { CallOptions, Request, Transport } from './transport.ts'

/** Query values of any call. */
type QueryValues = Record<string, string | number | boolean | readonly string[] | Date | null | undefined>
/** Calls that do it again when they are repeated: the relay keeps no answer for their Idempotency-Key. */
const ONCE: readonly string[] = [
  'post /api/v1/keys',
  'post /api/v1/keys/{id}/rotate',
  'post /api/v1/portal-tokens',
  'post /api/v1/listeners',
]
/** What is gone once it is deleted, and whose answer is but its name. */
const DELETED: readonly string[] = [
  'delete /api/v1/keys/{id}',
  'delete /api/v1/webhooks/{id}',
  'delete /api/v1/event-types/{name}',
  'delete /api/v1/listeners/{id}',
]

type AnyInput = { path?: Record<string, unknown>; query?: QueryValues; body?: unknown }

/** Calls of the API by method and path, typed by its document. */
export class ApiCaller {
  readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** Makes one call. */
  async call<P extends Path, M extends MethodOf<P>>(
    method: M,
    path: P,
    input: Input<P, M>,
    options?: CallOptions,
  ): Promise<Data<P, M>> {
    return (await this.step(method, path, input, options)).data
  }

  /** Makes one call of several that follow each other's cursors. */
  async step<P extends Path, M extends MethodOf<P>>(
    method: M,
    path: P,
    input: Input<P, M>,
    options?: CallOptions,
  ): Promise<{ data: Data<P, M>; nextCursor: string | null; searchedUntil: string | null }> {
    const answer = await this.transport.call(requestOf(method, path, input as AnyInput), options)
    const { nextCursor = null, searchedUntil = null } = answer.pagination ?? {}
    return { data: answer.data as Data<P, M>, nextCursor, searchedUntil }
  }

  /** Reads a list, page by page as it is asked for. */
  list<P extends Path>(path: P, input: Input<P, 'get'>, options?: CallOptions): List<Item<P>> {
    const given = input as AnyInput
    return new List(async (cursor): Promise<Page<Item<P>>> => {
      const query = cursor === undefined ? given.query : { ...given.query, cursor }
      const asked = { ...given, ...(query !== undefined && { query }) }
      const answer = await this.transport.call(requestOf('get', path, asked), options)
      const { nextCursor = null, searchedUntil = null } = answer.pagination ?? {}
      return { items: answer.data as Item<P>[], nextCursor, searchedUntil }
    })
  }

  /** Opens a call whose answer is a file. */
  async open<P extends Path>(path: P, input: Input<P, 'get'>, options?: CallOptions): Promise<Response> {
    return await this.transport.open(requestOf('get', path, input as AnyInput), options)
  }
}

function requestOf(method: string, template: string, { path = {}, query = {}, body }: AnyInput): Request {
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => segmentOf(name, path[name]))
  const search = searchOf(query)
  const text = body === undefined ? null : JSON.stringify(body)
  const call = `${method} ${template}`
  return {
    method: method.toUpperCase(),
    path: search === '' ? filled : `${filled}?${search}`,
    text,
    isOnce: ONCE.includes(call),
    ifGone: DELETED.includes(call) ? { data: { ...path, deleted: true } } : undefined,
  }
}

/** An empty id would make another call of the path, and so would a `.` or `..`, which URLs resolve. */
function segmentOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`${name} must be a text that is not empty`)
  if (value === '.' || value === '..') throw new TypeError(`${name} must not be ${value}`)
  return encodeURIComponent(value)
}

function searchOf(query: QueryValues): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue
    search.set(name, textOf(value))
  }
  return search.toString()
}

function textOf(value: Exclude<QueryValues[string], null | undefined>): string {
  if (value instanceof Date) return value.toISOString()
  return Array.isArray(value) ? value.join(',') : String(value)
}

import type { Context, Hono } from 'hono'
import { isRecord } from '../../base/json/value.ts'
import type { Problem } from '../../model/errors.ts'
import type { AppEnv } from '../context.ts'
import { API_PREFIXES } from '../define-route.ts'

/** What a tool sends; values of the query that are undefined are left out. */
export type ToolCall = { query?: Record<string, string | number | undefined>; body?: unknown }
export type ApiAnswer = { data: unknown; nextCursor: string | null }

/** Makes a call of the API as the caller of the tool; `path` is relative, its segments escaped by `pathOf`. */
export type CallApi = (method: 'GET' | 'POST', path: string, call?: ToolCall) => Promise<ApiAnswer>

/** The refusal of such a call, in the words that every other caller gets. */
export class ApiRefusal extends Error {
  readonly code: string
  readonly details: readonly Problem[]

  constructor(code: string, message: string, details: readonly Problem[]) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** Headers that say who calls, and from where. */
const OF_CALLER = ['authorization', 'x-company-id', 'cf-connecting-ip', 'user-agent']

/**
 * Calls the API by its own routes, with the credential of the tool's caller: whatever guards, limits and audits a call
 * of theirs does the same here, and there is no other way to the data.
 */
export function callerOf(app: Hono<AppEnv>, c: Context<AppEnv>): CallApi {
  return async (method, path, { query = {}, body } = {}) => {
    const url = new URL(API_PREFIXES[0] + path, c.req.url)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value))
    const headers = new Headers()
    for (const name of OF_CALLER) {
      const value = c.req.header(name)
      if (value !== undefined) headers.set(name, value)
    }
    if (body !== undefined) headers.set('Content-Type', 'application/json')
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await app.fetch(new Request(url, init), c.env, c.executionCtx)
    return readAnswer(await response.json())
  }
}

/** A path whose `{}` are replaced by the segments, in their order. */
export function pathOf(template: string, ...segments: string[]): string {
  let n = 0
  return template.replaceAll('{}', () => {
    const segment = segments[n++] ?? ''
    // URLs resolve these, an empty one makes another call of the path, and half a surrogate pair cannot be escaped.
    if (['', '.', '..'].includes(segment) || !segment.isWellFormed())
      throw new ApiRefusal('invalid_request', 'an id must be a name', [])
    return encodeURIComponent(segment)
  })
}

function readAnswer(answer: unknown): ApiAnswer {
  if (!isRecord(answer)) throw new Error('a call of the API is answered with an object')
  if (answer['success'] === true) {
    const { data, pagination } = answer as { data: unknown; pagination?: { nextCursor: string | null } }
    return { data, nextCursor: pagination?.nextCursor ?? null }
  }
  const {
    code,
    message,
    details = [],
  } = answer['error'] as {
    code: string
    message: string
    details?: readonly Problem[]
  }
  throw new ApiRefusal(code, message, details)
}

import { createExecutionContext } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { createApp } from '../../../src/api/app.ts'
import { type Relay, relayOf } from '../../../src/relay.ts'
import { contract } from '../rig/api-contract.ts'

/** One offending field of a refusal. */
export type Detail = { path: string; message: string }

/** An answer of the relay, read once. `data` is whatever the test says it is. */
export type Answer<T = Record<string, unknown>> = {
  status: number
  headers: Headers
  text: string
  success: boolean
  data: T
  nextCursor: string | null | undefined
  error: { code: string; message: string; details?: Detail[]; requestId: string }
}

export type Call = {
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it stands, as JSON unless `headers` name another type. */
  body?: BodyInit
  /** Null leaves out one that is sent by default. */
  headers?: Record<string, string | null>
}

/** What is asked: the Worker's own entry, or an application with other settings. */
export type Target = (request: Request) => Promise<Response>

export const ADMIN_KEY = 'test_admin_key'
const ORIGIN = 'https://relay.example.com'

const worker: Target = (request) => exports.default.fetch(request)

/** Speaks the API in one workspace; each `new Client()` has a fresh one. */
export class Client {
  readonly workspace: string
  readonly #target: Target
  readonly #origin: string
  readonly #key: string

  constructor(
    workspace = `ws_${crypto.randomUUID().replaceAll('-', '')}`,
    {
      target = worker,
      origin = ORIGIN,
      key = ADMIN_KEY,
    }: { target?: Target; origin?: string; key?: string } = {},
  ) {
    this.workspace = workspace
    this.#target = target
    this.#origin = origin
    this.#key = key
  }

  /** Any call; `path` is relative to `/api/v1` unless it begins with `/v1` or is outside the API. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    { json, body, headers = {} }: Call = {},
  ): Promise<Answer<T>> {
    const sent = body ?? (json === undefined ? null : JSON.stringify(json))
    const all = new Headers({ Authorization: `Bearer ${this.#key}`, 'X-Company-Id': this.workspace })
    if (sent !== null) all.set('Content-Type', 'application/json')
    for (const [name, value] of Object.entries(headers)) {
      if (value === null) all.delete(name)
      else all.set(name, value)
    }
    const url = this.#origin + pathOf(path)
    const response = await this.#target(
      new Request(url, { method, headers: all, body: sent, redirect: 'manual' }),
    )
    const answer = await readAnswer<T>(response)
    const { status, text, headers: answered } = answer
    const shown = typeof sent === 'string' ? sent : null
    if (URL.canParse(url))
      contract().check({ method, url, sent: shown, status, type: answered.get('content-type'), text })
    return answer
  }

  get<T = Record<string, unknown>>(path: string, call?: Call): Promise<Answer<T>> {
    return this.call<T>('GET', path, call)
  }

  post<T = Record<string, unknown>>(path: string, json?: unknown, call: Call = {}): Promise<Answer<T>> {
    return this.call<T>('POST', path, { ...call, ...(json !== undefined && { json }) })
  }

  /** Publishes and answers what became of the event; fails the test unless it was accepted or a duplicate. */
  async publish(event: object, call: Call = {}): Promise<Accepted> {
    const answer = await this.post<Accepted>('/events', event, call)
    expect(answer.status, answer.text).toBe(202)
    return answer.data
  }

  /** Creates a subscription; fails the test when it is refused. */
  async subscribe(settings: Record<string, unknown> = {}): Promise<SubscriptionAnswer> {
    const whole = { url: 'https://receiver.example.com/hooks', events: ['*'], ...settings }
    const answer = await this.post<SubscriptionAnswer>('/webhooks/subscribe', whole)
    expect(answer.status, answer.text).toBe(201)
    return answer.data
  }

  /** Every item of a list, page by page; fails the test when it does not end. */
  async all<T>(path: string, limit: number): Promise<T[]> {
    const items: T[] = []
    let cursor = ''
    for (let pages = 0; pages < 500; pages++) {
      const join = path.includes('?') ? '&' : '?'
      const page = await this.get<T[]>(`${path}${join}limit=${limit}${cursor && `&cursor=${cursor}`}`)
      expect(page.status, page.text).toBe(200)
      expect(page.data.length).toBeLessThanOrEqual(limit)
      items.push(...page.data)
      if (page.nextCursor === null) return items
      cursor = String(page.nextCursor)
    }
    throw new Error(`${path} has no last page`)
  }

  /** Waits until the subscription has made `count` deliveries of a status, and answers its log. */
  async settled(webhookId: string, status: string, count: number): Promise<DeliveryAnswer[]> {
    return await vi.waitFor(
      async () => {
        const { data } = await this.get<DeliveryAnswer[]>(`/webhooks/${webhookId}/logs?limit=100`)
        expect(data.filter((row) => row.status === status)).toHaveLength(count)
        return data
      },
      { timeout: 4000, interval: 20 },
    )
  }
}

export type Accepted = { id: string; status: 'accepted' | 'duplicate'; matched: number }
export type Rejected = { status: 'rejected'; error: { code: string; message: string; details?: Detail[] } }
export type Bulk = { events: (Accepted | Rejected)[] }

export type SubscriptionAnswer = {
  id: string
  url: string
  events: string[]
  secret: string
  active: boolean
  headers: Record<string, string>
  metadata: Record<string, string>
  retryPolicy: Record<string, unknown> | null
  createdAt: string
  updatedAt: string
} & Record<string, unknown>

export type DeliveryAnswer = {
  id: string
  eventId: string
  event: string
  status: string
  reason: string | null
  test: boolean
  retryCount: number
  nextRetryAt: string | null
  deliveredAt: string | null
  attempts: { id: string; attempt: number; responseCode: number | null; responseBody: string | null }[]
} & Record<string, unknown>

/** An application over the test's own D1, R2 and queues with parts of its relay replaced. */
export function appWith(change: (relay: Relay) => Partial<Relay>): Target {
  // A relay of its own: what it keeps in memory is of this test file's store.
  const result = relayOf({ ...env } as unknown as Env)
  if (!result.ok) throw new Error(result.message)
  const relay = { ...result.relay, ...change(result.relay) }
  return appOf(() => ({ ok: true, relay }))
}

/** An application over any source of a relay. */
export function appOf(source: Parameters<typeof createApp>[0], bindings: object = env): Target {
  const app = createApp(source)
  return async (request) => await app.fetch(request, bindings as Env, createExecutionContext())
}

/**
 * A client whose calls may run at once. The test pool turns off `handle_cross_request_promise_resolution`, which the
 * Worker relies on in production, so calls that meet in one commit must share the test's own request context. They
 * share one relay and its caches too, where each call of another client has a relay of its own, as on a new isolate.
 */
export function concurrentClient(): Client {
  return new Client(undefined, { target: appWith(() => ({})) })
}

/** A workspace whose events are committed and never hinted at: they stay owed, without a row, until a test writes one. */
export function unhintedClient(): Client {
  const target = appWith((relay) => ({
    publish: (background) => ({ ...relay.publish(background), onCommitted: () => undefined }),
  }))
  return new Client(undefined, { target })
}

/** A refusal as the design has it, whatever was wrong. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect(answer.status, answer.text).toBe(status)
  expect(answer).toMatchObject({ success: false, error: { code } })
  expect(answer.error.message).not.toBe('')
  expect(answer.error.requestId).toMatch(/^req_[0-9a-f]{32}$/)
  expect(answer.headers.get('x-request-id')).toBe(answer.error.requestId)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
}

/** A refusal that names exactly one field, and says of it what would be right. */
export function expectInvalid(answer: Answer, path: string, message: RegExp): void {
  expectRefusal(answer, 400, 'invalid_request')
  expect(answer.error.details).toEqual([{ path, message: expect.stringMatching(message) }])
}

function pathOf(path: string): string {
  const isOutside = /^\/(v1|api\/v1|healthz|metrics|openapi\.json)(?=[/?]|$)/.test(path)
  return isOutside ? path : `/api/v1${path}`
}

async function readAnswer<T>(response: Response): Promise<Answer<T>> {
  // A stream does not end: its start is answer enough.
  const isStream = response.headers.get('content-type') === 'text/event-stream'
  if (isStream) await response.body?.cancel()
  const text = isStream ? '' : await response.text()
  const parsed = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Answer<T>> & {
    pagination?: { nextCursor: string | null }
  }
  const { status, headers } = response
  return { ...(parsed as Answer<T>), nextCursor: parsed.pagination?.nextCursor, status, headers, text }
}

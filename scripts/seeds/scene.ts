import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Answer,
  type Received,
  type Receiver,
  waitUntil,
} from '../../test/support/receivers/receiver.ts'

const PATIENCE_MS = 20_000

export type Json = Record<string, unknown>
export type Reply<T = Json> = {
  status: number
  data: T
  error: { code: string; message: string }
  text: string
}

/** A delivery as the log has it, as far as rows read it. */
export type LogRow = {
  id: string
  eventId: string
  event: string
  status: string
  responseCode: number | null
  retryCount: number
  attemptCount: number
  nextRetryAt: string | null
  errorMessage: string | null
  error: string | null
  attempts: { attemptedAt: string; responseTime: number | null }[]
} & Json

export type Subscription = { id: string; url: string; secret: string } & Json
type Stage = { relay: { url: string; adminKey: string }; receiver: Receiver }

/** What one row has for itself: a workspace of the relay, and a path of the receiver. */
export class Scene {
  readonly workspace: string
  readonly receiver: Receiver
  readonly relay: Stage['relay']
  readonly #path: string

  constructor({ relay, receiver }: Stage, name: string) {
    this.relay = relay
    this.receiver = receiver
    this.workspace = name
    this.#path = `/${name}`
  }

  /** Where this row's receiver is; `at` names another one of it. */
  url(at = ''): string {
    return this.receiver.url(this.#path + at)
  }

  /** The receiver's answers to the attempts of each event; the last one serves all further. */
  answers(...answers: [Answer, ...Answer[]]): void {
    this.receiver.script(this.#path, ...answers)
  }

  /** Any call under `/api/v1`, or of another path that begins with `/v1` or is outside; a text is sent as it stands. */
  async call<T = Json>(
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    const isWhole = /^\/(v1|api|openapi|healthz|metrics|jwks)/.test(path)
    const response = await fetch(this.relay.url + (isWhole ? path : `/api/v1${path}`), {
      method,
      headers: {
        Authorization: `Bearer ${this.relay.adminKey}`,
        'X-Company-Id': this.workspace,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    const text = await response.text()
    const { data, error } = (text.startsWith('{') ? JSON.parse(text) : {}) as Reply<T>
    return { status: response.status, data, error, text }
  }

  /** The `data` of a call that must succeed. */
  async ask<T = Json>(method: string, path: string, body?: object | string): Promise<T> {
    const reply = await this.call<T>(method, path, body)
    assert.ok(reply.status < 300, `${method} ${path} was answered ${reply.status}: ${reply.text}`)
    return reply.data
  }

  /** Creates a subscription for this row's receiver, unless it names another `url`. */
  async subscribe(settings: Json = {}): Promise<Subscription> {
    return await this.ask('POST', '/webhooks/subscribe', { url: this.url(), events: ['*'], ...settings })
  }

  async publish(event: object | string): Promise<{ id: string; status: string; matched: number }> {
    return await this.ask('POST', '/events', event)
  }

  /** The requests that have come to this row's receiver. */
  requests(at = ''): readonly Received[] {
    return this.receiver.requests(this.#path + at)
  }

  /** The n-th request, once it has come and was answered. */
  async arrival(n = 1, at = ''): Promise<Received> {
    const isThere = () => this.requests(at)[n - 1]?.body.length !== undefined && this.requests(at).length >= n
    await waitUntil(() => isThere() && this.requests(at)[n - 1]?.status !== null, PATIENCE_MS)
    const received = this.requests(at)[n - 1]
    assert.ok(received, `only ${this.requests(at).length} of ${n} requests have come`)
    return received
  }

  /** What a call answers once it is as it should be. */
  async until<T>(path: string, isSo: (data: T) => boolean): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const data = await this.ask<T>('GET', path)
      if (isSo(data)) return data
      assert.ok(Date.now() < deadline, `${path} stays ${JSON.stringify(data).slice(0, 400)}`)
      await sleep(50)
    }
  }

  /** The newest row of a subscription's log once its attempts have come to an outcome, or to as many as are named. */
  async outcome(id: string, attempts = 1): Promise<LogRow> {
    const path = `/webhooks/${id}/logs?limit=1`
    const isSo = ([row]: LogRow[]) =>
      row !== undefined && row.status !== 'pending' && row.attemptCount >= attempts
    const [row] = await this.until<LogRow[]>(path, isSo)
    assert.ok(row)
    return row
  }
}

/** Seconds from the end of a delivery's last attempt to its next one; null where there is none. */
export function retryInSeconds({ nextRetryAt, attempts }: LogRow): number | null {
  const last = attempts.at(-1)
  if (nextRetryAt === null || last === undefined) return null
  const endedAtMs = Date.parse(last.attemptedAt) + (last.responseTime ?? 0)
  return Math.round((Date.parse(nextRetryAt) - endedAtMs) / 1000)
}

/** A received body as JSON. */
export function bodyOf({ body }: Received): Json {
  return JSON.parse(String(body)) as Json
}

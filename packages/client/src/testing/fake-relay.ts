import { statusOf } from '../../../../src/model/errors.ts'
import type { RefusalCode } from '../index.ts'
import type { PublishedEvent } from './fake.ts'

type Result =
  | { id: string; status: 'accepted' | 'duplicate'; matched: number }
  | { status: 'rejected'; error: Problem }
type Problem = { code: string; message: string; details?: { path: string; message: string }[] }

const ID = /^[A-Za-z0-9_:-]{1,128}$/
const TYPE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/

/** Answers publishes as a relay does: own ids make an event a duplicate, or a conflict where its content is another. */
export class FakeRelay {
  readonly #published = new Map<string, { event: PublishedEvent; text: string }>()
  readonly #byKey = new Map<string, string>()
  #failures: RefusalCode[] = []
  #made = 0

  get published(): readonly PublishedEvent[] {
    return [...this.#published.values()].map(({ event }) => event)
  }

  failNext(code: RefusalCode, times: number): void {
    this.#failures.push(...Array.from({ length: times }, () => code))
  }

  reset(): void {
    this.#published.clear()
    this.#byKey.clear()
    this.#failures = []
  }

  async answer(url: string, init: RequestInit): Promise<Response> {
    const path = new URL(url).pathname
    if (init.method !== 'POST' || path !== '/api/v1/events' || typeof init.body !== 'string') {
      throw new Error(`fake() only publishes: ${init.method} ${path} needs a relay, such as one of npm start`)
    }
    const failure = this.#failures.shift()
    if (failure !== undefined) return refusal({ code: failure, message: 'The fake was told to fail.' })
    const key = new Headers(init.headers).get('Idempotency-Key')
    const sent = JSON.parse(init.body) as { events?: unknown[] }
    if (!Array.isArray(sent.events)) {
      const result = this.#publish(sent, key)
      return result.status === 'rejected' ? refusal(result.error) : success(result)
    }
    return success({ events: sent.events.map((event, i) => this.#publish(event, key && `${key}/${i}`)) })
  }

  #publish(sent: unknown, key: string | null): Result {
    const event = sent as PublishedEvent & { type?: string }
    const problem = problemOf(event)
    if (problem !== null) return { status: 'rejected', error: problem }
    const id = event.id ?? (key === null ? undefined : this.#byKey.get(key)) ?? this.#newId()
    if (key !== null) this.#byKey.set(key, id)
    const text = JSON.stringify({ ...event, id })
    const earlier = this.#published.get(id)
    if (earlier === undefined) this.#published.set(id, { event: { ...event, id }, text })
    else if (earlier.text !== text) return { status: 'rejected', error: taken() }
    return { id, status: earlier === undefined ? 'accepted' : 'duplicate', matched: 0 }
  }

  #newId(): string {
    this.#made++
    return `evt_fake_${this.#made}`
  }
}

function problemOf({ event, id, data }: PublishedEvent): Problem | null {
  if (typeof event !== 'string' || !TYPE.test(event) || event.length > 128) {
    return invalid('event', 'must be an event type, such as "invoice.paid"')
  }
  if (id !== undefined && !ID.test(id)) return invalid('id', 'must be 1-128 characters of A-Z a-z 0-9 _ - :')
  return typeof data === 'object' && data !== null ? null : invalid('data', 'must be a JSON object')
}

function invalid(path: string, message: string): Problem {
  return { code: 'invalid_request', message: `${path}: ${message}`, details: [{ path, message }] }
}

function taken(): Problem {
  const message = 'was already used for another event'
  return { code: 'conflict', message: `id ${message}`, details: [{ path: 'id', message }] }
}

function success(data: unknown): Response {
  return Response.json({ success: true, data }, { status: 202 })
}

function refusal(error: Problem): Response {
  const status = statusOf(error.code as RefusalCode)
  return Response.json({ success: false, error: { ...error, requestId: 'req_fake' } }, { status })
}

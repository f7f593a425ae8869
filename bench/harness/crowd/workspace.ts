/** Calls of the relay's API in one workspace, timed; what is refused or not answered is an answer too. */
import http from 'node:http'
import type { Engine } from '../engines.ts'
import { unixMs } from './sink-group.ts'

/** `status` is 0 where there was no answer, and `text` says why. */
export type Answer = {
  readonly status: number
  readonly text: string
  readonly sentAtMs: number
  readonly tookMs: number
}

/** Ids of accepted events, null at the places of those that were not. */
export type Published = Answer & { readonly ids: readonly (string | null)[] }

export type NewEvent = { readonly id?: string; readonly event: string; readonly data: object }

export type NewSubscription = { readonly url: string; readonly events: readonly string[] } & Readonly<
  Record<string, unknown>
>

type Call = { readonly body?: string | Buffer; readonly withinMs?: number }
type Page = { readonly data: unknown; readonly next: string | null }
type Item = { id?: string; status: string }

/** An answer may take long: a relay that computes for a minute must show as that, not as a fault. */
const ANSWER_MS_MAX = 120_000
/** Lists are asked for when a row's time is nearly over. */
const LIST_MS_MAX = 20_000

/** A call that had to succeed was refused or not answered. */
export class RefusedCall extends Error {
  override readonly name = 'RefusedCall'
}

export class Workspace {
  readonly #origin: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #signal: AbortSignal
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 256 })

  constructor(relay: Engine, name: string, signal: AbortSignal) {
    this.#origin = relay.origin
    this.#headers = { ...relay.headers, 'x-company-id': name }
    this.#signal = signal
  }

  /** Creates a subscription and gives its id. */
  async subscribe(settings: NewSubscription): Promise<string> {
    return ((await this.ask('POST', '/webhooks/subscribe', settings)) as { id: string }).id
  }

  /** A call that must succeed. */
  async ask(method: string, path: string, json?: object): Promise<unknown> {
    return (await this.#page(method, path, json === undefined ? {} : { body: JSON.stringify(json) })).data
  }

  /** Every entry of a list. */
  async list<T>(path: string): Promise<T[]> {
    const entries: T[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query = `${path.includes('?') ? '&' : '?'}limit=100${cursor && `&cursor=${cursor}`}`
      const page: Page = await this.#page('GET', `${path}${query}`, { withinMs: LIST_MS_MAX })
      entries.push(...(page.data as T[]))
      cursor = page.next
    }
    return entries
  }

  async publish(events: readonly NewEvent[]): Promise<Published> {
    const answer = await this.call('POST', '/events', { body: JSON.stringify({ events }) })
    if (answer.status !== 202) return { ...answer, ids: events.map(() => null) }
    const { data } = JSON.parse(answer.text) as { data: { events: Item[] } }
    return {
      ...answer,
      ids: data.events.map(({ id, status }) => (status === 'rejected' ? null : (id ?? null))),
    }
  }

  /** Makes a call, below `/api/v1` unless `path` is outside of it. Never rejects. */
  async call(method: string, path: string, { body, withinMs = ANSWER_MS_MAX }: Call = {}): Promise<Answer> {
    const url = `${this.#origin}${path === '/openapi.json' ? '' : '/api/v1'}${path}`
    const sent = body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }
    const sentAtMs = unixMs()
    return await new Promise((resolve) => {
      const end = (status: number, text: string) =>
        resolve({ status, text, sentAtMs, tookMs: unixMs() - sentAtMs })
      const options = {
        ...{ method, agent: this.#agent, headers: { ...this.#headers, ...sent } },
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(withinMs)]),
      }
      const request = http.request(url, options, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', (error) => end(0, error.message))
        answer.on('end', () => end(answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')))
      })
      request.on('error', (error) => end(0, error.message))
      request.end(body)
    })
  }

  async #page(method: string, path: string, call: Call): Promise<Page> {
    const { status, text } = await this.call(method, path, call)
    if (status < 200 || status > 299)
      throw new RefusedCall(`${method} ${path}: ${status || 'no answer'} ${text.slice(0, 300)}`)
    const { data, pagination } = JSON.parse(text)
    return { data, next: pagination?.nextCursor ?? null }
  }
}

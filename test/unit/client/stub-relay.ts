/// <reference types="node" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request as the stub saw it. */
export type Seen = {
  method: string
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
}
export type StubAnswer = { status: number; json?: unknown; text?: string; headers?: Record<string, string> }
type Handler = (seen: Seen, no: number) => StubAnswer | Promise<StubAnswer> | null

/** A server that says what it is told to; null is no answer at all: the connection is cut. */
export class StubRelay {
  readonly seen: Seen[] = []
  readonly #server: Server
  answer: Handler

  private constructor(server: Server, answer: Handler) {
    this.#server = server
    this.answer = answer
  }

  static async start(answer: Handler = () => ok({})): Promise<StubRelay> {
    const server = createServer((request, response) => void relay.#take(request, response))
    const relay = new StubRelay(server, answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const seen = { method, path: url, headers, body: await textOf(request) }
    this.seen.push(seen)
    const answered = await this.answer(seen, this.seen.length)
    if (answered === null) {
      request.socket.destroy()
      return
    }
    const { status, json, text = JSON.stringify(json), headers: sent = {} } = answered
    response.writeHead(status, { 'Content-Type': 'application/json', ...sent }).end(text)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export function ok(data: unknown, nextCursor?: string | null): StubAnswer {
  const pagination = nextCursor === undefined ? {} : { pagination: { nextCursor } }
  return { status: 200, json: { success: true, data, ...pagination } }
}

/** Refuses a request for a field of its head or body. */
export function invalid(path: string): StubAnswer {
  const details = [{ path, message: 'must be another' }]
  const error = { code: 'invalid_request', message: `${path}: must be another`, details, requestId: 'req_1' }
  return { status: 400, json: { success: false, error } }
}

export function refused(status: number, code: string, headers: Record<string, string> = {}): StubAnswer {
  const error = { code, message: `refused as ${code}`, requestId: 'req_1' }
  return { status, json: { success: false, error }, headers }
}

/** Answers publishes as a relay does, each event accepted once by its id or its key. */
export class Journal {
  /** Ids in the order of their acceptance. */
  readonly accepted: string[] = []
  readonly #known = new Map<string, string>()

  publish({ body, headers }: Seen): StubAnswer {
    const sent = JSON.parse(body) as { events?: Sent[] } & Sent
    const key = headers['idempotency-key']
    const results = (sent.events ?? [sent]).map((event, i) => this.#accept(event, key && `${key}/${i}`))
    const data = sent.events === undefined ? results[0] : { events: results }
    return { status: 202, json: { success: true, data } }
  }

  #accept({ id, data }: Sent, key: string | undefined) {
    const name = id ?? key ?? String(this.accepted.length)
    const known = this.#known.get(name)
    if (known !== undefined) return { id: known, status: 'duplicate', matched: 0 }
    const given = id ?? `evt_${JSON.stringify(data)}`
    this.#known.set(name, given)
    this.accepted.push(given)
    return { id: given, status: 'accepted', matched: 0 }
  }
}

type Sent = { id?: string; data: unknown }

async function textOf(request: IncomingMessage): Promise<string> {
  return String(await buffer(request).catch(() => ''))
}

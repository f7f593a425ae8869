import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A connection of a dead process ends as soon as it is read; one that does not is not of a dead process. */
const CLOSED_MS_MAX = 5_000

/** What a receiver does with a request: a status, a full answer, no answer at all, or a closed connection. */
export type Answer =
  | number
  | { status: number; headers?: Record<string, string>; body?: string; delayMs?: number }
  | 'hang'
  | 'close'

/** One request as it arrived. `status` is set once an answer has been handed to the socket. */
export type Received = {
  path: string
  /** `webhook-id`; empty when there is none. */
  id: string
  headers: Record<string, string>
  body: Buffer
  /** When its headers had arrived, in unix milliseconds. */
  atMs: number
  status: number | null
  answeredAtMs: number | null
}

/** A real HTTP receiver on loopback that writes down what it gets and answers as it is told. */
export class Receiver {
  readonly #server: Server
  readonly #received = new Map<string, Received[]>()
  readonly #scripts = new Map<string, readonly Answer[]>()
  /** How often each webhook-id has come to each path. */
  readonly #visits = new Map<string, number>()
  readonly #ids = new Map<string, Map<string, Received[]>>()
  readonly #delivered = new Map<string, number>()

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
    this.#server.keepAliveTimeout = 60_000
  }

  /** Listens on a port of loopback; 0, or left out, takes a free one. */
  static async start(port = 0): Promise<Receiver> {
    const receiver = new Receiver()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    receiver.#server.once('error', reject)
    receiver.#server.listen(port, '127.0.0.1', resolve)
    await promise
    return receiver
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`
  }

  /** What a path answers: the n-th request with one webhook-id gets the n-th answer, the last one serves all further. */
  script(path: string, ...answers: [Answer, ...Answer[]]): void {
    this.#scripts.set(path, answers)
  }

  /** Every request that came to a path, in order of arrival. */
  requests(path: string): readonly Received[] {
    return this.#received.get(path) ?? []
  }

  /** Every request of a path by its webhook-id. */
  byId(path: string): ReadonlyMap<string, readonly Received[]> {
    return this.#ids.get(path) ?? new Map()
  }

  /** How many different webhook-ids a path has answered with 2xx. */
  delivered(path: string): number {
    return this.#delivered.get(path) ?? 0
  }

  /** Webhook-ids that a path has answered with 2xx more than once. */
  doubled(path: string): string[] {
    return [...this.byId(path)].flatMap(([id, requests]) =>
      requests.filter(isSuccess).length > 1 ? [id] : [],
    )
  }

  /** Waits until so many different webhook-ids have been answered with 2xx; answers whether that came to pass. */
  async waitForDelivered(path: string, count: number, timeoutMs: number): Promise<boolean> {
    return await waitUntil(() => this.delivered(path) >= count, timeoutMs)
  }

  /** Waits until every connection of senders that have died is read to its end, and closed. */
  async readToTheEnd(): Promise<void> {
    await connectionsClosed(this.#server)
  }

  /** Stops listening and drops every connection, so that senders are refused. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = this.#note(request)
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      received.body = Buffer.concat(chunks)
    } catch {
      // The sender is gone in the middle of its body; that it began stays on record.
      return
    }
    await this.#answer(received, request, response)
  }

  #note(request: IncomingMessage): Received {
    const path = request.url ?? '/'
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const id = headers['webhook-id'] ?? ''
    const atMs = Date.now()
    const received: Received = {
      ...{ path, id, headers, body: Buffer.alloc(0), atMs },
      ...{ status: null, answeredAtMs: null },
    }
    append(this.#received, path, received)
    const ids = this.#ids.get(path) ?? new Map<string, Received[]>()
    this.#ids.set(path, ids)
    append(ids, id, received)
    return received
  }

  async #answer(received: Received, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, id } = received
    const visit = this.#visits.get(`${path} ${id}`) ?? 0
    this.#visits.set(`${path} ${id}`, visit + 1)
    const script = this.#scripts.get(path) ?? [200]
    const answer = script[Math.min(visit, script.length - 1)] ?? 200
    if (answer === 'hang') return
    if (answer === 'close') {
      request.socket.destroy()
      return
    }
    const {
      status,
      headers = {},
      body = '',
      delayMs = 0,
    } = typeof answer === 'number' ? { status: answer } : answer
    if (delayMs > 0) await sleep(delayMs)
    response.once('finish', () => this.#answered(received, status))
    response.writeHead(status, headers).end(body)
  }

  #answered(received: Received, status: number): void {
    const { path, id } = received
    const isFirst = !(this.byId(path).get(id) ?? []).some(isSuccess)
    received.status = status
    received.answeredAtMs = Date.now()
    if (isFirst && isSuccess(received)) this.#delivered.set(path, this.delivered(path) + 1)
  }
}

export function isSuccess({ status }: Received): boolean {
  return status !== null && status >= 200 && status < 300
}

/** Waits until a server has no connection, of those that were made before. */
export async function connectionsClosed(server: Server): Promise<void> {
  const count = promisify(server.getConnections.bind(server))
  // A turn of the loop takes up what waits to be accepted, and another one reads what has come with it.
  for (let turn = 0; turn < 2; turn++) await nextTurn()
  for (const deadline = Date.now() + CLOSED_MS_MAX; (await count()) > 0 && Date.now() < deadline; ) {
    await sleep(10)
  }
}

/** Looks again and again until a condition holds; answers whether it ever did. */
export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > deadline) return false
    await sleep(20)
  }
  return true
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}

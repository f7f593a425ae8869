import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** The limit of a path, and how long its answers take. */
export type StrictTerms = { requests: number; perSeconds: number; answerMs: number }

/** The requests of one path. Times are of a clock that never goes back. */
export type StrictLog = {
  /** Arrivals that were taken. */
  takenAtMs: number[]
  refused: number
  delivered: Set<string>
  /** How much later than `data.dueAtMs` the events that name it arrived. */
  lateMs: number[]
}

/** The part of all requests, at either end, that does not count as a backlog. */
const EDGE = 0.05

/** A receiver on loopback that takes at most so many requests in any span of time, and answers the others with 429. */
export class StrictReceiver {
  readonly #server: Server
  readonly #paths = new Map<string, StrictLog & { terms: StrictTerms }>()

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
    this.#server.keepAliveTimeout = 60_000
  }

  static async start(): Promise<StrictReceiver> {
    const receiver = new StrictReceiver()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    receiver.#server.once('error', reject)
    receiver.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return receiver
  }

  /** Gives a path its limit and returns its address. */
  open(path: string, terms: StrictTerms): string {
    this.#paths.set(path, { terms, takenAtMs: [], refused: 0, delivered: new Set(), lateMs: [] })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  /** The requests that came to a path since it was opened. */
  log(path: string): StrictLog {
    return this.#path(path)
  }

  /** The part of its limit that was used while there was a backlog: not before all is published, nor at the end. */
  usedShare(path: string): number {
    const { takenAtMs: all, terms } = this.#path(path)
    const takenAtMs = all.slice(Math.floor(EDGE * all.length), Math.ceil((1 - EDGE) * all.length))
    const spanMs = (takenAtMs.at(-1) ?? 0) - (takenAtMs[0] ?? 0)
    return ((takenAtMs.length - 1) * terms.perSeconds * 1000) / (spanMs * terms.requests)
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  #path(path: string) {
    const found = this.#paths.get(path)
    if (found === undefined) throw new Error(`${path} has no limit`)
    return found
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrived = { atMs: performance.now(), unixMs: Date.now() }
    const path = this.#path(request.url ?? '')
    const { requests, perSeconds, answerMs } = path.terms
    const before = path.takenAtMs.at(-requests)
    const isRefused = before !== undefined && arrived.atMs - before < perSeconds * 1000
    if (isRefused) path.refused++
    else path.takenAtMs.push(arrived.atMs)
    const { data } = JSON.parse(await text(request)) as { data: { dueAtMs?: number } }
    if (isRefused) return void response.writeHead(429).end()
    if (data.dueAtMs !== undefined) path.lateMs.push(arrived.unixMs - data.dueAtMs)
    path.delivered.add(String(request.headers['webhook-id']))
    await sleep(answerMs)
    response.writeHead(200).end()
  }
}

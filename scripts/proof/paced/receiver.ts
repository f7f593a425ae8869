import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { connectionsClosed } from '../../../test/support/receivers/receiver.ts'

/** An event as it arrived: its id, its ordering key, and its number among all that were made. */
export type Arrived = { id: string; key: string; n: number }

/** One request that arrived whole. */
export type PacedRequest = {
  /** `webhook-id`: the batch's, or that of the event that went alone. */
  id: string
  members: readonly Arrived[]
  isBatch: boolean
  isSuccess: boolean
  /** When its body had arrived, in unix milliseconds. */
  atMs: number
  /** Places in the order of everything that happened at the receiver: its arrival, and its answer. */
  arrivedNo: number
  answeredNo: number
}

type Payload = { id: string; data: { n: number; object: { customerId: string } } }

/** A receiver on loopback that opens batches and fails a share of its requests with 500. */
export class PacedReceiver {
  readonly #server: Server
  readonly #requests = new Map<string, PacedRequest[]>()
  readonly #delivered = new Map<string, Set<string>>()
  readonly #fails: () => boolean
  #happened = 0

  private constructor(fails: () => boolean) {
    this.#fails = fails
    this.#server = createServer((request, response) => void this.#take(request, response))
    this.#server.keepAliveTimeout = 60_000
  }

  /** Listens on a free port; `fails` is asked once for each request. */
  static async start(fails: () => boolean): Promise<PacedReceiver> {
    const receiver = new PacedReceiver(fails)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    receiver.#server.once('error', reject)
    receiver.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return receiver
  }

  /** The address of a path. */
  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  /** Every request of a path, in order of arrival. */
  requests(path: string): readonly PacedRequest[] {
    return this.#requests.get(path) ?? []
  }

  /** Ids of the events that a path has answered with 200, alone or in a batch. */
  delivered(path: string): ReadonlySet<string> {
    return this.#delivered.get(path) ?? new Set()
  }

  /** Waits until every connection of senders that have died is read to its end, and closed. */
  async readToTheEnd(): Promise<void> {
    await connectionsClosed(this.#server)
  }

  /** Stops listening and drops every connection. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body: string
    try {
      body = await text(request)
    } catch {
      // Its sender was killed in the middle of it.
      return
    }
    const path = request.url ?? '/'
    const arrivedNo = ++this.#happened
    const isSuccess = !this.#fails()
    const { members, isBatch } = open(body)
    const received = this.#requests.get(path) ?? []
    this.#requests.set(path, received)
    received.push({
      ...{ id: String(request.headers['webhook-id'] ?? ''), members, isBatch, isSuccess },
      // Noted before it is sent: nothing that follows from the answer can have a lower number.
      ...{ atMs: Date.now(), arrivedNo, answeredNo: ++this.#happened },
    })
    if (isSuccess) {
      const delivered = this.#delivered.get(path) ?? new Set()
      this.#delivered.set(path, delivered)
      for (const { id } of members) delivered.add(id)
    }
    response.writeHead(isSuccess ? 200 : 500).end()
  }
}

function open(body: string): { members: Arrived[]; isBatch: boolean } {
  const payload = JSON.parse(body) as Payload | { batch: true; events: Payload[] }
  const isBatch = 'batch' in payload
  const events = isBatch ? payload.events : [payload]
  return { members: events.map(({ id, data }) => ({ id, key: data.object.customerId, n: data.n })), isBatch }
}

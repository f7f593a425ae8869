import { exports } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import type { ListenerMessage, RelayMessage } from '../../../src/listen/protocol.ts'
import { type Answer, type Client, expectRefusal } from '../../support/process/http-client.ts'

export type Opened = {
  id: string
  socketUrl: string
  protocols: string[]
  renewBy: string
  webhook: { url: string }
}
export type Received = { id: string; headers: Record<string, string>; body: string }

/** How a test answers a request that has come: `null` never. */
export type Behaviour = (received: Received) => { status: number; body?: string } | null

/** Opens the socket of a listener with the subprotocols that are given. */
export async function connectWith({ socketUrl }: Pick<Opened, 'socketUrl'>, protocols: readonly string[]) {
  const request = new Request(socketUrl.replace(/^ws/, 'http'), {
    headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': protocols.join(', ') },
  })
  return await exports.default.fetch(request)
}

/** A listener as the command line is one, behind which a test answers. */
export class TestListener {
  readonly opened: Opened
  readonly received: Received[] = []
  readonly cancelled: string[] = []
  closedWith: number | null = null
  readonly #socket: WebSocket
  readonly #behave: Behaviour
  #messages = 0

  private constructor(opened: Opened, socket: WebSocket, behave: Behaviour) {
    this.opened = opened
    this.#socket = socket
    this.#behave = behave
    const begun = new Map<string, { headers: Record<string, string>; parts: string[] }>()
    socket.addEventListener('close', ({ code }) => {
      this.closedWith = code
    })
    socket.addEventListener('message', ({ data }) => {
      if (data === 'pong') return
      this.#messages++
      const message = JSON.parse(String(data)) as RelayMessage
      if (message.type === 'closing') return
      if (message.type === 'cancel') return void this.cancelled.push(message.id)
      if (message.type === 'request') begun.set(message.id, { headers: message.headers, parts: [] })
      const { headers, parts } = begun.get(message.id)!
      parts.push(atob(message.body))
      if (message.isLast) this.#answer({ id: message.id, headers, body: parts.join('') })
    })
    socket.accept()
  }

  static async open(client: Client, settings: object = {}, behave: Behaviour = () => ({ status: 200 })) {
    const answer = await openListener(client, settings)
    expect(answer.status, answer.text).toBe(201)
    return await TestListener.connect(answer.data, behave)
  }

  static async connect(opened: Opened, behave: Behaviour = () => ({ status: 200 })) {
    const { status, webSocket, headers } = await connectWith(opened, opened.protocols)
    expect(status).toBe(101)
    expect(headers.get('sec-websocket-protocol')).toBe(opened.protocols[0])
    return new TestListener(opened, webSocket!, behave)
  }

  get id(): string {
    return this.opened.id
  }

  get messages(): number {
    return this.#messages
  }

  send(message: ListenerMessage | string): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  close(code: number): void {
    this.#socket.close(code)
  }

  async until(isSo: () => boolean): Promise<void> {
    await vi.waitUntil(isSo, { timeout: 10_000, interval: 10 })
  }

  #answer(received: Received): void {
    this.received.push(received)
    this.send({ type: 'received', id: received.id })
    const answer = this.#behave(received)
    if (answer === null) return
    const { status, body = '' } = answer
    const headers: [string, string][] = [['content-type', 'text/plain']]
    this.send({ type: 'answer', id: received.id, status, headers, body: btoa(body) })
  }
}

export async function openListener(client: Client, settings: object = {}): Promise<Answer<Opened>> {
  return await client.post<Opened>('/listeners', { events: ['*'], ...settings })
}

/** Checks that a socket is not opened. */
export async function expectNoSocket(opened: Pick<Opened, 'socketUrl'>, protocols: string[]): Promise<void> {
  const response = await connectWith(opened, protocols)
  const text = await response.text()
  const { status, headers } = response
  const refusal = { ...JSON.parse(text), status, headers, text, nextCursor: undefined } as Answer
  expectRefusal(refusal, 401, 'unauthorized')
}

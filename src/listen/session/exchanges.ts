import { base64, base64Bytes } from '../../base/bytes.ts'
import { ByteBudget } from '../../base/concurrency/byte-budget.ts'
import type {
  ForwardedAnswer,
  ForwardedRequest,
  ListenerMessage,
  RelayMessage,
  Unanswered,
} from '../protocol.ts'
import { BYTES_MAX, CHUNK_BYTES, IN_HAND_BYTES_MAX, REQUEST_BYTES } from '../terms.ts'

/** The part that is used of a listener's socket. */
export type ListenerSocket = { send(text: string): void }

type Pending = {
  socket: ListenerSocket
  isReceived: boolean
  resolve: (answer: ForwardedAnswer) => void
}

/** The requests that a listener has in hand, and those that wait until it has room. */
export class Exchanges {
  /** Answers to another life of this object are no answers here. */
  readonly #life: string
  readonly #onSlow: (socket: ListenerSocket) => void
  readonly #pending = new Map<string, Pending>()
  readonly #inHand = new ByteBudget(IN_HAND_BYTES_MAX, Date.now)
  #bytes = 0
  #count = 0

  /** `onSlow` is told of a socket whose other end does not even take a request in its time. */
  constructor(life: string, onSlow: (socket: ListenerSocket) => void) {
    this.#life = life
    this.#onSlow = onSlow
  }

  /** Sends a request by the socket that is open once there is room for it, and waits for its answer in its time. */
  async forward(
    request: ForwardedRequest,
    findSocket: () => ListenerSocket | null,
  ): Promise<ForwardedAnswer> {
    const bytes = REQUEST_BYTES + request.body.length
    if (this.#bytes > 0 && this.#bytes + bytes > BYTES_MAX) return unanswered('busy')
    const untilMs = Date.now() + request.timeoutMs
    this.#bytes += bytes
    try {
      const hold = await this.#inHand.hold(bytes, request.timeoutMs)
      if (hold === null) return unanswered('timeout')
      try {
        const socket = findSocket()
        return socket === null ? unanswered('disconnected') : await this.#ask(socket, request, untilMs)
      } finally {
        hold.release()
      }
    } finally {
      this.#bytes -= bytes
    }
  }

  /** Takes what a listener says of a request; what is said of none, or too late, changes nothing. */
  take(message: ListenerMessage): void {
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return
    switch (message.type) {
      case 'received':
        pending.isReceived = true
        return
      case 'failed':
        pending.resolve(unanswered('failed', message.message))
        return
      case 'answer':
        pending.resolve(answered(message))
        return
    }
  }

  /** Ends the requests that a socket has in hand: it is closed. */
  drop(socket: ListenerSocket): void {
    for (const pending of this.#pending.values())
      if (pending.socket === socket) pending.resolve(unanswered('disconnected'))
  }

  async #ask(socket: ListenerSocket, request: ForwardedRequest, untilMs: number): Promise<ForwardedAnswer> {
    const id = `${this.#life}.${++this.#count}`
    const { promise, resolve } = Promise.withResolvers<ForwardedAnswer>()
    const pending: Pending = { socket, isReceived: false, resolve }
    this.#pending.set(id, pending)
    const timer = setTimeout(() => this.#giveUp(id, pending), Math.max(0, untilMs - Date.now()))
    try {
      for (const message of messagesOf(id, request)) socket.send(JSON.stringify(message))
      return await promise
    } catch {
      // Nothing can be sent by a socket that is closing.
      return unanswered('disconnected')
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  #giveUp(id: string, { socket, isReceived, resolve }: Pending): void {
    resolve(unanswered('timeout'))
    // What it does not read would pile up here.
    if (isReceived) socket.send(JSON.stringify({ type: 'cancel', id } satisfies RelayMessage))
    else this.#onSlow(socket)
  }
}

const MESSAGES: Record<Exclude<Unanswered['reason'], 'failed'>, string> = {
  disconnected: 'The listener is disconnected.',
  busy: 'Connection refused: the listener has as many requests in hand as it may.',
  timeout: 'The listener did not answer in time.',
}

function unanswered(reason: Exclude<Unanswered['reason'], 'failed'>): Unanswered
function unanswered(reason: 'failed', message: string): Unanswered
function unanswered(reason: Unanswered['reason'], message = ''): Unanswered {
  const said = reason === 'failed' ? `Connection refused behind the listener: ${message}` : MESSAGES[reason]
  return { kind: 'unanswered', reason, message: said }
}

function answered(message: Extract<ListenerMessage, { type: 'answer' }>): ForwardedAnswer {
  const { status, headers } = message
  const body = base64Bytes(message.body)
  if (body === null) return unanswered('failed', 'the answer’s body is not base64')
  return { kind: 'answered', status, headers, body }
}

function* messagesOf(
  id: string,
  { method, headers, body, timeoutMs }: ForwardedRequest,
): Generator<RelayMessage> {
  const first = partOf(body, 0)
  yield { type: 'request', id, method, headers, timeoutMs, ...first }
  for (let at = CHUNK_BYTES; at < body.length; at += CHUNK_BYTES)
    yield { type: 'body', id, ...partOf(body, at) }
}

function partOf(body: Uint8Array, at: number): { body: string; isLast: boolean } {
  const end = at + CHUNK_BYTES
  return { body: base64(body.subarray(at, end)), isLast: end >= body.length }
}

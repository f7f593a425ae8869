import type { ListenerMessage, ReceivedRequest, RelayMessage } from './messages.ts'
import { RequestParts } from './messages.ts'
import type { WebSocketClass } from './options.ts'

/** How often the relay is asked if it is there, and the time within which it says so. */
const PING_MS = 15_000

type Handlers = {
  onOpen: () => void
  onRequest: (request: ReceivedRequest) => void
  onCancel: (id: string) => void
  /** Called once, also where it was never open. */
  onClose: (code: number, reason: string) => void
}

/** One connection to the relay. */
export class ListenerSocket {
  readonly #socket: WebSocket
  readonly #handlers: Handlers
  readonly #parts = new RequestParts()
  readonly #pinging: ReturnType<typeof setInterval>
  #isHeard = true
  #isClosed = false

  constructor(WebSocket: WebSocketClass, address: { url: string; protocols: string[] }, handlers: Handlers) {
    this.#handlers = handlers
    this.#socket = new WebSocket(address.url, address.protocols)
    this.#socket.addEventListener('open', () => handlers.onOpen())
    this.#socket.addEventListener('message', ({ data }) => this.#take(String(data)))
    this.#socket.addEventListener('close', ({ code, reason }) => this.#over(code, reason))
    // A close follows.
    this.#socket.addEventListener('error', () => undefined)
    this.#pinging = setInterval(() => this.#ping(), PING_MS)
  }

  /** False where it is not open any more. */
  send(message: ListenerMessage): boolean {
    if (this.#isClosed) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /** Closes it by one's own wish, which ends the session. */
  close(): void {
    this.#socket.close(1000)
    this.#over(1000, '')
  }

  #take(text: string): void {
    this.#isHeard = true
    if (text === 'pong') return
    const message = JSON.parse(text) as RelayMessage
    if (message.type === 'cancel') {
      this.#parts.drop(message.id)
      this.#handlers.onCancel(message.id)
      return
    }
    if (message.type === 'closing') {
      this.#socket.close()
      this.#over(message.code, message.reason)
      return
    }
    if (message.type !== 'request' && message.type !== 'body') return
    const request = this.#parts.add(message)
    if (request !== null) this.#handlers.onRequest(request)
  }

  /** A connection that has broken without a word is given up; no close event comes of it for minutes. */
  #ping(): void {
    if (!this.#isHeard) {
      this.#socket.close()
      this.#over(1006, 'the relay is silent')
      return
    }
    this.#isHeard = false
    if (this.#socket.readyState === 1) this.#socket.send('ping')
  }

  #over(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#pinging)
    this.#parts.clear()
    this.#handlers.onClose(code, reason)
  }
}

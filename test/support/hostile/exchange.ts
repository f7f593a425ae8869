import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a hostile receiver does with one request. The connection stays open afterwards unless it says otherwise. */
export type Behaviour = (exchange: Exchange) => Promise<void> | void

/** The bytes of one connection, read only as fast as somebody asks for them. */
export class Wire {
  readonly socket: Socket
  #buffered = Buffer.alloc(0)
  #closed = new AbortController()

  constructor(socket: Socket) {
    this.socket = socket
    // Resets are what this is about; each shows as the connection's end.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#closed.abort())
  }

  /** Whether the sender still takes bytes. */
  get open(): boolean {
    return this.socket.writable
  }

  /** Up to so many bytes that have come; null once no more will. */
  async take(most: number): Promise<Buffer | null> {
    if (this.#buffered.length === 0 && !(await this.#fill())) return null
    const bytes = this.#buffered.subarray(0, most)
    this.#buffered = this.#buffered.subarray(bytes.length)
    return bytes
  }

  /** A request's head without its blank line; null when the sender has nothing more to ask. */
  async takeHead(): Promise<string | null> {
    let end = this.#buffered.indexOf('\r\n\r\n')
    while (end === -1) {
      if (!(await this.#fill())) return null
      end = this.#buffered.indexOf('\r\n\r\n')
    }
    const head = this.#buffered.subarray(0, end).toString('latin1')
    this.#buffered = this.#buffered.subarray(end + 4)
    return head
  }

  /** Waits so long, or until the connection is gone; answers whether it is still there. */
  async pause(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: this.#closed.signal }).catch(() => undefined)
    return this.open
  }

  /** Writes when there is room; answers whether the sender still takes bytes. */
  async write(data: string | Uint8Array): Promise<boolean> {
    if (!this.open) return false
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    if (!this.socket.write(bytes)) await this.#either('drain')
    return this.open
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const chunk = this.socket.read() as Buffer | null
      if (chunk !== null) {
        this.#buffered = Buffer.concat([this.#buffered, chunk])
        return true
      }
      if (this.socket.readableEnded || this.socket.destroyed) return false
      await this.#either('readable', 'end')
    }
  }

  async #either(...events: string[]): Promise<void> {
    if (this.socket.destroyed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const all = [...events, 'close']
    for (const event of all) this.socket.on(event, resolve)
    await promise
    for (const event of all) this.socket.off(event, resolve)
  }
}

/** One request on a connection, its body unread. Texts are written byte for byte, as latin1. */
export class Exchange {
  /** The how-manieth request this is: of this connection, and of the receiver. */
  readonly nth: { ofConnection: number; ofReceiver: number }
  readonly #wire: Wire
  #bodyLeft: number

  constructor(wire: Wire, head: string, nth: { ofConnection: number; ofReceiver: number }) {
    this.#wire = wire
    this.nth = nth
    this.#bodyLeft = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  }

  get open(): boolean {
    return this.#wire.open
  }

  /** Reads so many bytes of the body, or all that is left. */
  async read(bytes = this.#bodyLeft): Promise<void> {
    let wanted = Math.min(bytes, this.#bodyLeft)
    while (wanted > 0) {
      const chunk = await this.#wire.take(wanted)
      if (chunk === null) return
      wanted -= chunk.length
      this.#bodyLeft -= chunk.length
    }
  }

  async write(data: string | Uint8Array): Promise<boolean> {
    return await this.#wire.write(data)
  }

  /** Answers completely, with a length, so that the connection can be used again. */
  async answer(status: number, headers = '', body = ''): Promise<void> {
    await this.write(`HTTP/1.1 ${status} X\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`)
  }

  async pause(ms: number): Promise<boolean> {
    return await this.#wire.pause(ms)
  }

  /** Sends FIN; what the sender still sends is taken in. */
  end(): void {
    this.#wire.socket.end()
  }

  /** Sends RST. */
  reset(): void {
    this.#wire.socket.resetAndDestroy()
  }

  /** Closes both directions. */
  close(): void {
    this.#wire.socket.destroySoon()
  }
}

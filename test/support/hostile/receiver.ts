import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from './certificate.ts'
import { type Behaviour, Exchange, Wire } from './exchange.ts'

export type HostileOptions = {
  /** Speaks TLS with this certificate. */
  certificate?: Certificate
  /** Resets each connection before it has asked anything. */
  resetsConnections?: boolean
  /** Says this on each connection, whatever it asks, and closes. */
  greeting?: string
}

/**
 * A receiver on loopback that speaks raw bytes, with one behaviour. Each has a port of its own: senders keep connections
 * by port, and what one behaviour leaves on a connection must not become another's answer.
 */
export class HostileReceiver {
  /** Requests whose head has come. */
  requests = 0
  readonly #server: Server
  readonly #scheme: 'http' | 'https'
  readonly #sockets: Socket[] = []
  readonly #behaviour: Behaviour

  private constructor(behaviour: Behaviour, options: HostileOptions) {
    const { certificate, resetsConnections = false, greeting } = options
    this.#behaviour = behaviour
    this.#scheme = certificate === undefined ? 'http' : 'https'
    const take = (socket: Socket) => {
      if (resetsConnections) socket.resetAndDestroy()
      else if (greeting !== undefined) socket.end(greeting)
      else void this.#serve(socket)
    }
    this.#server =
      certificate === undefined
        ? createServer({ allowHalfOpen: true, noDelay: true }, take)
        : createTlsServer({ ...certificate, allowHalfOpen: true }, take)
    this.#server.on('connection', (socket) => {
      this.#sockets.push(socket)
      socket.on('error', () => undefined)
    })
  }

  static async start(behaviour: Behaviour, options: HostileOptions = {}): Promise<HostileReceiver> {
    const receiver = new HostileReceiver(behaviour, options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    receiver.#server.once('error', reject)
    receiver.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return receiver
  }

  /** Where it listens. Over TLS by name: certificates are for names. */
  get url(): string {
    const host = this.#scheme === 'https' ? 'localhost' : '127.0.0.1'
    return `${this.#scheme}://${host}:${(this.#server.address() as AddressInfo).port}/hooks`
  }

  /** Bytes the network has been given on all connections together. */
  get bytesSent(): number {
    return this.#sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
  }

  /** Drops every connection and stops listening. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    for (const socket of this.#sockets) socket.destroy()
    await promise
  }

  async #serve(socket: Socket): Promise<void> {
    const wire = new Wire(socket)
    for (let ofConnection = 1; ; ofConnection++) {
      const head = await wire.takeHead()
      if (head === null) return void socket.end()
      const exchange = new Exchange(wire, head, { ofConnection, ofReceiver: ++this.requests })
      await this.#behaviour(exchange)
      // What was left unread would be taken for the next request.
      await exchange.read()
    }
  }
}

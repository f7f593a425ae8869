import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of pages that show another one in a frame. It has two origins, by two names of loopback. */
export class FramingPages {
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const shown = new URL(request.url ?? '/', 'http://local').searchParams.get('shown') ?? ''
      response.writeHead(200, { 'Content-Type': 'text/html' })
      response.end(`<!doctype html><title>Host</title><link rel="icon" href="data:,">
        <iframe title="Webhooks" width="900" height="700" src="${shown.replaceAll('"', '&quot;')}"></iframe>`)
    })
  }

  static async start(): Promise<FramingPages> {
    const pages = new FramingPages()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    pages.#server.once('error', reject)
    pages.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return pages
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }
}

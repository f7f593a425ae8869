import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server does with a request: the answer's body (an object as JSON, a text as it is), or silence. */
export type TokenScript =
  | { status?: number; headers?: Record<string, string>; body: object | string }
  | 'hang'
  | 'close'

/** Connections are not kept, so that no client meets one that a test has closed. */
const COMMON_HEADERS = { 'content-type': 'application/json', connection: 'close' }

/** One request as it arrived. */
export type TokenRequest = {
  method: string
  path: string
  headers: Record<string, string>
  form: Record<string, string>
}

/** A real OAuth 2.0 token endpoint on loopback: numbers the tokens it issues, or answers as it is told. */
export class TokenServer {
  readonly #server: Server
  readonly requests: TokenRequest[] = []
  /** Answers in order; once there are none, each client with the right secret gets a token of its own. */
  readonly scripts: TokenScript[] = []
  readonly client = { id: 'posthorn-client', secret: 'the-client:secret/of acme' }
  expiresInSeconds = 3600
  #issued = 0
  #waiting: { count: number; resolve: () => void }[] = []

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  /** Listens on a port of loopback; 0, or left out, takes a free one. */
  static async start(port = 0): Promise<TokenServer> {
    const server = new TokenServer()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.#server.once('error', reject)
    server.#server.listen(port, '127.0.0.1', resolve)
    await promise
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/oauth/token`
  }

  /** Resolves when so many requests have come in all. */
  async arrived(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ count, resolve })
    this.#wake()
    await promise
  }

  /** Forgets requests, scripts and tokens. */
  reset(): void {
    this.requests.length = 0
    this.scripts.length = 0
    this.expiresInSeconds = 3600
    this.#issued = 0
    this.#waiting = []
    this.#server.closeAllConnections()
  }

  /** Stops listening and drops every connection, so that clients are refused. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const { method = '', url: path = '' } = request
    this.requests.push({ method, path, headers, form })
    const script = this.scripts.shift() ?? this.#grant(headers['authorization'], form)
    this.#wake()
    if (script === 'hang') return
    if (script === 'close') {
      request.socket.destroy()
      return
    }
    const body = typeof script.body === 'string' ? script.body : JSON.stringify(script.body)
    response.writeHead(script.status ?? 200, { ...COMMON_HEADERS, ...script.headers }).end(body)
  }

  #grant(authorization: string | undefined, form: Record<string, string>): TokenScript {
    const [id, secret] =
      authorization === undefined ? [form['client_id'], form['client_secret']] : basic(authorization)
    const isClient = id === this.client.id && secret === this.client.secret
    if (!isClient) {
      const headers = { 'www-authenticate': 'Basic realm="tokens"' }
      return { status: 401, headers, body: { error: 'invalid_client' } }
    }
    if (form['grant_type'] !== 'client_credentials') {
      return { status: 400, body: { error: 'unsupported_grant_type' } }
    }
    this.#issued++
    const token = `issued-token-${this.#issued}`
    return { body: { access_token: token, token_type: 'Bearer', expires_in: this.expiresInSeconds } }
  }

  #wake(): void {
    for (const { count, resolve } of this.#waiting) if (this.requests.length >= count) resolve()
  }
}

/** RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. */
function basic(authorization: string): (string | undefined)[] {
  const text: string = atob(authorization.replace(/^Basic /, ''))
  return text.split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
}

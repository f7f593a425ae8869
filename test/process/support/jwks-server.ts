import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** What the server answers with: its keys, or something that is no key set. */
export type Answering = 'keys' | 'hang' | 'half' | 'html' | 'empty' | 'error' | 'redirect' | 'endless'

const ENDLESS_CHUNK = ' '.repeat(65_536)

/** The key set of an identity provider on loopback, with keys of its own, and tokens that they sign. */
export class JwksServer {
  answering: Answering = 'keys'
  /** Requests for the key set. */
  asked = 0
  readonly #server: Server
  readonly #published: JWK[] = []
  readonly #private = new Map<string, CryptoKey>()

  private constructor() {
    this.#server = createServer((_, response) => {
      this.asked++
      this.#answer(response)
    })
  }

  static async start(kids: readonly string[]): Promise<JwksServer> {
    const provider = new JwksServer()
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.#server.listen(0, '127.0.0.1', resolve)
    await promise
    for (const kid of kids) await provider.add(kid)
    return provider
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  get url(): string {
    return `${this.issuer}jwks.json`
  }

  /** Makes a key and publishes it. */
  async add(kid: string): Promise<void> {
    const publicKey = await this.#make(kid)
    this.#published.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })
  }

  /** A token that is signed by a key, published or not. */
  async token(kid: string, claims: Record<string, unknown>): Promise<string> {
    if (!this.#private.has(kid)) await this.#make(kid)
    const exp = Math.floor(Date.now() / 1000) + 300
    const payload = { iss: this.issuer, aud: 'posthorn', sub: 'ann', exp, ...claims }
    const key = this.#private.get(kid)
    if (key === undefined) throw new Error(`there is no key ${kid}`)
    return await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.#server.close(resolve)
    await promise
  }

  async #make(kid: string): Promise<CryptoKey> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    this.#private.set(kid, privateKey)
    return publicKey
  }

  #answer(response: ServerResponse): void {
    const keys = JSON.stringify({ keys: this.#published })
    switch (this.answering) {
      case 'keys':
        response.setHeader('Content-Type', 'application/json').end(keys)
        return
      case 'hang':
        return
      case 'half':
        response.writeHead(200, { 'Content-Length': keys.length }).write(keys.slice(0, keys.length / 2))
        return
      case 'html':
        response.end('<!doctype html><title>Sign in</title>')
        return
      case 'empty':
        response.end('{"keys":[]}')
        return
      case 'error':
        response.writeHead(503).end(keys)
        return
      case 'redirect':
        response.writeHead(302, { Location: '/elsewhere' }).end()
        return
      case 'endless':
        response.writeHead(200)
        response.on('drain', () => response.write(ENDLESS_CHUNK))
        response.write(ENDLESS_CHUNK)
        return
    }
  }
}

import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { relayOf } from '../../../src/relay.ts'
import { appOf, type Target } from './http-client.ts'

const ISSUER = 'https://login.example.com/'
const AUDIENCE = 'posthorn'

/** An identity provider with one key, and a relay that takes its tokens. */
export class IdentityProvider {
  readonly target: Target
  readonly #privateKey: CryptoKey

  private constructor(privateKey: CryptoKey, keys: readonly JWK[]) {
    this.#privateKey = privateKey
    const EGRESS = { fetch: async () => Response.json({ keys }) }
    const JWT_JWKS_URL = `${ISSUER}jwks.json`
    this.target = appOf(relayOf, { ...env, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS_URL, EGRESS })
  }

  static async start(): Promise<IdentityProvider> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    return new IdentityProvider(privateKey, [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }])
  }

  /** A token of a person of a workspace. */
  async token(workspace: string, scope: string, claims: Record<string, unknown> = {}): Promise<string> {
    const exp = Math.floor(Date.now() / 1000) + 300
    const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'ann', exp, workspace, scope, ...claims }
    return await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(this.#privateKey)
  }
}

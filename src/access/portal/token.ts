import * as z from 'zod'
import { base64Url, base64UrlBytes } from '../../base/bytes.ts'
import { parseJsonOrNull } from '../../base/json/value.ts'
import { scalarSchema } from '../../match/operator.ts'
import type { PortalCaller } from '../caller.ts'
import { SCOPES } from '../scopes.ts'

const PREFIX = 'php_'
/** Longest token: it is a header's value and a part of an address. */
export const PORTAL_TOKEN_CHARS_MAX = 4_096
const VERSION = 1

const claimsSchema = z.object({
  v: z.literal(VERSION),
  /** Names the token in logs. */
  id: z.string(),
  /** The workspace by its name and the time it was made: another one may have the name later. */
  workspaceId: z.string(),
  workspaceMadeAtMs: z.number(),
  /** The workspace's epoch, which is raised to end all of its tokens. */
  epoch: z.number(),
  scopes: z.array(z.enum(SCOPES)),
  binding: z
    .object({
      metadata: z.record(z.string(), z.string()),
      filters: z.record(z.string(), scalarSchema).optional(),
    })
    .nullable(),
  theme: z
    .object({ name: z.string().optional(), logo: z.string().optional(), accentColor: z.string().optional() })
    .nullable(),
  /** The person or customer it was made for, as its maker calls them. */
  subject: z.string().nullable(),
  expiresAtMs: z.number(),
})

/** What a portal token says; its signature proves that the relay has said it. */
export type PortalClaims = Omit<z.infer<typeof claimsSchema>, 'v'>

/** What a workspace says of its portal tokens: those of another epoch have ended. */
export type PortalEpoch = { epoch: number; workspaceMadeAtMs: number }

/** True for a token that its workspace has not ended. */
export function isOfEpoch(of: PortalEpoch | null | undefined, claims: PortalClaims): boolean {
  return of?.epoch === claims.epoch && of.workspaceMadeAtMs === claims.workspaceMadeAtMs
}

/** The caller that holds a portal token. */
export function callerOfPortal(claims: PortalClaims, address: string | null): PortalCaller {
  const { id: tokenId, workspaceId, scopes, binding, theme, subject, expiresAtMs } = claims
  const actor = subject === null ? `portal:${tokenId}` : `portal:${tokenId}:${subject}`
  const of = { kind: 'portal', workspaceId, scopes: new Set(scopes), actor, address } as const
  return { ...of, tokenId, subject, binding, theme, expiresAtMs }
}

/** True for a text of the family of portal tokens, right or wrong. */
export function looksLikePortalToken(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** Signs portal tokens, and checks them. The first secret signs; tokens that any of them has signed are good. */
export class PortalTokens {
  readonly #keys: readonly Promise<CryptoKey>[]

  constructor(secrets: readonly Uint8Array<ArrayBuffer>[]) {
    this.#keys = secrets.map(deriveKey)
    // Every use of a key rejects with it; this only keeps it from being reported as unhandled.
    for (const key of this.#keys) key.catch(() => undefined)
  }

  async sign(claims: PortalClaims): Promise<string> {
    const [key] = this.#keys
    if (key === undefined) throw new Error('there is no secret to sign portal tokens with')
    const body = base64Url(utf8(JSON.stringify({ v: VERSION, ...claims })))
    return `${PREFIX}${body}.${base64Url(await crypto.subtle.sign('HMAC', await key, utf8(body)))}`
  }

  /** The claims of a token that this relay has signed, expired or not; null for any other text. */
  async read(token: string): Promise<PortalClaims | null> {
    if (token.length > PORTAL_TOKEN_CHARS_MAX || !looksLikePortalToken(token)) return null
    const [body = '', mac = '', ...rest] = token.slice(PREFIX.length).split('.')
    const signature = base64UrlBytes(mac)
    // The alphabet leaves bits over in the last letter, so that several texts stand for the same bytes: one of them counts.
    if (signature === null || rest.length > 0 || base64Url(signature) !== mac) return null
    if (!(await this.#isSigned(body, signature))) return null
    const parsed = claimsSchema.safeParse(jsonOf(body))
    if (!parsed.success) return null
    const { v: _, ...claims } = parsed.data
    return claims
  }

  /** Compared by the platform, in a time that does not depend on where the two differ. */
  async #isSigned(body: string, signature: Uint8Array): Promise<boolean> {
    const data = utf8(body)
    for (const key of this.#keys) {
      const isSame = await crypto.subtle.verify('HMAC', await key, Uint8Array.from(signature), data)
      if (isSame) return true
    }
    return false
  }
}

/** Derived, because one key must not serve two algorithms (NIST SP 800-57, 5.2). */
async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const info = utf8('posthorn portal token')
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  const form = { name: 'HMAC', hash: 'SHA-256' }
  return await crypto.subtle.deriveKey(derivation, base, form, false, ['sign', 'verify'])
}

function jsonOf(body: string): unknown {
  const bytes = base64UrlBytes(body)
  return bytes === null ? null : parseJsonOrNull(new TextDecoder().decode(bytes))
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
}

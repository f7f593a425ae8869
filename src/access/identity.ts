import { type JWTPayload, jwtVerify } from 'jose'
import { isRecord } from '../base/json/value.ts'
import { WORKSPACE_ID } from '../workspace/workspace-id.ts'
import type { IdentityCaller } from './caller.ts'
import { type KeySet, KeySetUnavailable } from './key-set.ts'
import { isScope, ROLES, type Scope } from './scopes.ts'

/** The operator's identity provider, and the claims of its tokens that count. */
export type IdentitySettings = {
  issuer: string
  audience: string
  keySetUrl: string
  workspaceClaim: string
  scopeClaim: string
}

export type IdentityProvider = { settings: IdentitySettings; keySet: KeySet }

export type IdentityDeps = IdentityProvider & {
  now: () => number
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
}

/** Signatures that only the holder of a private key makes: never `none`, never one under a key that is public. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
const CLOCK_TOLERANCE_SECONDS = 30
const TOKEN_CHARS_MAX = 8_192
const SUBJECT_CHARS_MAX = 255
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** True for a text of the form of a signed JWT. */
export function looksLikeIdentityToken(text: string): boolean {
  return text.length <= TOKEN_CHARS_MAX && FORM.test(text)
}

/** The holder of a token; null for one that is not valid or names no workspace. `unavailable` says nothing of it. */
export type Identified = IdentityCaller | null | 'unavailable'

/** The caller that an identity token stands for. */
export async function callerOfToken(
  { settings, keySet, now, background }: IdentityDeps,
  token: string,
  address: string | null,
): Promise<Identified> {
  const { issuer, audience } = settings
  try {
    const { payload } = await jwtVerify(token, keySet.getKey(background), {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'sub'],
    })
    return callerOf(payload, settings, address)
  } catch (error) {
    return error instanceof KeySetUnavailable ? 'unavailable' : null
  }
}

function callerOf(
  payload: JWTPayload,
  { workspaceClaim, scopeClaim }: IdentitySettings,
  address: string | null,
): IdentityCaller | null {
  const { sub: subject, exp } = payload
  const workspaceId = claimOf(payload, workspaceClaim)
  if (typeof subject !== 'string' || subject === '' || subject.length > SUBJECT_CHARS_MAX) return null
  if (typeof workspaceId !== 'string' || !WORKSPACE_ID.test(workspaceId) || exp === undefined) return null
  const scopes = new Set(namesIn(claimOf(payload, scopeClaim)).flatMap(scopesNamed))
  const actor = `identity:${subject}`
  const expiresAtMs = (exp + CLOCK_TOLERANCE_SECONDS) * 1000
  return { kind: 'identity', workspaceId, scopes, actor, address, subject, expiresAtMs }
}

/** A claim by its name, which may be a URL, or by its path, as in `realm_access.roles`. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  return name.split('.').reduce<unknown>((value, part) => {
    return isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined
  }, payload)
}

/** Names as identity providers write them: in a list, or in one text with spaces (RFC 8693). */
function namesIn(claim: unknown): string[] {
  const parts = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return parts.filter((part) => typeof part === 'string')
}

/** The scopes that a name stands for. Names of other programs, such as `openid`, stand for none. */
function scopesNamed(name: string): readonly Scope[] {
  if (isScope(name)) return [name]
  return Object.hasOwn(ROLES, name) ? ROLES[name as keyof typeof ROLES] : []
}

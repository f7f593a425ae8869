import { looksLikeApiKey } from '../../access/api-key.ts'
import type { BoundService } from '../../access/binding.ts'
import { type Caller, mayCall } from '../../access/caller.ts'
import { callerOfToken, looksLikeIdentityToken } from '../../access/identity.ts'
import type { WorkspaceAccess } from '../../access/isolate-access.ts'
import {
  type AccessRefusal,
  callerOfKey,
  judgeKey,
  type KeyFault,
  type PresentedKey,
} from '../../access/key.ts'
import {
  callerOfPortal,
  isOfEpoch,
  looksLikePortalToken,
  type PortalEpoch,
} from '../../access/portal/token.ts'
import { type RouteScope, SCOPES } from '../../access/scopes.ts'
import { remembered } from '../../base/remembered.ts'
import { LOCAL_ADMIN_KEY } from '../../env.ts'
import { invalidField, RelayError } from '../../model/errors.ts'
import type { Relay } from '../../relay.ts'
import { WORKSPACE_ID } from '../../workspace/workspace-id.ts'
import { FailedCredential, INVALID_KEY } from './failed-credential.ts'

const ALL_SCOPES: Caller['scopes'] = new Set(SCOPES)
/** The workspace of a caller that names none. */
const DEFAULT_WORKSPACE = 'default'
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/
/** The provider is asked again by then. */
const PROVIDER_RETRY_AFTER_SECONDS = 30
/** Longest key that is compared at all. */
const KEY_BYTES_MAX = 512

export type AuthDeps = Pick<Relay, 'settings' | 'access' | 'now'> & {
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
}

/** What a route asks of its callers. */
export type RouteAccess = {
  scope: RouteScope
  /** The service to callers who are bound to some subscriptions: see access/binding.ts. */
  forBound: BoundService
  /** True where the caller is judged again at the commit, so that what the isolate has cached will do here. */
  isJudgedAtCommit?: boolean
  /** True for a call that says how far a deletion is; others of a workspace that is being deleted are refused. */
  answersWhileDeleting?: boolean
}

/** A caller with a valid credential, and what speaks against this very call. */
export type Authenticated = {
  caller: Caller
  refusal: AccessRefusal | null
  /** Judges the caller once more, under the configuration that a publish is committed under. */
  judge: (access: WorkspaceAccess) => AccessRefusal | null
}

/**
 * Finds out who calls. The admin key may act in any workspace, named by `X-Company-Id`; every other credential in its
 * own. Throws the refusal of a credential that is not valid.
 */
export async function authenticate(
  deps: AuthDeps,
  { url, headers }: Request,
  route: RouteAccess,
): Promise<Authenticated> {
  const { adminKey, previousAdminKey } = deps.settings
  const isLocal = LOOPBACK.test(new URL(url).hostname)
  if (adminKey === LOCAL_ADMIN_KEY && !isLocal) throw localKeyRefusal()
  const token = bearerToken(headers.get('authorization'))
  const given = padded(token)
  const isAdminKey = isSameKey(given, token.length, adminKey)
  const isPrevious =
    isSameKey(given, token.length, previousAdminKey ?? '') && (isLocal || token !== LOCAL_ADMIN_KEY)
  if (isAdminKey || isPrevious) return operator(headers)
  if (looksLikeApiKey(token)) return await keyHolder(deps, { token, headers }, route)
  if (looksLikePortalToken(token)) return await portalHolder(deps, { token, headers }, route)
  if (looksLikeIdentityToken(token)) return await identified(deps, { token, headers }, route)
  throw accessError({ kind: 'invalid' })
}

/** Turns a refusal of a credential into that of its call. */
export function accessError(refusal: AccessRefusal): RelayError {
  switch (refusal.kind) {
    case 'invalid':
      return new RelayError('unauthorized', INVALID_KEY)
    case 'expired':
      return tokenOver('This link has expired; ask for a new one.', 'expiresAt', 'has passed')
    case 'ended':
      return tokenOver('This link has been ended; ask for a new one.', 'token', 'was ended with all others')
    case 'bound': {
      const message = 'This call is not for a token that is bound to subscriptions.'
      return new RelayError('forbidden', message)
    }
    case 'address': {
      const from = refusal.address ?? 'an unknown address'
      return new RelayError('forbidden', `This key may not be used from ${from}.`)
    }
    case 'workspace': {
      const message = 'X-Company-Id names another workspace than the one that your key acts in.'
      return new RelayError('forbidden', message)
    }
    case 'scope': {
      const { scope } = refusal
      const message =
        scope === 'operator'
          ? "Only the operator's key may do this."
          : `This needs the scope "${scope}", which your key does not have.`
      return new RelayError('forbidden', message)
    }
  }
}

/** A page tells by the path that its token was good, and is over. */
function tokenOver(message: string, path: string, detail: string): RelayError {
  return new RelayError('unauthorized', message, { details: [{ path, message: detail }] })
}

function operator(headers: Headers): Authenticated {
  const caller: Caller = {
    kind: 'operator',
    workspaceId: namedWorkspace(headers) ?? DEFAULT_WORKSPACE,
    scopes: ALL_SCOPES,
    actor: 'operator',
    address: addressOf(headers),
  }
  return { caller, refusal: null, judge: () => null }
}

async function keyHolder(
  { access, now, background }: AuthDeps,
  { token, headers }: { token: string; headers: Headers },
  { scope, isJudgedAtCommit = false }: RouteAccess,
): Promise<Authenticated> {
  const read = await access.keys.readText(token)
  if (read === null) throw accessError({ kind: 'invalid' })
  const address = addressOf(headers)
  const keysKnown = (workspaceId: string) => access.known(workspaceId)?.keys
  const presented: PresentedKey = { ...read, address }
  const found = await access.keys.find(presented, { scope, known: isJudgedAtCommit ? keysKnown : null })
  if (found === null) throw accessError({ kind: 'invalid' })
  const { workspaceId } = found
  const failed = (fault: KeyFault) => new FailedCredential({ workspaceId, keyId: read.id, fault })
  if (found.key === null) throw failed('revoked')
  const { key, refusal } = found
  if (refusal?.kind === 'invalid') throw failed(refusal.fault ?? 'wrong_secret')
  access.keys.noteValid(token, read)
  access.keys.noteUse(key, background)
  return {
    caller: callerOfKey(key, workspaceId, address),
    refusal: refusedWorkspace(headers, workspaceId) ?? refusal,
    judge: ({ keys }) => judgeKey(keys.get(key.id), presented, { scope, nowMs: now() }),
  }
}

async function identified(
  { access, now, background }: AuthDeps,
  { token, headers }: { token: string; headers: Headers },
  { scope }: RouteAccess,
): Promise<Authenticated> {
  if (access.identity === null) throw accessError({ kind: 'invalid' })
  const caller = await callerOfToken({ ...access.identity, now, background }, token, addressOf(headers))
  if (caller === 'unavailable') throw providerSilent()
  if (caller === null) throw accessError({ kind: 'invalid' })
  const refusal = refusedWorkspace(headers, caller.workspaceId) ?? refusedScope(caller, scope)
  return {
    caller,
    refusal,
    judge: () => (caller.expiresAtMs > now() ? refusal : { kind: 'invalid' }),
  }
}

/** A publish is judged by what is cached of the workspace's epoch, and again at its commit; other calls read it. */
async function portalHolder(
  { access, now }: AuthDeps,
  { token, headers }: { token: string; headers: Headers },
  { scope, forBound, isJudgedAtCommit = false }: RouteAccess,
): Promise<Authenticated> {
  const claims = await access.portalTokens.read(token)
  if (claims === null) throw accessError({ kind: 'invalid' })
  const { workspaceId, expiresAtMs } = claims
  const overIn = (epoch: PortalEpoch | null | undefined): AccessRefusal | null =>
    expiresAtMs <= now() ? { kind: 'expired' } : isOfEpoch(epoch, claims) ? null : { kind: 'ended' }
  const isKnown = isJudgedAtCommit && overIn(access.known(workspaceId)?.portal) === null
  const over = isKnown ? null : overIn(await access.portalEpoch(workspaceId))
  if (over !== null) throw accessError(over)
  const caller = callerOfPortal(claims, addressOf(headers))
  const isOutside = caller.binding !== null && forBound === 'refused'
  const refusal =
    refusedWorkspace(headers, workspaceId) ??
    refusedScope(caller, scope) ??
    (isOutside ? { kind: 'bound' } : null)
  return { caller, refusal, judge: ({ portal }) => overIn(portal) ?? refusal }
}

function refusedScope(caller: Caller, scope: RouteScope): AccessRefusal | null {
  return mayCall(caller, scope) ? null : { kind: 'scope', scope }
}

/** Nothing is known of the token; it may well be valid. */
function providerSilent(): RelayError {
  const message =
    'The keys of the identity provider cannot be read, so that no token can be checked. Try again.'
  return new RelayError('unavailable', message, { retryAfterSeconds: PROVIDER_RETRY_AFTER_SECONDS })
}

function localKeyRefusal(): RelayError {
  return new RelayError(
    'unavailable',
    `This relay still has the key for local runs, which works on loopback only: set ADMIN_KEY (\`npx wrangler secret put ADMIN_KEY\`).`,
  )
}

function bearerToken(header: string | null): string {
  const [scheme, token, ...rest] = (header ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || token === '' || rest.length > 0) {
    throw new RelayError('unauthorized', 'Send your key as "Authorization: Bearer <key>".')
  }
  return token
}

function namedWorkspace(headers: Headers): string | null {
  const name = headers.get('x-company-id')
  if (name !== null && !WORKSPACE_ID.test(name))
    throw invalidField('X-Company-Id', 'must be 1-128 characters of A-Z a-z 0-9 _ -')
  return name
}

function refusedWorkspace(headers: Headers, own: string): AccessRefusal | null {
  const named = headers.get('x-company-id')
  return named === null || named === own ? null : { kind: 'workspace' }
}

/**
 * Cloudflare sets this header on every request, and replaces what a client has sent. Where nothing stands before the
 * relay, as on a laptop, it is whatever the client says.
 */
export function addressOf(headers: Headers): string | null {
  return headers.get('cf-connecting-ip')
}

/** Compares in constant time. Both keys are padded to one length, which hides the length of ours. */
function isSameKey(given: Uint8Array, chars: number, ours: string): boolean {
  return crypto.subtle.timingSafeEqual(given, paddedOwn(ours)) && chars === ours.length
}

const encoder = new TextEncoder()

function padded(key: string): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES_MAX)
  encoder.encodeInto(key, bytes)
  return bytes
}

/** The relay's own keys are the same at every call. */
const paddedOwn = remembered(4, padded)

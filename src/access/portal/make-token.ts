import type { Problem } from '../../model/errors.ts'
import { useWorkspace } from '../../workspace/settings.sql.ts'
import type { Binding } from '../binding.ts'
import type { Caller, Theme } from '../caller.ts'
import { SCOPES, type Scope } from '../scopes.ts'
import { findPortalEpoch } from './epoch.sql.ts'
import { PORTAL_TOKEN_CHARS_MAX, type PortalTokens } from './token.ts'

/**
 * Scopes of a token that names none. Payloads as they were published, secrets and all that is of the whole workspace have
 * to be asked for by name.
 */
const SCOPES_DEFAULT: readonly Scope[] = [
  'webhooks:read',
  'webhooks:write',
  'deliveries:read',
  'deliveries:retry',
]
/** Scopes that make sense for some subscriptions of a workspace; all others are of the whole of it. */
const SCOPES_BOUND: readonly Scope[] = [...SCOPES_DEFAULT, 'events:read', 'webhooks:secret']

export type PortalDeps = {
  db: D1Database
  now: () => number
  /** A key that nothing else has. */
  newKey: () => string
  portalTokens: PortalTokens
}

/** A token as its maker describes it; null for the usual scopes, for no binding, theme or subject. */
export type PortalInput = {
  scopes: readonly Scope[] | null
  binding: Binding | null
  theme: Theme | null
  subject: string | null
  expiresInSeconds: number
}

export type PortalMade =
  | { kind: 'made'; id: string; token: string; scopes: Scope[]; expiresAtMs: number }
  | { kind: 'exceeds' | 'invalid'; problems: Problem[] }

/** Makes a token for a browser, with some of the scopes of its maker. Nothing is stored of it. */
export async function makePortalToken(
  { db, now, newKey, portalTokens }: PortalDeps,
  maker: Caller,
  { scopes: asked, expiresInSeconds, ...input }: PortalInput,
): Promise<PortalMade> {
  const scopes = SCOPES.filter((scope) => (asked ?? ownDefault(maker)).includes(scope))
  const excess = excessOf(maker, scopes)
  if (excess !== null) return { kind: 'exceeds', problems: [{ path: 'scopes', message: excess }] }
  const wrong = problemOfScopes(scopes, input.binding)
  if (wrong !== null) return { kind: 'invalid', problems: [{ path: 'scopes', message: wrong }] }
  const { workspaceId } = maker
  const nowMs = now()
  await useWorkspace(db, workspaceId, nowMs)
  const epoch = await findPortalEpoch(db, workspaceId)
  if (epoch === null) throw new Error('a workspace vanished after its creation')
  const id = newKey().replaceAll('-', '').slice(0, 16)
  const expiresAtMs = Math.min(nowMs + expiresInSeconds * 1000, endOf(maker))
  const token = await portalTokens.sign({ id, workspaceId, ...epoch, scopes, ...input, expiresAtMs })
  return token.length > PORTAL_TOKEN_CHARS_MAX
    ? { kind: 'invalid', problems: [{ path: 'webhooks.metadata', message: 'and theme make it too long' }] }
    : { kind: 'made', id, token, scopes, expiresAtMs }
}

function ownDefault({ scopes }: Caller): Scope[] {
  return SCOPES_DEFAULT.filter((scope) => scopes.has(scope))
}

function excessOf(maker: Caller, scopes: readonly Scope[]): string | null {
  const missing = scopes.filter((scope) => !maker.scopes.has(scope))
  if (missing.length > 0) return `must hold no scope that your own credential lacks: ${missing.join(', ')}`
  // Such a token could make keys that are held to none of it.
  const isHeld = maker.kind === 'key' && (maker.allowedIps !== null || maker.limits !== null)
  return isHeld && scopes.includes('workspace:admin')
    ? 'must not hold workspace:admin where your own key has allowedIps or limits'
    : null
}

function problemOfScopes(scopes: readonly Scope[], binding: Binding | null): string | null {
  if (scopes.length === 0) return 'must be named: you have none of those that a token has without'
  return binding === null || scopes.every((scope) => SCOPES_BOUND.includes(scope))
    ? null
    : `must be among ${SCOPES_BOUND.join(', ')} for a token that is bound to subscriptions`
}

/** A token ends with the credential that made it, but for that of a person, who will have another one. */
function endOf(maker: Caller): number {
  const endsAtMs = maker.kind === 'key' || maker.kind === 'portal' ? maker.expiresAtMs : null
  return endsAtMs ?? Number.POSITIVE_INFINITY
}

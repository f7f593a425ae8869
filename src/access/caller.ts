import type { Binding } from './binding.ts'
import type { RouteScope, Scope } from './scopes.ts'

type Common = {
  /** The workspace in which the call acts. */
  workspaceId: string
  scopes: ReadonlySet<Scope>
  /** The caller's name in logs: its kind and, where it has one, its id. */
  actor: string
  /** The address that the request came from; null where the platform does not say. */
  address: string | null
}

/** The holder of the admin key, who may act in any workspace. */
export type OperatorCaller = Common & { kind: 'operator' }

/** A service with a key of its workspace. */
export type KeyCaller = Common & {
  kind: 'key'
  keyId: string
  keyName: string
  expiresAtMs: number | null
  allowedIps: readonly string[] | null
  /** Limits of the key as they are stored, in JSON. */
  limits: string | null
}

/** A person, or a service, that the operator's identity provider vouches for. */
export type IdentityCaller = Common & { kind: 'identity'; subject: string; expiresAtMs: number }

/** A customer in a browser, for whom a token was made. */
export type PortalCaller = Common & {
  kind: 'portal'
  tokenId: string
  /** The one it was made for, as its maker calls them. */
  subject: string | null
  /** The subscriptions that the call may show and change; null for all of the workspace. */
  binding: Binding | null
  theme: Theme | null
  expiresAtMs: number
}

/** The look of the pages that the holder of a portal token sees. */
export type Theme = {
  name?: string | undefined
  logo?: string | undefined
  accentColor?: string | undefined
}

/** The origin of a call, as its credential has proven it. */
export type Caller = OperatorCaller | KeyCaller | IdentityCaller | PortalCaller

/** True for a caller that has the right a route asks for. */
export function mayCall(caller: Caller, scope: RouteScope): boolean {
  if (scope === 'any' || caller.kind === 'operator') return true
  return scope !== 'operator' && caller.scopes.has(scope)
}

/** The subscriptions that a caller is bound to; null for all of the workspace. */
export function bindingOf(caller: Caller): Binding | null {
  return caller.kind === 'portal' ? caller.binding : null
}

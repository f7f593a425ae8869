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

/** The origin of a call, as its credential has proven it. */
export type Caller = OperatorCaller | KeyCaller | IdentityCaller

/** True for a caller that has the right a route asks for. */
export function mayCall(caller: Caller, scope: RouteScope): boolean {
  if (scope === 'any' || caller.kind === 'operator') return true
  return scope !== 'operator' && caller.scopes.has(scope)
}

import { isInIpRanges } from '../base/ip-ranges.ts'
import { isSameHash } from '../base/secret/digest.ts'
import type { KeyCaller } from './caller.ts'
import { type Grant, type RouteScope, scopesOf } from './scopes.ts'

/** A key as it is stored: its secret as a hash only. */
export type ApiKey = {
  no: number
  workspaceNo: number
  id: string
  name: string
  grant: Grant
  /** Ranges of addresses it may be used from; null for all. */
  allowedIps: readonly string[] | null
  /** Limits of the key in JSON; null for none of its own. */
  limits: string | null
  expiresAtMs: number | null
  hash: string
  /** The hash before a rotation, which is valid for a while. */
  previousHash: string | null
  previousUntilMs: number | null
  createdBy: string
  createdAtMs: number
  lastUsedHour: number | null
}

/** Keys of one workspace; a larger number would be read with its configuration at every change. */
export const KEYS_MAX = 100

/** The keys of one workspace, by their ids. */
export type KeysById = ReadonlyMap<string, ApiKey>

/** A key as it was presented: the hash of its secret, and where from. */
export type PresentedKey = { id: string; hash: string; address: string | null }

/** The fault of a key that is not valid, for the log of its workspace alone. */
export type KeyFault = 'wrong_secret' | 'old_secret' | 'expired' | 'revoked'

/** The ground on which a credential is refused. The caller is told no more of an `invalid` one, or it would help to guess. */
export type AccessRefusal =
  | { kind: 'invalid'; fault?: KeyFault }
  | { kind: 'address'; address: string | null }
  | { kind: 'scope'; scope: RouteScope }
  | { kind: 'workspace' }
  /** A portal token that the relay has made, and that is over. */
  | { kind: 'expired' | 'ended' }
  /** The call is not for callers who are bound to subscriptions. */
  | { kind: 'bound' }

/** Judges a key as it was presented; null where it may be used for what asks for the scope. */
export function judgeKey(
  key: ApiKey | null | undefined,
  { hash, address }: PresentedKey,
  { scope, nowMs }: { scope: RouteScope; nowMs: number },
): AccessRefusal | null {
  const fault = faultOf(key, hash, nowMs)
  if (key === null || key === undefined) return { kind: 'invalid', fault: 'revoked' }
  if (fault !== null) return { kind: 'invalid', fault }
  const { allowedIps } = key
  if (allowedIps !== null && !isInIpRanges(address ?? '', allowedIps)) return { kind: 'address', address }
  const isInScope = scope === 'any' || (scope !== 'operator' && scopesOf(key.grant).has(scope))
  return isInScope ? null : { kind: 'scope', scope }
}

function faultOf(key: ApiKey | null | undefined, hash: string, nowMs: number): KeyFault | null {
  // Compared with nothing, too, so that a key that exists takes no longer.
  const isPresent = isSameHash(hash, key?.hash ?? '')
  const isPrevious = isSameHash(hash, key?.previousHash ?? '')
  if (!isPresent && !isPrevious) return 'wrong_secret'
  if (!isPresent && (key?.previousUntilMs ?? 0) <= nowMs) return 'old_secret'
  return (key?.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs ? null : 'expired'
}

/** The caller that holds a key. */
export function callerOfKey(key: ApiKey, workspaceId: string, address: string | null): KeyCaller {
  const { id: keyId, name: keyName, expiresAtMs, allowedIps, limits } = key
  const actor = `key:${keyId}`
  const scopes = scopesOf(key.grant)
  return { kind: 'key', workspaceId, scopes, actor, address, keyId, keyName, expiresAtMs, allowedIps, limits }
}

import { containsIpRange } from '../base/ip-ranges.ts'
import { limitsBeyond, readLimits } from '../limits/limits.ts'
import type { Problem } from '../model/errors.ts'
import type { Caller, KeyCaller } from './caller.ts'
import type { ApiKey } from './key.ts'
import { scopesOf } from './scopes.ts'

/** What a key may do, from where, for how long and how much of it. */
export type KeyRights = Pick<ApiKey, 'grant' | 'allowedIps' | 'expiresAtMs' | 'limits'>

/** The rights of a key that its maker lacks: nobody makes a key that may more than their own. */
export function findExcess(maker: Caller, rights: KeyRights): Problem[] {
  if (maker.kind === 'operator') return []
  return [
    ...excessScopes(maker, rights),
    ...(maker.kind === 'key' ? excessOfKey(maker, rights) : []),
    ...(maker.kind === 'portal' ? excessTime(maker, rights) : []),
  ]
}

function excessOfKey(maker: KeyCaller, rights: KeyRights): Problem[] {
  return [...excessTime(maker, rights), ...excessAddresses(maker, rights), ...excessLimits(maker, rights)]
}

function excessLimits(maker: Pick<ApiKey, 'limits'>, { limits }: KeyRights): Problem[] {
  const own = readLimits(maker.limits)
  return limitsBeyond(own, readLimits(limits)).map((name) => {
    return { path: `limits.${name}`, message: `must be at most that of your own key: ${own[name]}` }
  })
}

function excessScopes({ scopes }: Caller, { grant }: KeyRights): Problem[] {
  const missing = [...scopesOf(grant)].filter((scope) => !scopes.has(scope))
  if (missing.length === 0) return []
  const path = 'role' in grant ? 'role' : 'scopes'
  return [{ path, message: `must hold no scope that your own credential lacks: ${missing.join(', ')}` }]
}

function excessTime(maker: Pick<ApiKey, 'expiresAtMs'>, { expiresAtMs }: KeyRights): Problem[] {
  const lastMs = maker.expiresAtMs
  if (lastMs === null || (expiresAtMs !== null && expiresAtMs <= lastMs)) return []
  const message = `must be no later than your own key expires: ${new Date(lastMs).toISOString()}`
  return [{ path: 'expiresAt', message }]
}

function excessAddresses(maker: Pick<ApiKey, 'allowedIps'>, { allowedIps }: KeyRights): Problem[] {
  const own = maker.allowedIps
  if (own === null) return []
  const isInside = (range: string) => own.some((each) => containsIpRange(each, range))
  if (allowedIps?.every(isInside) === true) return []
  return [{ path: 'allowedIps', message: `must be inside those of your own key: ${own.join(', ')}` }]
}

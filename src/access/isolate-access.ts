import { ApiKeys } from './api-keys.ts'
import type { IdentityProvider, IdentitySettings } from './identity.ts'
import type { KeysById } from './key.ts'
import { KeySet } from './key-set.ts'
import { findPortalEpoch } from './portal/epoch.sql.ts'
import { type PortalEpoch, PortalTokens } from './portal/token.ts'

/** What a workspace's configuration says of those who may publish in it. */
export type WorkspaceAccess = { keys: KeysById; portal: PortalEpoch }

/** What one isolate needs to find out who calls. */
export type IsolateAccess = {
  keys: ApiKeys
  /** What the cached configuration of a workspace says, which may be old; undefined where none is cached. */
  known: (workspaceId: string) => WorkspaceAccess | undefined
  identity: IdentityProvider | null
  portalTokens: PortalTokens
  /** The epoch of a workspace's portal tokens as it is now; null where there is no such workspace. */
  portalEpoch: (workspaceId: string) => Promise<PortalEpoch | null>
}

export type AccessOptions = {
  db: D1Database
  now: () => number
  known: IsolateAccess['known']
  identity: IdentitySettings | null
  /** The first one signs portal tokens; those that any of them has signed are good. */
  portalSecrets: readonly Uint8Array<ArrayBuffer>[]
  fetch: typeof fetch
  userAgent: string
}

/** Makes what an isolate keeps of those who call. */
export function isolateAccess(options: AccessOptions): IsolateAccess {
  const { db, now, known, portalSecrets } = options
  return {
    keys: new ApiKeys(db, now),
    known,
    identity: identityProvider(options),
    portalTokens: new PortalTokens(portalSecrets),
    portalEpoch: (workspaceId) => findPortalEpoch(db, workspaceId),
  }
}

function identityProvider({ identity, fetch, now, userAgent }: AccessOptions): IdentityProvider | null {
  if (identity === null) return null
  return { settings: identity, keySet: new KeySet({ url: identity.keySetUrl, fetch, now, userAgent }) }
}

import { useSyncExternalStore } from 'react'
import { storageOf } from './storage.ts'
import { isPortal } from './workspace.ts'

/** What a caller has shown: a key, an identity token, or the token of a portal link. */
export type Credential = { token: string; from: 'form' | 'link' }

/**
 * Of this tab alone, and gone with it. A customer's link does not sign the operator out. Where
 * there is no storage, the credential lives as long as the page.
 */
const STORED_AT = isPortal ? 'posthorn.link' : 'posthorn.credential'
const store = storageOf('sessionStorage')
const listeners = new Set<() => void>()
let current = read()

export function credential(): Credential | null {
  return current
}

/** Renders anew when the credential changes. */
export function useCredential(): Credential | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, credential)
}

/** Signs in with a credential, or out with null. */
export function setCredential(next: Credential | null): void {
  current = next
  if (next === null) store?.removeItem(STORED_AT)
  else store?.setItem(STORED_AT, JSON.stringify(next))
  for (const listener of listeners) listener()
}

/** Takes the token of a portal link out of the address, where neither history nor a copied address shows it. */
export function takePortalToken(): void {
  if (!hasPortalToken()) return
  const token = window.location.hash.slice(1)
  window.history.replaceState(null, '', '/portal')
  setCredential({ token, from: 'link' })
}

/** True while the address holds the token of a portal link. */
export function hasPortalToken(): boolean {
  return isPortal && window.location.hash.startsWith('#php_')
}

function read(): Credential | null {
  const stored = store?.getItem(STORED_AT) ?? null
  return stored === null ? null : (JSON.parse(stored) as Credential)
}

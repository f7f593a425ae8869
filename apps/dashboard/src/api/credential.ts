import { useSyncExternalStore } from 'react'

/** What a caller has shown: a key, an identity token, or the token of a portal link. */
export type Credential = { token: string; from: 'form' | 'link' }

/** Of this tab alone, and gone with it. */
const STORED_AT = 'posthorn.credential'
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
  if (next === null) sessionStorage.removeItem(STORED_AT)
  else sessionStorage.setItem(STORED_AT, JSON.stringify(next))
  for (const listener of listeners) listener()
}

/** Takes the token of a portal link out of the address, where neither history nor a copied address shows it. */
export function takePortalToken(): void {
  const { pathname, hash } = window.location
  if (pathname.replace(/\/$/, '') !== '/portal' || hash.length < 2) return
  window.history.replaceState(null, '', '/')
  setCredential({ token: decodeURIComponent(hash.slice(1)), from: 'link' })
}

function read(): Credential | null {
  const stored = sessionStorage.getItem(STORED_AT)
  return stored === null ? null : (JSON.parse(stored) as Credential)
}

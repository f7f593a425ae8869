import type { Vault } from '../../base/secret/vault.ts'
import { findCertificate } from '../../destination/certificates.ts'
import { type AddressFault, findAddressFault } from '../../destination/dns/check-addresses.ts'
import { listenerAddress } from '../../destination/listener-address.ts'
import { checkDestination, type DestinationRules, rulesWithin } from '../../destination/url.ts'
import { fixedUrl } from '../../destination/url-template.ts'
import type { StoredEvent } from '../../model/delivery.ts'
import type { CredentialCache, Credentials } from '../../subscription/secrets/credentials.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { type Payload, type PayloadRenderer, TEXT_MISSING } from './payload/payload-renderer.ts'

export type TargetDeps = {
  vault: Vault
  /** The operator's rules; those of the workspace come with the subscription. */
  destinations: DestinationRules
  credentials: CredentialCache
  /** Sends requests to the one who listens in place of a temporary subscription's receiver. */
  listeners: ListenerFetch
}

/** The `fetch` that brings requests to a listener, who has so long to answer. */
export type ListenerFetch = (id: string, timeoutMs: number) => typeof fetch

/** The fault for which no request can be made; `message` is for the log and names no credential. */
export type Unsent = {
  kind: 'unsent'
  fault: 'blocked' | 'internal' | 'template' | 'auth' | 'dns'
  message: string
  payload: Payload | null
  /** A failure of the relay's own that another attempt may not meet. */
  isTransient?: true
}

type Target = { subscription: Subscription; event: StoredEvent; renderer: PayloadRenderer }

/** The checked address of a request, and the credentials to sign and authorize it with. */
export type OpenedTarget = {
  kind: 'opened'
  subscription: Subscription
  url: string
  credentials: Credentials
  /** Presents the client certificate, or asks a listener; null where the relay's own is meant. */
  fetch: typeof fetch | null
}

/** Checks where a request would go, and opens its credentials. */
export async function openTarget(
  deps: TargetDeps,
  { subscription, event, renderer }: Target,
  atMs: number,
): Promise<OpenedTarget | Unsent> {
  const { id, settings } = subscription
  const listener = listenerAddress(id)
  const rules = rulesWithin({ ...deps.destinations, listener }, subscription.destinations)
  const fixed = checkDestination(fixedUrl(settings.url), rules)
  if (!fixed.ok) return unsent('blocked', `The URL ${fixed.message}.`)
  const fault = await findAddressFault(rules, fixed.url, settings.destinationIps)
  if (fault !== null) return unreached(fault)
  const credentials = await deps.credentials.get(deps.vault, subscription, atMs)
  const certificate = findCertificate(rules, credentials.auth)
  if (!certificate.ok) return unsent('auth', `auth.certificate ${certificate.message}`)
  const isListener = fixed.url === listener
  const fetch = isListener ? deps.listeners(id, settings.timeoutSeconds * 1000) : certificate.fetch
  if (credentials.address === null)
    return { kind: 'opened', subscription, url: fixed.url, credentials, fetch }
  const address = await renderer.renderAddress(event, credentials.address)
  if (address.kind === 'missing') return unsent('internal', TEXT_MISSING)
  if (address.kind === 'failed') return unsent('template', `${address.path}: ${address.message}`)
  const destination = checkDestination(address.url, rules)
  if (!destination.ok) return unsent('blocked', `The URL ${destination.message}.`)
  const { headers } = address
  return {
    kind: 'opened',
    subscription,
    url: destination.url,
    credentials: { ...credentials, headers },
    fetch,
  }
}

/** Nothing is sent to a host whose addresses are not known. */
function unreached({ kind, path, message }: AddressFault): Unsent {
  const text = `The ${path === 'url' ? 'URL' : `setting ${path}`} ${message}.`
  switch (kind) {
    case 'not_allowed':
      return unsent('blocked', text)
    case 'none':
      return unsent('dns', text)
    case 'unknown':
      return { ...unsent('internal', text), isTransient: true }
  }
}

/** A request that is not made, before there is a payload. */
export function unsent(fault: Unsent['fault'], message: string): Unsent {
  return { kind: 'unsent', fault, message, payload: null }
}

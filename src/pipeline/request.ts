import { eventIdOf, type StoredEvent } from '../domain/delivery.ts'
import { promisesCredential } from '../domain/delivery-headers.ts'
import { checkDestination, type DestinationRules } from '../domain/destination.ts'
import { isOAuthClient, maskedAuthHeaders, secretsOf, withAuthHeaders } from '../domain/destination-auth.ts'
import { redactor } from '../domain/redaction.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { Vault } from '../secrets/vault.ts'
import { signDelivery } from '../signature/schemes.ts'
import type { ClaimedRow } from '../storage/claims.ts'
import { type AuthorizeDeps, authorize } from './authorize.ts'
import type { CredentialCache, Credentials } from './credentials.ts'
import type { Payload, PayloadRenderer } from './payload.ts'
import type { PostRequest } from './post.ts'

export type RequestDeps = {
  vault: Vault
  now: () => number
  destinations: DestinationRules
  userAgent: string
  credentials: CredentialCache
  /** Null where nothing is to be sent: then headers that would carry credentials are shown masked. */
  authorize: AuthorizeDeps | null
}

/** What is to be sent where: an event to a subscription, with what its earlier attempts fixed. */
export type Addressed = {
  subscription: Subscription
  event: StoredEvent
  earlier: Pick<ClaimedRow, 'payload' | 'kept' | 'replayBase' | 'replayId'> | null
  renderer: PayloadRenderer
}

/** Why no request can be made; `message` is for the log and names no credential. */
export type Unsent = {
  kind: 'unsent'
  fault: 'blocked' | 'internal' | 'template' | 'auth'
  message: string
  payload: Payload | null
}

/** A request ready to be sent. */
export type Built = { kind: 'built'; request: PostRequest; payload: Payload; credentials: Credentials }

/** Renders, signs and authorizes one request. `atMs` is the attempt's time, which signatures carry. */
export async function buildRequest(
  deps: RequestDeps,
  { subscription, event, earlier, renderer }: Addressed,
  atMs: number,
): Promise<Built | Unsent> {
  const { settings } = subscription
  const destination = checkDestination(settings.url, deps.destinations)
  if (!destination.ok) return unsent('blocked', `The URL ${destination.message}.`)
  const credentials = await deps.credentials.get(deps.vault, subscription, atMs)
  const rendered = await renderFor(renderer, earlier, event, subscription, credentials)
  if (rendered.kind === 'missing') return unsent('internal', 'The text of the event is missing from storage.')
  if (rendered.kind === 'failed') return unsent('template', rendered.message)
  const { payload } = rendered
  const authorized = await authorizeFor(deps, subscription, credentials, null)
  if (!authorized.ok) return { ...unsent('auth', authorized.message), payload }
  const signed = await signDelivery(credentials.signer, {
    id: eventIdOf(event),
    timestampSeconds: Math.floor(atMs / 1000),
    event: event.type,
    body: payload.bytes,
  })
  const own = withAuthHeaders(credentials.headers, authorized.headers)
  const replayed = earlier?.replayId ? { 'X-Posthorn-Replay': earlier.replayId } : {}
  const fixed = { ...replayed, 'Content-Type': payload.contentType, 'User-Agent': deps.userAgent, ...signed }
  // Names are compared without regard to case: two spellings of one header would be sent as a list.
  const headers = Object.keys(own).length === 0 ? fixed : withAuthHeaders(own, fixed)
  const timeoutMs = settings.timeoutSeconds * 1000
  return {
    kind: 'built',
    request: {
      url: destination.url,
      headers,
      body: payload.bytes,
      timeoutMs,
      redact: redactorOf(credentials, authorized.headers),
    },
    payload,
    credentials,
  }
}

/**
 * The same request with a new access token, after the receiver has refused the one it carried; null where the
 * subscription's credentials cannot be renewed.
 */
export async function renewRequest(
  deps: RequestDeps,
  subscription: Subscription,
  { request, credentials }: Built,
): Promise<PostRequest | null> {
  const { auth } = credentials
  if (auth === null || !isOAuthClient(auth)) return null
  const renewed = await authorizeFor(deps, subscription, credentials, request.headers)
  if (!renewed.ok) return null
  const headers = withAuthHeaders(request.headers, renewed.headers)
  return { ...request, headers, redact: redactorOf(credentials, renewed.headers) }
}

/** Takes out of an answer what the request carried in confidence; null where it carried nothing. */
function redactorOf(
  { auth, headers }: Credentials,
  authorized: Record<string, string>,
): PostRequest['redact'] {
  const own = Object.entries(headers).flatMap(([name, value]) => (promisesCredential(name) ? [value] : []))
  if (auth === null) return own.length === 0 ? null : redactor(own)
  const sent = Object.values(authorized).map((value) => value.replace(/^(?:Basic|Bearer) /, ''))
  return redactor([...secretsOf(auth), ...sent, ...own])
}

async function renderFor(
  renderer: PayloadRenderer,
  earlier: Addressed['earlier'],
  event: StoredEvent,
  subscription: Subscription,
  credentials: Credentials,
) {
  switch (earlier?.payload ?? 'none') {
    case 'none':
      return await renderer.render(event, subscription, credentials.transform)
    case 'default':
      return await renderer.renderDefault(event)
    case 'kept':
      return earlier?.kept ? await renderer.renderKept(earlier.kept) : ({ kind: 'missing' } as const)
  }
}

const NO_HEADERS: Record<string, string> = {}

/** `refused` are the headers of the request that was answered with 401, null for a first try. */
async function authorizeFor(
  deps: RequestDeps,
  { no, id, version }: Subscription,
  { auth }: Credentials,
  refused: Record<string, string> | null,
) {
  if (auth === null) return { ok: true as const, headers: NO_HEADERS }
  if (deps.authorize === null) return { ok: true as const, headers: maskedAuthHeaders(auth) }
  const target = { subscriptionNo: no, subscriptionId: id, version, auth }
  const options = refused === null ? { refresh: false as const } : { refresh: true as const, failed: refused }
  return await authorize(deps.authorize, target, options)
}

function unsent(fault: Unsent['fault'], message: string): Unsent {
  return { kind: 'unsent', fault, message, payload: null }
}

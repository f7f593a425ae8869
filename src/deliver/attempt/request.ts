import { SEQ_MAX } from '../../base/ids/seq.ts'
import { redactor } from '../../base/secret/redaction.ts'
import type { AuthorizeDeps } from '../../destination/access-token.ts'
import { isOAuthClient, maskedAuthHeaders, secretsOf, withAuthHeaders } from '../../destination/auth.ts'
import { authorize } from '../../destination/authorize.ts'
import { batchIdOf, eventIdOf, type PayloadKind, type StoredEvent } from '../../model/delivery.ts'
import { BATCH_EVENT, mayBeBatch } from '../../shape/batch-payload.ts'
import { promisesCredential, routingHeaders } from '../../shape/headers.ts'
import { signDelivery } from '../../signature/schemes.ts'
import type { Credentials } from '../../subscription/secrets/credentials.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { ClaimedRow, KeptBody } from './claimed-delivery.ts'
import type { PostRequest } from './http/post.ts'
import { type OpenedTarget, openTarget, type TargetDeps, type Unsent, unsent } from './open-target.ts'
import { type BatchMember, type RenderedBatch, renderBatch } from './payload/batch-renderer.ts'
import {
  type Payload,
  type PayloadRenderer,
  type RenderedPayload,
  TEXT_MISSING,
} from './payload/payload-renderer.ts'

export type { Unsent } from './open-target.ts'

/** The version of this relay. */
export const VERSION = '0.1.0'
export const USER_AGENT = `Posthorn/${VERSION}`

export type RequestDeps = TargetDeps & {
  now: () => number
  userAgent: string
  /** Null where nothing is to be sent: then headers that would carry credentials are shown masked. */
  authorize: AuthorizeDeps | null
}

/** An event to be sent to a subscription, with the payload that its earlier attempts fixed. */
export type Addressed = {
  subscription: Subscription
  event: StoredEvent
  /** The attempt's number, from 1. */
  attemptNo: number
  earlier: Pick<ClaimedRow, 'payload' | 'kept' | 'replayBase' | 'replayId'> | null
  renderer: PayloadRenderer
  /** The id of the batch in which an event goes alone; left out, it is made from the delivery. */
  loneBatchId?: string
}

/** Events to be sent to a subscription in one request, with the payload that earlier attempts fixed. */
export type AddressedBatch = {
  subscription: Subscription
  batch: {
    id: string
    attemptNo: number
    boundAtMs: number
    payloadKind: PayloadKind
    /** The bytes where `payloadKind` is `kept`; null when they are gone. */
    kept: KeptBody | null
  }
  /** In accepted order, at least one. */
  members: readonly BatchMember[]
  /** Most bytes of a body that is rendered for the first time. */
  maxBytes: number
  renderer: PayloadRenderer
}

/** A request ready to be sent. */
export type Built = { kind: 'built'; request: PostRequest; payload: Payload; credentials: Credentials }

/** The shares of a batch's members; every number is in one of the lists. */
export type BatchShares = Pick<RenderedBatch, 'carried' | 'failed' | 'overflow'>

/**
 * Renders, signs and authorizes one request for one event. `atMs` is the attempt's time, which signatures carry. A
 * subscription that takes batches gets a batch of one, as that is what its receiver reads.
 */
export async function buildRequest(
  deps: RequestDeps,
  addressed: Addressed,
  atMs: number,
): Promise<Built | Unsent> {
  const { subscription, event, attemptNo, earlier } = addressed
  const opened = await openTarget(deps, addressed, atMs)
  if (opened.kind === 'unsent') return opened
  const { rendered, isBatch } = await renderEvent(addressed, opened.credentials)
  if (rendered.kind === 'missing') return unsent('internal', TEXT_MISSING)
  if (rendered.kind === 'failed') return unsent('template', rendered.message)
  const message = isBatch
    ? { id: loneBatchIdOf(addressed), event: BATCH_EVENT }
    : { id: eventIdOf(event), event: event.type }
  const routing = routingHeaders(idOf(subscription), message.event, attemptNo)
  const relayed = earlier?.replayId ? { ...routing, 'X-Posthorn-Replay': earlier.replayId } : routing
  return await finishRequest(deps, opened, { ...message, payload: rendered.payload, relayed }, atMs)
}

/**
 * Builds a request for a batch in the same way. Where none can be made, `failed` are the members to blame, if any, and
 * `carried` those that would have been in it.
 */
export async function buildBatchRequest(
  deps: RequestDeps,
  addressed: AddressedBatch,
  atMs: number,
): Promise<(Built | Unsent) & BatchShares> {
  const { subscription, batch, members } = addressed
  const whole: BatchShares = { carried: members.map(({ event }) => event.seq), failed: [], overflow: [] }
  const [first] = members
  if (first === undefined) throw new Error('a batch has members')
  const target = { subscription, event: first.event, renderer: addressed.renderer }
  const opened = await openTarget(deps, target, atMs)
  if (opened.kind === 'unsent') return { ...opened, ...whole }
  const { payload, ...shares } = await renderMembers(addressed, opened.credentials, whole)
  if (payload === null) {
    const [failure] = shares.failed
    return { ...unsent(failure?.fault ?? 'internal', failure?.message ?? BATCH_MISSING), ...shares }
  }
  const relayed = routingHeaders(idOf(subscription), BATCH_EVENT, batch.attemptNo)
  const content = { id: batch.id, event: BATCH_EVENT, payload, relayed }
  return { ...(await finishRequest(deps, opened, content, atMs)), ...shares }
}

/** A dispatch goes to a target that no caller knows. */
function idOf({ kind, id }: Subscription): string | null {
  return kind === 'dispatch' ? null : id
}

const BATCH_MISSING = 'The text of the batch is missing from storage.'

/** The content of a request: `id` and `event` are those its signature names, `relayed` the headers outside it. */
type Content = { id: string; event: string; payload: Payload; relayed: Record<string, string> }

async function finishRequest(
  deps: RequestDeps,
  { subscription, url, credentials, fetch }: OpenedTarget,
  { id, event, payload, relayed }: Content,
  atMs: number,
): Promise<Built | Unsent> {
  const authorized = await authorizeFor(deps, subscription, credentials, null)
  if (!authorized.ok) return { ...unsent('auth', authorized.message), payload }
  const body = payload.bytes
  const timestampSeconds = Math.floor(atMs / 1000)
  const signed = await signDelivery(credentials.signer, { id, timestampSeconds, event, body })
  const own = withAuthHeaders(credentials.headers, authorized.headers)
  const fixed = { 'Content-Type': payload.contentType, 'User-Agent': deps.userAgent, ...signed }
  // Names are compared without regard to case: two spellings of one header would be sent as a list.
  const headers = withAuthHeaders(relayed, withAuthHeaders(own, fixed))
  const timeoutMs = subscription.settings.timeoutSeconds * 1000
  const redact = redactorOf(credentials, authorized.headers)
  const request = { url, headers, body, timeoutMs, redact, ...(fetch !== null && { fetch }) }
  return { kind: 'built', request, payload, credentials }
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

/** Takes the request's credentials out of an answer; null where it carried none. */
function redactorOf(
  { auth, headers }: Credentials,
  authorized: Record<string, string>,
): PostRequest['redact'] {
  const own = Object.entries(headers).flatMap(([name, value]) => (promisesCredential(name) ? [value] : []))
  if (auth === null) return own.length === 0 ? null : redactor(own)
  const sent = Object.values(authorized).map((value) => value.replace(/^(?:Basic|Bearer) /, ''))
  return redactor([...secretsOf(auth), ...sent, ...own])
}

/** Renders an event as its earlier attempts did; `isBatch` where that is as a batch of one. */
async function renderEvent(
  addressed: Addressed,
  { transform }: Credentials,
): Promise<{ rendered: RenderedPayload; isBatch: boolean }> {
  const { subscription, event, earlier, renderer } = addressed
  const takesBatches = subscription.settings.batchSettings?.enabled ?? false
  switch (earlier?.payload ?? 'none') {
    case 'none':
      if (takesBatches) return { rendered: await renderAlone(addressed, transform), isBatch: true }
      return { rendered: await renderer.render(event, subscription, transform), isBatch: false }
    case 'default':
      return { rendered: await renderer.renderDefault(event), isBatch: false }
    case 'kept': {
      const rendered = await renderKept(renderer, earlier?.kept ?? null)
      if (rendered.kind !== 'rendered') return { rendered, isBatch: false }
      // The settings may have changed since: the bytes themselves tell under which id they were sent.
      const { bytes, contentType } = rendered.payload
      const likely = mayBeBatch(bytes, contentType, loneBatchIdOf(addressed))
      return { rendered, isBatch: likely === 'maybe' ? takesBatches : likely === 'yes' }
    }
  }
}

/** Renders a batch of one. Its bytes are kept even in the default form: `default` stands for an event alone. */
async function renderAlone(
  addressed: Addressed,
  transform: Credentials['transform'],
): Promise<RenderedPayload> {
  const { subscription, event, renderer } = addressed
  const { payload, failed } = await renderBatch(renderer, {
    batchId: loneBatchIdOf(addressed),
    boundAtMs: event.acceptedAtMs,
    members: [{ event }],
    subscription,
    transform,
    maxBytes: Number.POSITIVE_INFINITY,
  })
  const [failure] = failed
  if (failure?.fault === 'template') return { kind: 'failed', message: failure.message }
  if (payload === null) return { kind: 'missing' }
  const text = payload.text ?? new TextDecoder().decode(payload.bytes)
  return { kind: 'rendered', payload: { ...payload, kind: 'kept', text } }
}

function loneBatchIdOf({ subscription, event, loneBatchId }: Addressed): string {
  return loneBatchId ?? batchIdOf({ subscriptionNo: subscription.no, batchNo: SEQ_MAX - event.seq })
}

async function renderMembers(
  { subscription, batch, members, maxBytes, renderer }: AddressedBatch,
  { transform }: Credentials,
  whole: BatchShares,
): Promise<RenderedBatch> {
  const { id: batchId, boundAtMs, kept, payloadKind } = batch
  const common = { batchId, boundAtMs, members, subscription, transform }
  switch (payloadKind) {
    case 'none':
      return await renderBatch(renderer, { ...common, maxBytes })
    case 'default':
      return await renderBatch(renderer, { ...common, maxBytes: Number.POSITIVE_INFINITY, isDefault: true })
    case 'kept': {
      const rendered = await renderKept(renderer, kept)
      return { payload: rendered.kind === 'rendered' ? rendered.payload : null, ...whole }
    }
  }
}

async function renderKept(renderer: PayloadRenderer, kept: KeptBody | null): Promise<RenderedPayload> {
  return kept === null ? { kind: 'missing' } : await renderer.renderKept(kept)
}

const NO_HEADERS: Record<string, string> = {}

/** `refused` are the headers of the request that was answered with 401, null for a first try. */
async function authorizeFor(
  deps: RequestDeps,
  subscription: Subscription,
  { auth }: Credentials,
  refused: Record<string, string> | null,
) {
  if (auth === null) return { ok: true as const, headers: NO_HEADERS }
  if (deps.authorize === null) return { ok: true as const, headers: maskedAuthHeaders(auth) }
  const { no, version, destinations } = subscription
  const target = { subscriptionNo: no, owner: subscription, version, destinations, auth }
  const options = refused === null ? { refresh: false as const } : { refresh: true as const, failed: refused }
  return await authorize(deps.authorize, target, options)
}

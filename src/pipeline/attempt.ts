import { eventIdOf, type StoredEvent } from '../domain/delivery.ts'
import { checkDestination } from '../domain/destination.ts'
import { defaultPayload } from '../domain/event.ts'
import { type AttemptResult, attemptError, classify, faultOfStatus, type Outcome } from '../domain/outcome.ts'
import { parseRetryAfter } from '../domain/retry-after.ts'
import { nextAttempt, resolvePolicy } from '../domain/retry-policy.ts'
import type { Subscription } from '../domain/subscription.ts'
import { openHeaders } from '../secrets/headers.ts'
import type { Vault } from '../secrets/vault.ts'
import { importSigningKeys, type SigningKeys, signStandard } from '../signature/sign.ts'
import { getBody } from '../storage/bodies.ts'
import type { AttemptRecord } from '../storage/settlement.ts'
import { type PostDeps, type PostResult, post } from './post.ts'

export type AttemptDeps = {
  bodies: R2Bucket
  vault: Vault
  http: PostDeps
  now: () => number
  random: () => number
  destinations: { allowPrivate: boolean; ownHostnames: readonly string[] }
  userAgent: string
  credentials: CredentialCache
}

/** One attempt to be made: number `n` of this event to this subscription. `payload` gives the bytes to send. */
export type Attempt = {
  subscription: Subscription
  event: StoredEvent
  n: number
  payload: () => Promise<Uint8Array<ArrayBuffer> | null>
}

/** What an attempt came to; `transient` marks a failure of our own that another attempt may not meet. */
type Answer = {
  result: AttemptResult
  latencyMs: number
  text: string
  retryAfter: string | null
  transient: boolean
}

/** What is secret of a subscription, ready for use. */
type Credentials = { keys: SigningKeys; headers: Record<string, string> }

/** Opened credentials by subscription and version, so that they are decrypted once per isolate. */
export class CredentialCache {
  readonly #opened = new Map<string, Promise<Credentials>>()

  /** The subscription's credentials; a failure is not remembered. */
  get(vault: Vault, subscription: Subscription): Promise<Credentials> {
    const key = `${subscription.no}/${subscription.version}`
    const known = this.#opened.get(key)
    if (known !== undefined) return known
    const opened = openCredentials(vault, subscription)
    if (this.#opened.size >= CREDENTIALS_MAX) this.#opened.clear()
    this.#opened.set(key, opened)
    opened.catch(() => this.#opened.delete(key))
    return opened
  }
}

const CREDENTIALS_MAX = 2_000

async function openCredentials(
  vault: Vault,
  { id, secretCipher, settings }: Subscription,
): Promise<Credentials> {
  const keys = await importSigningKeys(await vault.open(secretCipher ?? '', id))
  const headers = settings.headersCipher === null ? {} : await openHeaders(vault, id, settings.headersCipher)
  return { keys, headers }
}

/** Makes one attempt and says what is to be recorded. Never throws for anything the receiver or its settings did. */
export async function makeAttempt(deps: AttemptDeps, attempt: Attempt): Promise<AttemptRecord> {
  const atMs = deps.now()
  const answer = await send(deps, attempt, atMs).catch(
    (): Answer => ({ ...unsent('internal'), transient: true }),
  )
  return toRecord(deps, attempt, atMs, answer)
}

async function send(
  deps: AttemptDeps,
  { subscription, event, payload }: Attempt,
  atMs: number,
): Promise<Answer> {
  const { settings } = subscription
  const destination = checkDestination(settings.url, deps.destinations)
  if (!destination.ok) return unsent('blocked')
  const body = await payload()
  if (body === null) return unsent('internal')
  const { keys, headers: own } = await deps.credentials.get(deps.vault, subscription)
  const signed = await signStandard(keys, {
    id: eventIdOf(event),
    timestampSeconds: Math.floor(atMs / 1000),
    body,
  })
  const headers = {
    ...own,
    'Content-Type': 'application/json',
    'User-Agent': deps.userAgent,
    ...signed,
  }
  const timeoutMs = settings.timeoutSeconds * 1000
  return toAnswer(await post(deps.http, { url: destination.url, headers, body, timeoutMs }))
}

function unsent(fault: 'blocked' | 'internal'): Answer {
  return { result: { fault }, latencyMs: 0, text: '', retryAfter: null, transient: false }
}

function toAnswer(sent: PostResult): Answer {
  const { latencyMs } = sent
  if (sent.kind === 'fault') {
    return { result: { fault: sent.error }, latencyMs, text: '', retryAfter: null, transient: false }
  }
  const fault = faultOfStatus(sent.status, sent.viaCloudflare)
  const result = fault === null ? { status: sent.status } : { fault }
  return { result, latencyMs, text: sent.text, retryAfter: sent.retryAfter, transient: false }
}

function toRecord(deps: AttemptDeps, attempt: Attempt, atMs: number, answer: Answer): AttemptRecord {
  const { subscription, event, n } = attempt
  const nowMs = deps.now()
  const policy = resolvePolicy(subscription.settings.retryPolicy, event.type)
  const outcome: Outcome = answer.transient
    ? { kind: 'retry', retryAfterHonoured: false }
    : classify(answer.result, policy)
  const next =
    outcome.kind === 'retry' && !event.isTest
      ? nextAttempt({
          policy,
          attemptsMade: n,
          acceptedAtMs: event.acceptedAtMs,
          nowMs,
          random: deps.random(),
          retryAfterSeconds: outcome.retryAfterHonoured ? parseRetryAfter(answer.retryAfter, nowMs) : null,
        })
      : null
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: event.isTest,
    n,
    success: outcome.kind === 'success',
    dueAtMs: next?.kind === 'retry' ? next.dueAtMs : null,
    atMs,
    status: 'status' in answer.result ? answer.result.status : null,
    error: attemptError(answer.result),
    latencyMs: answer.latencyMs,
    response: answer.text === '' ? null : answer.text,
  }
}

/** The default payload's bytes; null when the event's large text is missing from R2. */
export async function renderPayload(
  bodies: R2Bucket,
  event: StoredEvent,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const id = eventIdOf(event)
  if (event.body !== null) return encode(defaultPayload({ id, type: event.type, body: event.body }))
  const rest = event.bodyKey === null ? null : await getBody(bodies, event.bodyKey)
  if (rest === null) return null
  const head = encode(defaultPayload({ id, type: event.type, body: '' }))
  const payload = new Uint8Array(head.length + rest.length)
  payload.set(head)
  payload.set(rest, head.length)
  return payload
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  // TextEncoder never answers a view of shared memory; its type only allows for one.
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
}

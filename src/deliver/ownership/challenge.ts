import { isRecord, parseJsonOrNull } from '../../base/json/value.ts'
import { iso } from '../../base/time.ts'
import type { StoredEvent } from '../../model/delivery.ts'
import { bodyText } from '../../model/event.ts'
import { attemptError } from '../../outcome/classify.ts'
import { CredentialCache } from '../../subscription/secrets/credentials.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { type PostRequest, post } from '../attempt/http/post.ts'
import { PayloadRenderer } from '../attempt/payload/payload-renderer.ts'
import { buildRequest } from '../attempt/request.ts'
import type { AttemptDeps } from '../attempt/send.ts'

/** The type of the event that asks a receiver to repeat its token. */
const CHALLENGE_TYPE = 'posthorn.challenge'
/** Longest time of each of the two requests; a subscription's own may be shorter. */
const TIMEOUT_MS_MAX = 5_000

export type ChallengeDeps = Pick<AttemptDeps, 'bodies' | 'request' | 'http' | 'newKey' | 'now'> & {
  /** The name of this relay in the handshake of CloudEvents. */
  origin: string
}

/** Null where the receiver has shown that it wants the deliveries; otherwise why that is not known. */
export type Challenged = { problem: string | null }

/**
 * Asks a receiver if it wants the deliveries of a subscription: first by the handshake of CloudEvents, an OPTIONS
 * request, then by a signed event whose token the answer must repeat. Never throws for the receiver's faults.
 */
export async function challenge(deps: ChallengeDeps, subscription: Subscription): Promise<Challenged> {
  const token = `challenge_${deps.newKey().replaceAll('-', '')}`
  const built = await buildRequest(withOwnCache(deps), addressed(deps, subscription, token), deps.now())
  if (built.kind === 'unsent') return { problem: built.message }
  const request = { ...built.request, timeoutMs: Math.min(built.request.timeoutMs, TIMEOUT_MS_MAX) }
  if (await isWelcome(deps, request)) return { problem: null }
  const answer = await post(deps.http, request)
  if (answer.kind === 'fault') {
    const error = attemptError({ fault: answer.error === 'stalled' ? 'internal' : answer.error })
    return { problem: `The challenge was not answered (${error}).` }
  }
  if (answer.status < 200 || answer.status > 299) {
    return { problem: `The challenge was answered ${answer.status}, and not with 2xx.` }
  }
  return { problem: repeats(answer.text, token) ? null : NOT_REPEATED }
}

const NOT_REPEATED =
  'The answer to the challenge did not repeat its token, as the whole text or as {"token": "…"}.'

/** The handshake of CloudEvents' HTTP webhooks (section 4 of version 1.0.2). */
async function isWelcome(
  { http, origin }: ChallengeDeps,
  { url, headers, timeoutMs, fetch = http.fetch }: PostRequest,
): Promise<boolean> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'OPTIONS',
      headers: { 'User-Agent': headers['User-Agent'] ?? '', 'WebHook-Request-Origin': origin },
      redirect: 'manual',
      signal: abort.signal,
    })
    await response.body?.cancel()
    const allowed = response.headers.get('webhook-allowed-origin')?.trim().toLowerCase()
    return response.ok && (allowed === '*' || allowed === origin.toLowerCase())
  } catch {
    // The event that follows meets the same fault, and tells of it.
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** A token that stands anywhere else may be an echo of the request. */
function repeats(text: string, token: string): boolean {
  if (text.trim() === token) return true
  const json = parseJsonOrNull(text)
  return isRecord(json) && json['token'] === token
}

/** The subscription's own template and batches are for its events. */
function addressed(deps: ChallengeDeps, subscription: Subscription, token: string) {
  const settings = { ...subscription.settings, transform: null, batchSettings: null }
  return {
    subscription: { ...subscription, settings },
    event: challengeEvent(subscription, { token, nowMs: deps.now() }),
    attemptNo: 1,
    earlier: null,
    renderer: new PayloadRenderer(deps.bodies),
  }
}

function challengeEvent(
  { workspaceNo, id }: Subscription,
  { token, nowMs }: { token: string; nowMs: number },
): StoredEvent {
  return {
    workspaceNo,
    seq: 0,
    type: CHALLENGE_TYPE,
    acceptedAtMs: nowMs,
    ownId: token,
    isTest: true,
    isDispatch: false,
    deliverAtMs: null,
    expiresAfterSeconds: null,
    cancelledAtMs: null,
    erasedAtMs: null,
    body: bodyText({
      timestamp: iso(nowMs),
      livemode: false,
      apiVersion: 'v1',
      data: JSON.stringify({ token, object: { webhookId: id } }),
      context: '{}',
    }),
    bodyKey: null,
  }
}

/** Credentials compiled without the template are not those that deliveries use. */
function withOwnCache({ request }: ChallengeDeps) {
  return { ...request, credentials: new CredentialCache() }
}

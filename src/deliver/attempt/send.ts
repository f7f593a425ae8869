import { TOKEN_TIMEOUT_MS } from '../../destination/token-request.ts'
import { type AttemptResult, faultOfStatus } from '../../outcome/classify.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { type PostDeps, type PostRequest, type PostResult, post, type ResponseHead } from './http/post.ts'
import type { Payload } from './payload/payload-renderer.ts'
import { type Built, type RequestDeps, renewRequest, type Unsent } from './request.ts'

/** The dependencies of an attempt. */
export type AttemptDeps = {
  bodies: R2Bucket
  request: RequestDeps
  http: PostDeps
  now: () => number
  random: () => number
  newKey: () => string
}

/** The answer to a request, or the fault that stands for it. */
export type Answer = {
  result: AttemptResult
  /** The status that came before a fault in the answer's body; null otherwise. */
  headStatus: number | null
  /** The beginning of the answer, whole or not; null where none came. */
  head: ResponseHead | null
  latencyMs: number
  text: string
  retryAfter: string | null
  /** A failure of our own that another attempt may not meet. */
  transient: boolean
  /** The payload that was sent; null where none was rendered. */
  payload: Payload | null
}

/** The status by which a receiver refuses an access token that may have been withdrawn. */
const UNAUTHORIZED = 401

/** Sends a request, once more with a new access token where the receiver refuses the old one. */
export async function send(
  { request, http }: Pick<AttemptDeps, 'request' | 'http'>,
  subscription: Subscription,
  built: Built,
): Promise<Answer> {
  const sent = await postAgainAtOnce(http, built.request)
  if (sent.kind === 'response' && sent.status === UNAUTHORIZED) {
    const renewed = await renewRequest(request, subscription, built)
    if (renewed !== null) return toAnswer(await post(http, renewed), built.payload)
  }
  return toAnswer(sent, built.payload)
}

type UnsentParts = Omit<Unsent, 'kind' | 'isTransient'> & { isTransient?: boolean }

/** The answer to a request that could not be made. */
export function unsentAnswer({ fault, message, payload, isTransient = false }: UnsentParts): Answer {
  const unanswered = { headStatus: null, head: null, latencyMs: 0, retryAfter: null, transient: isTransient }
  return { ...unanswered, result: { fault }, text: message, payload }
}

/** The answer where the relay itself failed on the way. */
export function brokenAnswer(): Answer {
  return unsentAnswer({ fault: 'internal', message: '', payload: null, isTransient: true })
}

/** A kept connection that the receiver has closed breaks as fast as this. */
const BREAK_MS_MAX = 100

/** Makes a request once more where its end was not the receiver's doing. */
async function postAgainAtOnce(http: PostDeps, request: PostRequest): Promise<PostResult> {
  const sent = await post(http, request)
  return isWorthRepeating(http, request, sent) ? await post(http, request) : sent
}

/** The relay stood still while the answer may have come, or the request met a kept connection as it was closed. */
function isWorthRepeating({ connections, now }: PostDeps, { url }: PostRequest, sent: PostResult): boolean {
  if (sent.kind !== 'fault') return false
  if (sent.error === 'stalled') return true
  const isBroken = sent.error === 'connection' && sent.head === null && sent.latencyMs <= BREAK_MS_MAX
  return isBroken && connections.mayBeKept(url, now())
}

function toAnswer(sent: PostResult, payload: Payload): Answer {
  const { latencyMs, head } = sent
  const common = { latencyMs, head, transient: false, payload }
  if (sent.kind === 'fault') {
    if (sent.error === 'stalled') return { ...brokenAnswer(), latencyMs, payload }
    return {
      ...common,
      result: { fault: sent.error },
      headStatus: head?.status ?? null,
      text: sent.text,
      retryAfter: null,
    }
  }
  const fault = faultOfStatus(sent.status, sent.viaCloudflare)
  const result = fault === null ? { status: sent.status } : { fault }
  return { ...common, result, headStatus: null, text: sent.text, retryAfter: sent.retryAfter }
}

/** The longest time of an attempt: it may ask for an access token, be refused, ask for another one and try again. */
export function longestAttemptMs({ settings, sealed }: Subscription): number {
  const timeoutMs = settings.timeoutSeconds * 1000
  return sealed.authCipher === null ? timeoutMs : 2 * (timeoutMs + TOKEN_TIMEOUT_MS)
}

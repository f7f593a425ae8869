import type { PayloadKind } from '../../model/delivery.ts'
import { INLINE_BODY_CHARS_MAX } from '../../model/event.ts'
import { type AttemptResult, classify, faultOfStatus, type Outcome } from '../../outcome/classify.ts'
import { applyResponseRules, type ResponseVerdict } from '../../outcome/response-rules.ts'
import { parseRetryAfter } from '../../outcome/retry-after.ts'
import { type NextAttempt, nextAttempt, resolvePolicy } from '../../outcome/retry-policy.ts'
import { putBody } from '../../store/bodies.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { KeptBody } from '../claims.sql.ts'
import type { Payload } from './payload-renderer.ts'
import { type PostDeps, type PostResult, post } from './post.ts'
import { type Built, type RequestDeps, renewRequest, type Unsent } from './request.ts'

export type AttemptDeps = {
  bodies: R2Bucket
  request: RequestDeps
  http: PostDeps
  now: () => number
  random: () => number
  newKey: () => string
}

/** What an attempt came to; `transient` marks a failure of our own that another attempt may not meet. */
export type Answer = {
  result: AttemptResult
  latencyMs: number
  text: string
  retryAfter: string | null
  transient: boolean
  payload: Payload | null
}

/** What is to become of what was sent. */
export type Decision = {
  outcome: Outcome
  next: NextAttempt | null
  /** Whether a response rule has called the answer a success or final. */
  isExpected: boolean
  retryAfterUntilMs: number | null
}

/** What the next attempt depends on beside the answer. */
export type Asked = {
  subscription: Subscription
  /** The event's type; a batch has none of its own. */
  type: string
  /** Tests are not repeated. */
  isTest: boolean
  attemptsMade: number
  /** What the policy's `maxAgeSeconds` counts from. */
  startedAtMs: number
}

/** The status by which a receiver refuses an access token that may have been withdrawn. */
const UNAUTHORIZED = 401

/** Sends a request, once more with a new access token where the receiver refuses the old one. */
export async function transmit(
  { request, http }: Pick<AttemptDeps, 'request' | 'http'>,
  subscription: Subscription,
  built: Built,
): Promise<Answer> {
  const sent = await post(http, built.request)
  if (sent.kind === 'response' && sent.status === UNAUTHORIZED) {
    const renewed = await renewRequest(request, subscription, built)
    if (renewed !== null) return toAnswer(await post(http, renewed), built.payload)
  }
  return toAnswer(sent, built.payload)
}

/** The answer to a request that could not be made. */
export function unsentAnswer({ fault, message, payload }: Omit<Unsent, 'kind'>): Answer {
  return { result: { fault }, latencyMs: 0, text: message, retryAfter: null, transient: false, payload }
}

/** The answer where the relay itself failed on the way. */
export function brokenAnswer(): Answer {
  return { ...unsentAnswer({ fault: 'internal', message: '', payload: null }), transient: true }
}

function toAnswer(sent: PostResult, payload: Payload): Answer {
  const { latencyMs } = sent
  const common = { latencyMs, transient: false, payload }
  if (sent.kind === 'fault') return { ...common, result: { fault: sent.error }, text: '', retryAfter: null }
  const fault = faultOfStatus(sent.status, sent.viaCloudflare)
  const result = fault === null ? { status: sent.status } : { fault }
  return { ...common, result, text: sent.text, retryAfter: sent.retryAfter }
}

/** Decides by the answer, the subscription's rules and its policy. */
export function decide(
  { now, random }: Pick<AttemptDeps, 'now' | 'random'>,
  asked: Asked,
  answer: Answer,
): Decision {
  const { retryPolicy, profile, responseRules } = asked.subscription.settings
  const { result } = answer
  const policy = resolvePolicy(retryPolicy, asked.type, { retryClientErrors: profile !== 'ledgerly' })
  const ruled =
    'status' in result
      ? applyResponseRules(responseRules, { status: result.status, text: answer.text })
      : null
  const outcome = outcomeOf(answer, policy, ruled)
  const nowMs = now()
  const retryAfterSeconds =
    outcome.kind === 'retry' && outcome.retryAfterHonoured ? parseRetryAfter(answer.retryAfter, nowMs) : null
  const next =
    outcome.kind !== 'retry' || asked.isTest
      ? null
      : nextAttempt({
          policy,
          attemptsMade: asked.attemptsMade,
          acceptedAtMs: asked.startedAtMs,
          nowMs,
          random: random(),
          retryAfterSeconds,
        })
  return {
    outcome,
    next,
    isExpected: ruled === 'success' || ruled === 'final',
    retryAfterUntilMs: retryAfterSeconds === null ? null : nowMs + retryAfterSeconds * 1000,
  }
}

function outcomeOf(
  { result, transient }: Answer,
  policy: { retryClientErrors: boolean },
  ruled: ResponseVerdict | null,
): Outcome {
  if (transient) return { kind: 'retry', retryAfterHonoured: false }
  const usual = classify(result, policy)
  switch (ruled) {
    case null:
      return usual
    case 'success':
    case 'final':
      return { kind: ruled }
    case 'retry':
      return usual.kind === 'retry' ? usual : { kind: 'retry', retryAfterHonoured: false }
  }
}

/** Keeps what a failed first attempt was to send, so that every retry sends the same bytes. */
export async function keepPayload(
  { bodies, newKey }: Pick<AttemptDeps, 'bodies' | 'newKey'>,
  payload: Payload | null,
): Promise<{ payload: PayloadKind; kept: KeptBody | null }> {
  if (payload === null) return { payload: 'none', kept: null }
  const { kind, contentType, text } = payload
  if (text === null) return { payload: kind, kept: null }
  if (text.length <= INLINE_BODY_CHARS_MAX) {
    return { payload: 'kept', kept: { contentType, body: text, bodyKey: null } }
  }
  const bodyKey = newKey()
  try {
    await putBody(bodies, bodyKey, text)
  } catch {
    // Rendered again, an event gives the same bytes as long as the settings stay: better than losing the outcome.
    return { payload: 'none', kept: null }
  }
  return { payload: 'kept', kept: { contentType, body: null, bodyKey } }
}

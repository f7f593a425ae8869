import { type BreakerSignal, breakerSignal } from '../domain/breaker.ts'
import type { PayloadKind } from '../domain/delivery.ts'
import { INLINE_BODY_CHARS_MAX } from '../domain/event.ts'
import { type AttemptResult, attemptError, classify, faultOfStatus, type Outcome } from '../domain/outcome.ts'
import { applyResponseRules, type ResponseVerdict } from '../domain/response-rules.ts'
import { parseRetryAfter } from '../domain/retry-after.ts'
import { type NextAttempt, nextAttempt, resolvePolicy } from '../domain/retry-policy.ts'
import { putBody } from '../storage/bodies.ts'
import type { KeptBody } from '../storage/claims.ts'
import type { AttemptRecord } from '../storage/settlement.ts'
import type { Payload } from './payload.ts'
import { type PostDeps, type PostResult, post } from './post.ts'
import { type Addressed, buildRequest, type RequestDeps, renewRequest } from './request.ts'

export type AttemptDeps = {
  bodies: R2Bucket
  request: RequestDeps
  http: PostDeps
  now: () => number
  random: () => number
  newKey: () => string
}

/** One attempt to be made: number `n` of this event to this subscription. */
export type Attempt = Addressed & { n: number }

/** What an attempt came to; `transient` marks a failure of our own that another attempt may not meet. */
type Answer = {
  result: AttemptResult
  latencyMs: number
  text: string
  retryAfter: string | null
  transient: boolean
  payload: Payload | null
}

/** The status by which a receiver refuses an access token that may have been withdrawn. */
const UNAUTHORIZED = 401

/** What an attempt came to: what is to be recorded, and what it says of the receiver. */
export type AttemptReport = {
  record: AttemptRecord
  signal: BreakerSignal
  /** Until when the receiver asked to be left alone, in unix milliseconds; null for no such wish. */
  retryAfterUntilMs: number | null
  isGone: boolean
}

/** Makes one attempt and says what came of it. Never throws for anything the receiver or its settings did. */
export async function makeAttempt(deps: AttemptDeps, attempt: Attempt): Promise<AttemptReport> {
  const atMs = deps.now()
  const answer = await send(deps, attempt, atMs).catch(
    (): Answer => ({ ...unsentAnswer('internal', '', null), transient: true }),
  )
  const decision = decide(deps, attempt, answer)
  const record = await toRecord(deps, attempt, { atMs, answer, decision })
  const { outcome, isExpected, retryAfterUntilMs } = decision
  const signal = breakerSignal(answer.result, isExpected)
  return { record, signal, retryAfterUntilMs, isGone: outcome.kind === 'gone' }
}

async function send(deps: AttemptDeps, attempt: Attempt, atMs: number): Promise<Answer> {
  const built = await buildRequest(deps.request, attempt, atMs)
  if (built.kind === 'unsent') return unsentAnswer(built.fault, built.message, built.payload)
  const { request, payload } = built
  const sent = await post(deps.http, request)
  if (sent.kind === 'response' && sent.status === UNAUTHORIZED) {
    const renewed = await renewRequest(deps.request, attempt.subscription, built)
    if (renewed !== null) return toAnswer(await post(deps.http, renewed), payload)
  }
  return toAnswer(sent, payload)
}

function unsentAnswer(
  fault: 'blocked' | 'internal' | 'template' | 'auth',
  text: string,
  payload: Payload | null,
): Answer {
  return { result: { fault }, latencyMs: 0, text, retryAfter: null, transient: false, payload }
}

function toAnswer(sent: PostResult, payload: Payload): Answer {
  const { latencyMs } = sent
  const common = { latencyMs, transient: false, payload }
  if (sent.kind === 'fault') return { ...common, result: { fault: sent.error }, text: '', retryAfter: null }
  const fault = faultOfStatus(sent.status, sent.viaCloudflare)
  const result = fault === null ? { status: sent.status } : { fault }
  return { ...common, result, text: sent.text, retryAfter: sent.retryAfter }
}

async function toRecord(
  deps: AttemptDeps,
  { subscription, event, n, earlier }: Attempt,
  { atMs, answer, decision: { outcome, next } }: { atMs: number; answer: Answer; decision: Decision },
): Promise<AttemptRecord> {
  const success = outcome.kind === 'success'
  const keeping =
    success || (earlier?.payload ?? 'none') !== 'none'
      ? { payload: earlier?.payload ?? ('none' as const), kept: null }
      : await keep(deps, answer.payload)
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: event.isTest,
    n,
    success,
    dueAtMs: next?.kind === 'retry' ? next.dueAtMs : null,
    atMs,
    status: 'status' in answer.result ? answer.result.status : null,
    error: success ? null : (attemptError(answer.result) ?? 'http_status'),
    latencyMs: answer.latencyMs,
    response: answer.text === '' ? null : answer.text,
    ...keeping,
  }
}

type Decision = {
  outcome: Outcome
  next: NextAttempt | null
  /** Whether a response rule has called the answer a success or final. */
  isExpected: boolean
  retryAfterUntilMs: number | null
}

function decide(deps: AttemptDeps, { subscription, event, n, earlier }: Attempt, answer: Answer): Decision {
  const { retryPolicy, profile, responseRules } = subscription.settings
  const { result } = answer
  const policy = resolvePolicy(retryPolicy, event.type, { retryClientErrors: profile !== 'ledgerly' })
  const ruled =
    'status' in result
      ? applyResponseRules(responseRules, { status: result.status, text: answer.text })
      : null
  const outcome = outcomeOf(answer, policy, ruled)
  const nowMs = deps.now()
  const retryAfterSeconds =
    outcome.kind === 'retry' && outcome.retryAfterHonoured ? parseRetryAfter(answer.retryAfter, nowMs) : null
  const next =
    outcome.kind !== 'retry' || event.isTest
      ? null
      : nextAttempt({
          policy,
          attemptsMade: n - (earlier?.replayBase ?? 0),
          // A replay of an old event has its whole schedule before it.
          acceptedAtMs: earlier?.replayId ? nowMs : event.acceptedAtMs,
          nowMs,
          random: deps.random(),
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
async function keep(
  deps: AttemptDeps,
  payload: Payload | null,
): Promise<{ payload: PayloadKind; kept: KeptBody | null }> {
  if (payload === null) return { payload: 'none', kept: null }
  const { kind, contentType, text } = payload
  if (text === null) return { payload: kind, kept: null }
  if (text.length <= INLINE_BODY_CHARS_MAX) {
    return { payload: 'kept', kept: { contentType, body: text, bodyKey: null } }
  }
  const bodyKey = deps.newKey()
  try {
    await putBody(deps.bodies, bodyKey, text)
  } catch {
    // Rendered again, an event gives the same bytes as long as the settings stay: better than losing the outcome.
    return { payload: 'none', kept: null }
  }
  return { payload: 'kept', kept: { contentType, body: null, bodyKey } }
}

import type { PayloadKind } from '../../model/delivery.ts'
import { attemptError } from '../../outcome/classify.ts'
import { type BreakerSignal, breakerSignal } from '../../receiver/breaker.ts'
import { detailOf } from './answer-detail.ts'
import type { KeptBody } from './claimed-delivery.ts'
import { type Decision, type DecisionInput, decide } from './decide.ts'
import { type Keeping, keepPayload } from './payload/keep-payload.ts'
import { type Addressed, buildRequest } from './request.ts'
import { type Answer, type AttemptDeps, brokenAnswer, send, unsentAnswer } from './send.ts'

export type { AttemptDeps } from './send.ts'

/** One attempt to be made of this event to this subscription. */
export type Attempt = Addressed

/** The result of an attempt: the record to be written, and what it says of the receiver. */
export type AttemptReport = {
  record: AttemptRecord
  signal: BreakerSignal
  /** Until when the receiver asked to be left alone, in unix milliseconds; null for no such wish. */
  retryAfterUntilMs: number | null
  isGone: boolean
}

/**
 * Makes one attempt: builds the request, sends it, decides what follows from the answer, and keeps the payload where a
 * retry must send the same bytes. Never throws for anything the receiver or its settings did.
 */
export async function makeAttempt(deps: AttemptDeps, attempt: Attempt): Promise<AttemptReport> {
  const atMs = deps.now()
  const answer = await buildAndSend(deps, attempt, atMs).catch(brokenAnswer)
  const decision = decide(deps, decisionInput(deps, attempt), answer)
  const keeping = await keepForRetries(deps, attempt, { answer, decision })
  const { outcome, isExpected, retryAfterUntilMs } = decision
  return {
    record: recordOf(attempt, { atMs, answer, decision, keeping }),
    signal: breakerSignal(answer.result, isExpected),
    retryAfterUntilMs,
    isGone: outcome.kind === 'gone',
  }
}

async function buildAndSend(deps: AttemptDeps, attempt: Attempt, atMs: number): Promise<Answer> {
  const built = await buildRequest(deps.request, attempt, atMs)
  return built.kind === 'unsent' ? unsentAnswer(built) : await send(deps, attempt.subscription, built)
}

function decisionInput(
  { now }: AttemptDeps,
  { subscription, event, attemptNo, earlier }: Attempt,
): DecisionInput {
  return {
    subscription,
    type: event.type,
    isTest: event.isTest,
    attemptsMade: attemptNo - (earlier?.replayBase ?? 0),
    // A replay of an old event has its whole schedule before it.
    startedAtMs: earlier?.replayId ? now() : event.acceptedAtMs,
  }
}

/** A payload is kept at the first failure and stays the same from then on. */
async function keepForRetries(
  deps: AttemptDeps,
  { earlier }: Attempt,
  { answer, decision }: { answer: Answer; decision: Decision },
): Promise<Keeping> {
  const payload = earlier?.payload ?? 'none'
  const isKept = decision.outcome.kind === 'success' || payload !== 'none'
  return isKept ? { payload, kept: null } : await keepPayload(deps, answer.payload)
}

function recordOf(
  { subscription, event, attemptNo }: Attempt,
  found: { atMs: number; answer: Answer; decision: Decision; keeping: Keeping },
): AttemptRecord {
  const success = found.decision.outcome.kind === 'success'
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: event.isTest,
    attemptNo,
    success,
    dueAtMs: found.decision.dueAtMs,
    atMs: found.atMs,
    ...answerFields(found.answer, success),
    detail: detailOf(found.answer, { version: subscription.version, isShort: success }),
    ...found.keeping,
    batchNo: null,
    isCounted: true,
  }
}

/** The part of a record that shows the answer. */
export function answerFields(
  answer: Answer,
  success: boolean,
): Pick<AttemptRecord, 'status' | 'error' | 'latencyMs' | 'response'> {
  return {
    status: 'status' in answer.result ? answer.result.status : answer.headStatus,
    error: success ? null : (attemptError(answer.result) ?? 'http_status'),
    latencyMs: answer.latencyMs,
    response: answer.text === '' ? null : answer.text,
  }
}

/** An attempt's outcome, to be recorded. */
export type AttemptRecord = {
  subscriptionNo: number
  seq: number
  type: string
  isTest: boolean
  /** The attempt's number, from 1. */
  attemptNo: number
  success: boolean
  /** When the next attempt is due; null when there is none. */
  dueAtMs: number | null
  atMs: number
  /** The status that came, also where the answer's body did not come to its end. */
  status: number | null
  error: string | null
  latencyMs: number
  /** The receiver's text; where no request was made, the reason. */
  response: string | null
  /** What else is kept of the answer, as its column holds it; null where no request was made. */
  detail: string | null
  payload: PayloadKind
  /** The bytes to be kept for retries; null where nothing is, or it is kept already. */
  kept: KeptBody | null
  /** The batch that carried it; null where it went alone. */
  batchNo: number | null
  /** It stands for a request in the statistics: one member of each batch does. */
  isCounted: boolean
}

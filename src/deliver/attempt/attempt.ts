import type { PayloadKind } from '../../model/delivery.ts'
import { attemptError } from '../../outcome/classify.ts'
import { dueWhenExhausted } from '../../outcome/retry-policy.ts'
import { type BreakerSignal, breakerSignal } from '../../receiver/breaker.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { KeptBody } from './claimed-delivery.ts'
import { type Decision, decide } from './decide.ts'
import { keepPayload } from './keep-payload.ts'
import { type Addressed, buildRequest } from './request.ts'
import { type Answer, type AttemptDeps, brokenAnswer, transmit, unsentAnswer } from './send.ts'

export type { AttemptDeps } from './send.ts'

/** One attempt to be made: number `attemptNo` of this event to this subscription. */
export type Attempt = Addressed & { attemptNo: number }

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
  const answer = await send(deps, attempt, atMs).catch(brokenAnswer)
  const { subscription, event, attemptNo, earlier } = attempt
  const decision = decide(
    deps,
    {
      subscription,
      type: event.type,
      isTest: event.isTest,
      attemptsMade: attemptNo - (earlier?.replayBase ?? 0),
      // A replay of an old event has its whole schedule before it.
      startedAtMs: earlier?.replayId ? deps.now() : event.acceptedAtMs,
    },
    answer,
  )
  const record = await toRecord(deps, attempt, { atMs, answer, decision })
  const { outcome, isExpected, retryAfterUntilMs } = decision
  const signal = breakerSignal(answer.result, isExpected)
  return { record, signal, retryAfterUntilMs, isGone: outcome.kind === 'gone' }
}

async function send(deps: AttemptDeps, attempt: Attempt, atMs: number): Promise<Answer> {
  const built = await buildRequest(deps.request, attempt, atMs)
  return built.kind === 'unsent' ? unsentAnswer(built) : await transmit(deps, attempt.subscription, built)
}

async function toRecord(
  deps: AttemptDeps,
  attempt: Attempt,
  { atMs, answer, decision }: { atMs: number; answer: Answer; decision: Decision },
): Promise<AttemptRecord> {
  const { subscription, event, attemptNo, earlier } = attempt
  const { outcome } = decision
  const success = outcome.kind === 'success'
  const keeping =
    success || (earlier?.payload ?? 'none') !== 'none'
      ? { payload: earlier?.payload ?? ('none' as const), kept: null }
      : await keepPayload(deps, answer.payload)
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: event.isTest,
    attemptNo,
    success,
    dueAtMs: dueAfter(attempt.subscription, decision, event.isTest),
    atMs,
    ...answerFields(answer, success),
    ...keeping,
    batchNo: null,
    isCounted: true,
  }
}

/** When a delivery is due after an attempt; null when it is over. */
export function dueAfter(
  subscription: Subscription,
  { outcome, next }: Decision,
  isTest: boolean,
): number | null {
  if (next?.kind === 'retry') return next.dueAtMs
  // Who answers 410 is given up as a whole: nothing of it waits for anybody.
  return outcome.kind === 'success' || outcome.kind === 'gone' || isTest
    ? null
    : dueWhenExhausted(subscription.settings)
}

/** What the log shows of an answer. */
export function answerFields(
  answer: Answer,
  success: boolean,
): Pick<AttemptRecord, 'status' | 'error' | 'latencyMs' | 'response'> {
  return {
    status: 'status' in answer.result ? answer.result.status : null,
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
  status: number | null
  error: string | null
  latencyMs: number
  /** The receiver's text; where no request was made, what kept it from being made. */
  response: string | null
  payload: PayloadKind
  /** What is to be kept for retries; null where nothing is, or it is kept already. */
  kept: KeptBody | null
  /** The batch that carried it; null where it went alone. */
  batchNo: number | null
  /** Whether it stands for a request in the statistics: one member of each batch does. */
  isCounted: boolean
}

import { type ClientErrorPolicy, classify, type Outcome } from '../../outcome/classify.ts'
import { retryDefaultsOf } from '../../outcome/profile-defaults.ts'
import { applyResponseRules, type ResponseVerdict } from '../../outcome/response-rules.ts'
import { parseRetryAfter } from '../../outcome/retry-after.ts'
import { dueWhenExhausted, nextAttempt, resolvePolicy } from '../../outcome/retry-policy.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { Answer, AttemptDeps } from './send.ts'

/** The consequence of an answer for the delivery. */
export type Decision = {
  outcome: Outcome
  /** When the delivery is due again; null when it is over. */
  dueAtMs: number | null
  /** A response rule has called the answer a success or final. */
  isExpected: boolean
  retryAfterUntilMs: number | null
}

/** The circumstances that a decision depends on beside the answer. */
export type DecisionInput = {
  subscription: Subscription
  /** The event's type; a batch has none of its own. */
  type: string
  /** Tests are not repeated. */
  isTest: boolean
  attemptsMade: number
  /** The policy's `maxAgeSeconds` counts from here. */
  startedAtMs: number
}

/** Decides by the answer, the subscription's response rules and its retry policy. */
export function decide(
  { now, random }: Pick<AttemptDeps, 'now' | 'random'>,
  input: DecisionInput,
  answer: Answer,
): Decision {
  const { retryPolicy, profile } = input.subscription.settings
  const policy = resolvePolicy(retryPolicy, input.type, retryDefaultsOf(profile))
  const ruled = verdictOf(input.subscription, answer)
  const outcome = outcomeOf(answer, policy, ruled)
  const nowMs = now()
  const retryAfterSeconds = askedSeconds(answer, outcome, { policy, nowMs })
  const { attemptsMade, startedAtMs: acceptedAtMs } = input
  const next =
    outcome.kind !== 'retry' || input.isTest
      ? null
      : nextAttempt({ policy, attemptsMade, acceptedAtMs, nowMs, random: random(), retryAfterSeconds })
  return {
    outcome,
    dueAtMs: next?.kind === 'retry' ? next.dueAtMs : dueWithoutRetry(outcome, input),
    isExpected: ruled !== null && ruled.outcome !== 'retry',
    retryAfterUntilMs: retryAfterSeconds === null ? null : nowMs + retryAfterSeconds * 1000,
  }
}

function verdictOf({ settings }: Subscription, { result, text }: Answer): ResponseVerdict | null {
  return 'status' in result
    ? applyResponseRules(settings.responseRules, { status: result.status, text })
    : null
}

function outcomeOf(
  { result, transient }: Answer,
  policy: ClientErrorPolicy,
  ruled: ResponseVerdict | null,
): Outcome {
  if (transient) return { kind: 'retry', retryAfterHonoured: false }
  const usual = classify(result, policy)
  if (ruled === null) return usual
  switch (ruled.outcome) {
    case 'success':
    case 'final':
      return { kind: ruled.outcome }
    case 'retry': {
      const isUsual = usual.kind === 'retry' && usual.retryAfterHonoured
      return { kind: 'retry', retryAfterHonoured: ruled.respectRetryAfter ?? isUsual }
    }
  }
}

/** The wait that the receiver asks for, as far as the policy lets it; null where it does not count. */
function askedSeconds(
  { retryAfter }: Answer,
  outcome: Outcome,
  { policy, nowMs }: { policy: { maxRetryAfterSeconds: number }; nowMs: number },
): number | null {
  if (outcome.kind !== 'retry' || !outcome.retryAfterHonoured || policy.maxRetryAfterSeconds === 0)
    return null
  const seconds = parseRetryAfter(retryAfter, nowMs)
  return seconds === null ? null : Math.min(seconds, policy.maxRetryAfterSeconds)
}

/** A delivery that has failed for good may still block the ones behind it. */
function dueWithoutRetry({ kind }: Outcome, { isTest, subscription }: DecisionInput): number | null {
  // A receiver that answers 410 is given up as a whole: nothing waits behind this delivery.
  return kind === 'success' || kind === 'gone' || isTest ? null : dueWhenExhausted(subscription.settings)
}

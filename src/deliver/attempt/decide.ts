import { classify, type Outcome } from '../../outcome/classify.ts'
import { applyResponseRules, type ResponseVerdict } from '../../outcome/response-rules.ts'
import { parseRetryAfter } from '../../outcome/retry-after.ts'
import { type NextAttempt, nextAttempt, resolvePolicy } from '../../outcome/retry-policy.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { Answer, AttemptDeps } from './send.ts'

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

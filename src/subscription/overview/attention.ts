import { durationInWords } from '../../base/time.ts'
import { heldUntilOf } from '../../receiver/breaker.ts'
import { assessBudget, resolveDisablePolicy } from '../../receiver/failure-budget.ts'
import type { Subscription } from '../subscription.ts'

export const ATTENTION_KINDS = ['disabled', 'unverified', 'blocked', 'failing', 'near_limit'] as const

/** A thing that a person has to see to: since when, in words, with the next step. */
export type Attention = {
  kind: (typeof ATTENTION_KINDS)[number]
  sinceMs: number | null
  summary: string
  nextStep: string
}

/** Failed attempts in a row, without a success between them, from which a receiver counts as failing. */
export const FAILURES_MIN = 3

type Watched = Pick<
  Subscription,
  'active' | 'disabledReason' | 'updatedAtMs' | 'challenge' | 'budget' | 'breaker' | 'settings'
>

/** Says what of a subscription a person has to see to now; `blocked` deliveries hold others behind them. */
export function attentionsOf(
  subscription: Watched,
  { blocked, nowMs }: { blocked: number; nowMs: number },
): Attention[] {
  const disabled = disabledInWords(subscription)
  if (disabled !== null) return [disabled]
  const failing = failingInWords(subscription, nowMs)
  return [...(blocked > 0 ? [blockedInWords(blocked)] : []), ...(failing === null ? [] : [failing])]
}

function disabledInWords({ active, disabledReason, updatedAtMs, challenge }: Watched): Attention | null {
  if (active) return null
  switch (disabledReason) {
    case 'gone':
      return {
        kind: 'disabled',
        sinceMs: updatedAtMs,
        summary: 'Disabled: the receiver answered 410 Gone.',
        nextStep:
          'Ask its owner for the URL that counts now, change it, enable the subscription, and replay.',
      }
    case 'failing':
      return {
        kind: 'disabled',
        sinceMs: updatedAtMs,
        summary: 'Disabled: the receiver failed for so long that its failure budget is spent.',
        nextStep:
          'See its last failures. Once it works, enable the subscription and replay what it has missed.',
      }
    case 'unverified':
      return {
        kind: 'unverified',
        sinceMs: challenge.atMs,
        summary: `Its host has not answered the challenge${challenge.problem === null ? '' : `: ${challenge.problem}`}.`,
        nextStep: 'Have the receiver answer the challenge, then challenge it again.',
      }
    case 'manual':
    case null:
      return null
  }
}

function failingInWords(subscription: Watched, nowMs: number): Attention | null {
  const { budget, breaker, settings } = subscription
  const { failingSinceMs, failedAttempts } = budget
  if (failingSinceMs === null || failedAttempts < FAILURES_MIN) return null
  const { percent } = assessBudget(budget, resolveDisablePolicy(settings.disablePolicy), nowMs)
  const heldUntilMs = heldUntilOf(breaker, nowMs)
  const spent = percent > 0 ? `, ${percent} % of its failure budget is spent` : ''
  const held =
    heldUntilMs === null ? '' : `; its deliveries are held for ${durationInWords(heldUntilMs - nowMs)}`
  return {
    kind: 'failing',
    sinceMs: failingSinceMs,
    summary: `Fails for ${durationInWords(nowMs - failingSinceMs)}: ${failedAttempts} attempts without a success${spent}${held}.`,
    nextStep: 'See its last failures, and tell the owner of the receiver.',
  }
}

function blockedInWords(blocked: number): Attention {
  const what =
    blocked === 1
      ? 'One delivery has used up its retries and holds'
      : `${blocked} deliveries have used up their retries and hold`
  return {
    kind: 'blocked',
    sinceMs: null,
    summary: `${what} those behind in the order.`,
    nextStep: 'Retry them once the receiver takes them, or cancel their events.',
  }
}

/** Says that a limit is nearly reached; null where enough is left. */
export function nearLimit(name: string, { limit, left }: { limit: number; left: number }): Attention | null {
  if (left > limit * LEFT_SHARE_MIN) return null
  return {
    kind: 'near_limit',
    sinceMs: null,
    summary: `${limit - left} of ${limit} of the limit ${name} are used.`,
    nextStep: 'Ask the operator for a higher limit, or use less.',
  }
}

/** The share of a limit that has to be left. */
const LEFT_SHARE_MIN = 0.1

import { PING_TYPE } from '../model/event-type.ts'
import {
  type BreakerChange,
  type BreakerObservation,
  NOTHING_OBSERVED,
  observeBreaker,
  observeSignal,
  resetBreaker,
} from '../receiver/breaker.ts'
import {
  assessBudget,
  type BudgetObservation,
  type FailureBudget,
  resolveDisablePolicy,
  spendBudget,
} from '../receiver/failure-budget.ts'
import { nextHealth, type Observation } from '../receiver/health.ts'
import {
  type Announcement,
  disabledAnnouncement,
  failingAnnouncement,
  recoveredAnnouncement,
} from '../receiver/operational-event.ts'
import type { Subscription } from '../subscription/subscription.ts'
import type { AttemptReport } from './attempt/attempt.ts'
import type { ReceiverStateChange } from './settle/receiver-state.sql.ts'

/** One claim's observations of a receiver. */
export type ReceiverObservations = {
  health: Observation
  breaker: BreakerObservation
  budget: BudgetObservation
  isGone: boolean
  /** A retry that a person requested was answered. */
  isRequestAnswered: boolean
  /** A probe of a subscription that was disabled for failing has succeeded. */
  isRevived: boolean
}

export const NO_OBSERVATIONS: ReceiverObservations = {
  health: { successes: 0, failures: 0, timeouts: 0, slowestMs: 0 },
  breaker: NOTHING_OBSERVED,
  budget: { successes: 0, failures: 0 },
  isGone: false,
  isRequestAnswered: false,
  isRevived: false,
}

/** The receivers of one claim as its attempts have found them. */
export class ObservedReceivers {
  readonly #observations = new Map<number, ReceiverObservations>()
  /** Attempts observed. */
  attempts = 0

  /** Adds one attempt; answers what is known of its receiver now. */
  observe(report: AttemptReport, options: { requestedByPerson: boolean }): ReceiverObservations {
    const { subscriptionNo } = report.record
    const before = this.#observations.get(subscriptionNo) ?? NO_OBSERVATIONS
    this.attempts++
    // A ping asks how a receiver is, and changes nothing that is made of that.
    if (report.record.type === PING_TYPE) return before
    const observed = observeAttempt(before, report, options)
    this.#observations.set(subscriptionNo, observed)
    return observed
  }

  /** The changes and announcements that follow for the subscriptions; `random` is called for each one observed. */
  assess(subscriptions: readonly Subscription[], nowMs: number, random: () => number) {
    const assessed = subscriptions.flatMap((subscription) => {
      const observations = this.#observations.get(subscription.no)
      return observations === undefined
        ? []
        : [assessObservations(subscription, observations, nowMs, random())]
    })
    return {
      changes: assessed.flatMap(({ change }) => (change === null ? [] : [change])),
      announcements: assessed.flatMap(({ announcements }) => announcements),
    }
  }
}

/** The observations after one more attempt. */
export function observeAttempt(
  before: ReceiverObservations,
  { record, signal, retryAfterUntilMs, isGone }: AttemptReport,
  { requestedByPerson }: { requestedByPerson: boolean },
): ReceiverObservations {
  const { success, isTest } = record
  const { health, budget } = before
  return {
    health: {
      successes: health.successes + (success ? 1 : 0),
      failures: health.failures + (success ? 0 : 1),
      timeouts: health.timeouts + (record.error?.startsWith('timeout') ? 1 : 0),
      slowestMs: Math.max(health.slowestMs, record.latencyMs),
    },
    breaker: observeSignal(before.breaker, signal, retryAfterUntilMs),
    budget: success
      ? { successes: budget.successes + 1, failures: 0 }
      : // No receiver is given up for the relay's own faults, nor for a test that was only tried out.
        { ...budget, failures: budget.failures + (record.error === 'internal' || isTest ? 0 : 1) },
    isGone: before.isGone || (isGone && !isTest),
    isRequestAnswered: before.isRequestAnswered || (requestedByPerson && signal === 'answer'),
    isRevived: before.isRevived || (isTest && success),
  }
}

/** The change of a subscription that follows from a claim's observations, null for none, and the announcements. */
export function assessObservations(
  subscription: Subscription,
  observations: ReceiverObservations,
  nowMs: number,
  random: number,
): { change: ReceiverStateChange | null; announcements: Announcement[] } {
  const health = nextHealth(subscription.health, observations.health)
  const breaker = breakerChange(subscription, observations, nowMs, random)
  const spent = spendBudget(subscription.budget, observations.budget, nowMs)
  const stage = stageOf(subscription, observations, spent.state, nowMs)
  const isSpent = observations.budget.failures > 0
  const isReset = observations.budget.successes > 0 && subscription.budget.failingSinceMs !== null
  const change: ReceiverStateChange = {
    subscriptionNo: subscription.no,
    workspaceNo: subscription.workspaceNo,
    health: health === subscription.health ? null : health,
    breaker,
    budget: isSpent || isReset ? observations.budget : null,
    ...stage,
  }
  const isNothing =
    change.health === null && breaker === null && change.budget === null && !stage.disable && !stage.enable
  const announcements = announcementsOf(subscription, stage, spent, nowMs)
  return { change: isNothing ? null : change, announcements }
}

function breakerChange(
  { breaker }: Subscription,
  observations: ReceiverObservations,
  nowMs: number,
  random: number,
): BreakerChange | null {
  const isHeld = breaker.faultsInRow > 0 || breaker.throttledUntilMs > nowMs
  const asksForPause = observations.breaker.retryAfterUntilMs !== null
  if (observations.isRequestAnswered && isHeld && !asksForPause) return resetBreaker(nowMs)
  return observeBreaker(breaker, observations.breaker, nowMs, random)
}

/** The step that the failure budget, a 410 or a successful probe leads to. */
type Stage = Pick<ReceiverStateChange, 'announced' | 'disable' | 'enable'>

function stageOf(
  subscription: Subscription,
  observations: ReceiverObservations,
  budget: FailureBudget,
  nowMs: number,
): Stage {
  const policy = resolveDisablePolicy(subscription.settings.disablePolicy)
  if (!subscription.active) {
    const isProbed = subscription.disabledReason === 'failing' && policy.reenableByProbe
    return { announced: null, disable: null, enable: isProbed && observations.isRevived }
  }
  if (subscription.kind !== 'subscription') return { announced: null, disable: null, enable: false }
  const verdict = assessBudget(budget, policy, nowMs)
  const disable = observations.isGone ? 'gone' : verdict.disable ? 'failing' : null
  return { announced: disable === null ? verdict.announce : null, disable, enable: false }
}

function announcementsOf(
  subscription: Subscription,
  { announced, disable, enable }: Stage,
  { state, recovered }: { state: FailureBudget; recovered: boolean },
  nowMs: number,
): Announcement[] {
  const { failingSinceMs: beforeMs } = subscription.budget
  const { failingSinceMs, failedAttempts } = state
  const announcements: Announcement[] = []
  if (recovered || enable) announcements.push(recoveredAnnouncement(subscription, beforeMs, nowMs))
  if (announced !== null && failingSinceMs !== null) {
    const { afterSeconds } = resolveDisablePolicy(subscription.settings.disablePolicy)
    const disableAtMs = failingSinceMs + afterSeconds * 1000
    const spent = { percent: announced, failingSinceMs, failedAttempts, disableAtMs }
    announcements.push(failingAnnouncement(subscription, spent))
  }
  if (disable !== null) announcements.push(disabledAnnouncement(subscription, disable, nowMs))
  return announcements
}

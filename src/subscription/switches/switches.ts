import { isUnverified } from '../ownership/ownership.ts'
import { markUnverified } from '../ownership/verified-hosts.sql.ts'
import type { Subscription } from '../subscription.ts'
import {
  flushSubscription,
  pauseSubscription,
  resumeSubscription,
  setActive as setActiveInStore,
} from './switches.sql.ts'

/**
 * Sends consumers to a subscription whose deliveries may leave. A lost hint costs only time: D1 knows
 * of the deliveries, and the sweeper finds them.
 */
export type SubscriptionHints = {
  dueAt: (dueMs: ReadonlyMap<number, number>) => Promise<unknown>
  paced: (entries: readonly { no: number }[]) => Promise<unknown>
  /** Has a receiver challenged. */
  verify: (subscriptionNo: number) => Promise<unknown>
}

export type SwitchDeps = {
  db: D1Database
  now: () => number
  hints: SubscriptionHints
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
}

type Switched = Pick<Subscription, 'no' | 'workspaceNo'>

/**
 * Enables or disables a subscription; its overdue deliveries are made or skipped at once. One whose host has to answer
 * a challenge first is enabled by that.
 */
export async function setActive(
  deps: SwitchDeps,
  subscription: Subscription,
  { active }: { active: boolean },
): Promise<void> {
  const nowMs = deps.now()
  const { url } = subscription.settings
  if (active && !subscription.active && (await isUnverified(deps.db, subscription, url))) {
    await markUnverified(deps.db, subscription, nowMs)
    deps.background(deps.hints.verify(subscription.no))
    return
  }
  await setActiveInStore(deps.db, subscription, { active, nowMs })
  wake(deps, subscription, nowMs)
}

/** Lets a subscription's deliveries wait until it is resumed. */
export async function pauseDeliveries({ db, now }: SwitchDeps, subscription: Switched): Promise<void> {
  await pauseSubscription(db, subscription, now())
}

/** Closes a subscription's breaker and delivers all that has waited. */
export async function resumeDeliveries(deps: SwitchDeps, subscription: Switched): Promise<void> {
  const nowMs = deps.now()
  await resumeSubscription(deps.db, subscription, nowMs)
  wake(deps, subscription, nowMs)
}

/** Sends all that waits for a batch, in accepted order. False when the subscription does not batch. */
export async function flushBatches(
  { db, hints, background }: SwitchDeps,
  subscription: Switched,
): Promise<boolean> {
  const isFlushed = await flushSubscription(db, subscription)
  if (isFlushed) background(hints.paced([{ no: subscription.no }]))
  return isFlushed
}

/**
 * Has the receiver of an unverified subscription challenged again, but not a moment after the last time: anyone may be
 * at the other end.
 */
export async function verifyAgain(
  deps: SwitchDeps,
  subscription: Subscription,
): Promise<'challenged' | 'not_unverified' | 'too_soon'> {
  if (subscription.disabledReason !== 'unverified') return 'not_unverified'
  const { atMs } = subscription.challenge
  if (atMs !== null && deps.now() - atMs < CHALLENGE_PAUSE_MS) return 'too_soon'
  await deps.hints.verify(subscription.no)
  return 'challenged'
}

/** Time between two challenges of one subscription. */
export const CHALLENGE_PAUSE_MS = 10_000

function wake({ hints, background }: SwitchDeps, { no }: Switched, nowMs: number): void {
  background(hints.dueAt(new Map([[no, nowMs]])))
}

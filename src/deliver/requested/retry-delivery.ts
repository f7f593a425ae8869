import type { HintSender } from '../../hints/hint-sender.ts'
import type { DeliveryState } from '../../model/delivery.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { bringForward, makeDueAgain } from './retry-delivery.sql.ts'

export type RetryDeps = {
  db: D1Database
  now: () => number
  hints: Pick<HintSender, 'delivery'>
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
}

/** The delivery is due, or why it cannot be: an `unattempted` one has its first attempt still to come. */
export type Retried =
  | { kind: 'due' }
  | { kind: 'subscription_deleted' }
  | { kind: 'subscription_disabled' }
  | { kind: 'succeeded' }
  | { kind: 'unattempted' }

/**
 * Attempts a delivery once more, now, past every hold of its subscription. A scheduled one is brought
 * forward; one that failed for good or was skipped is made due again.
 */
export async function retryDelivery(
  { db, now, hints, background }: RetryDeps,
  subscription: Pick<Subscription, 'no' | 'active' | 'deletedAtMs'>,
  { seq, state }: { seq: number; state: DeliveryState },
): Promise<Retried> {
  if (subscription.deletedAtMs !== null) return { kind: 'subscription_deleted' }
  if (!subscription.active) return { kind: 'subscription_disabled' }
  if (state === 'success') return { kind: 'succeeded' }
  const nowMs = now()
  const delivery = { subscriptionNo: subscription.no, seq }
  const isDue = (await bringForward(db, delivery, nowMs)) || (await makeDueAgain(db, delivery, nowMs))
  if (!isDue) return { kind: 'unattempted' }
  background(hints.delivery(delivery))
  return { kind: 'due' }
}

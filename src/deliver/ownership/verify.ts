import { hostOf, isUnverified } from '../../subscription/ownership/ownership.ts'
import { recordUnanswered, recordVerified } from '../../subscription/ownership/verified-hosts.sql.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { readSubscription } from '../../subscription/subscriptions.sql.ts'
import { type ChallengeDeps, challenge } from './challenge.ts'

export type VerifyDeps = ChallengeDeps & { db: D1Database }

/**
 * Challenges the receiver of a subscription that is unverified, and lets its deliveries begin once it has answered. A
 * host that another subscription has verified meanwhile is not asked again. Rejects when D1 fails.
 */
export async function verifyOwnership(deps: VerifyDeps, subscriptionNo: number): Promise<void> {
  const subscription = await readSubscription(deps.db, subscriptionNo)
  if (subscription === null || !isWaiting(subscription)) return
  const { url } = subscription.settings
  const isKnown = !(await isUnverified(deps.db, subscription, url))
  const { problem } = isKnown ? { problem: null } : await challenge(deps, subscription)
  const nowMs = deps.now()
  if (problem === null)
    await recordVerified(deps.db, subscription, { host: isKnown ? null : hostOf(url), nowMs })
  else await recordUnanswered(deps.db, subscription, { problem, nowMs })
}

function isWaiting({ disabledReason, deletedAtMs }: Subscription): boolean {
  return disabledReason === 'unverified' && deletedAtMs === null
}

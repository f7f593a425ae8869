import { type SubscriptionRow, toSubscription } from '../../subscription/row.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { SUBSCRIPTION_COLUMNS, WITH_WORKSPACE } from '../../subscription/subscriptions.sql.ts'

/**
 * A subscription that was disabled for failing; `probedAtMs` is its last probe, or its disabling.
 */
type ProbeCandidate = { subscription: Subscription; probedAtMs: number }

/** Subscriptions disabled for failing that ask to be tried again, the longest unprobed first. */
export async function probeCandidates(db: D1Database, limit: number): Promise<ProbeCandidate[]> {
  const { results } = await db
    .prepare(
      `SELECT ${SUBSCRIPTION_COLUMNS}, coalesce(s.probed_at_ms, s.updated_at_ms) AS probed FROM subscription s INDEXED BY subscription_failing ${WITH_WORKSPACE}
       WHERE s.disabled_reason = 'failing' AND s.deleted_at_ms IS NULL AND w.deletion IS NULL AND s.config ->> '$.disablePolicy.reenableByProbe' = 1
       ORDER BY probed LIMIT ?1`,
    )
    .bind(limit)
    .all<SubscriptionRow & { probed: number }>()
  return results.map((row) => ({ subscription: toSubscription(row), probedAtMs: row.probed }))
}

/** Records that a subscription is being tried. */
export async function markProbed(db: D1Database, no: number, nowMs: number): Promise<void> {
  await db.prepare('UPDATE subscription SET probed_at_ms = ?2 WHERE no = ?1').bind(no, nowMs).run()
}

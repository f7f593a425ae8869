import { hourOf } from '../base/time.ts'
import { BLOCKED_UNTIL_MS } from '../outcome/retry-policy.ts'

// Reads the stored settings: an attempt that began under earlier ones may have blocked since they
// changed.
const BLOCKS = `(SELECT (s.active = 1 OR s.deleted_at_ms IS NOT NULL) AND coalesce(s.config ->> 'ordered', 0) AND coalesce(s.config ->> 'onExhausted', 'block') = 'block' FROM subscription s WHERE s.no = ?1)`
const BLOCKED = `subscription_no = ?1 AND due_at_ms = ${BLOCKED_UNTIL_MS} AND NOT ${BLOCKS}`
const COUNT = `INSERT INTO statistic (subscription_no, hour, failed)
SELECT ?1, ?2, count(*) FROM delivery INDEXED BY delivery_due WHERE ${BLOCKED} AND is_test = 0 HAVING count(*) > 0
ON CONFLICT (subscription_no, hour) DO UPDATE SET failed = failed + excluded.failed`
const RELEASE = `UPDATE delivery INDEXED BY delivery_due SET due_at_ms = NULL WHERE ${BLOCKED} RETURNING seq`
const RELEASE_BATCHES = `UPDATE batch SET due_at_ms = NULL, body = NULL, body_key = NULL WHERE fresh IN (0, 1) AND ${BLOCKED}`

/**
 * Fails for good the exhausted deliveries that the subscription's settings let block others no longer.
 * The second statement returns a row for each.
 */
export function releaseBlocked(db: D1Database, subscriptionNo: number, nowMs: number): D1PreparedStatement[] {
  return [
    db.prepare(COUNT).bind(subscriptionNo, hourOf(nowMs)),
    db.prepare(RELEASE).bind(subscriptionNo),
    db.prepare(RELEASE_BATCHES).bind(subscriptionNo),
  ]
}

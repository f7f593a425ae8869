import { newestSeqOf } from '../store/event-row.sql.ts'
import { bumpConfigVersion } from '../workspace/workspaces.sql.ts'
import type { Subscription } from './subscription.ts'

/** Columns of the breaker and the failure budget as they are where nothing has failed. */
export const FORGIVEN = `faults_in_row = 0, held_until_ms = 0, throttled_until_ms = 0, failing_since_ms = NULL, failed_attempts = 0, announced_percent = 0`

/** Pauses a subscription: its deliveries wait until it is resumed. False when it has been deleted. */
export async function pauseSubscription(
  db: D1Database,
  { no }: Pick<Subscription, 'no'>,
  nowMs: number,
): Promise<boolean> {
  return await changeLive(db, no, { set: 'paused_at_ms = coalesce(paused_at_ms, ?2)', nowMs })
}

/**
 * Lets everything accepted so far leave in batches at once. False
 * when the subscription does not batch or has been deleted.
 */
export async function flushSubscription(db: D1Database, { no }: Pick<Subscription, 'no'>): Promise<boolean> {
  const row = await db
    .prepare(
      `UPDATE subscription SET flush_until_seq = coalesce(${newestSeqOf('subscription.workspace_no')}, flush_until_seq), flush_cause = 'request'
       WHERE no = ?1 AND deleted_at_ms IS NULL AND coalesce(config -> 'batchSettings' ->> 'enabled', 0) RETURNING no`,
    )
    .bind(no)
    .first()
  return row !== null
}

/** Resumes a subscription and closes its breaker, so that the next attempts show its receiver's state. */
export async function resumeSubscription(
  db: D1Database,
  { no }: Pick<Subscription, 'no'>,
  nowMs: number,
): Promise<boolean> {
  return await changeLive(db, no, { set: `paused_at_ms = NULL, ${FORGIVEN}`, nowMs })
}

async function changeLive(
  db: D1Database,
  no: number,
  { set, nowMs }: { set: string; nowMs: number },
): Promise<boolean> {
  const row = await db
    .prepare(
      `UPDATE subscription SET ${set}, updated_at_ms = ?2 WHERE no = ?1 AND deleted_at_ms IS NULL RETURNING no`,
    )
    .bind(no, nowMs)
    .first()
  return row !== null
}

/**
 * Enables or disables a subscription by hand; enabling
 * forgives earlier failures. False when it has been deleted.
 */
export async function setActive(
  db: D1Database,
  { no, workspaceNo }: Pick<Subscription, 'no' | 'workspaceNo'>,
  { active, nowMs }: { active: boolean; nowMs: number },
): Promise<boolean> {
  const change = active
    ? `active = 1, disabled_reason = NULL, ${FORGIVEN}`
    : `disabled_reason = iif(active = 1, 'manual', disabled_reason), active = 0`
  const [changed] = await db.batch([
    db
      .prepare(
        `UPDATE subscription SET ${change}, updated_at_ms = ?2, version = version + 1 WHERE no = ?1 AND deleted_at_ms IS NULL RETURNING no`,
      )
      .bind(no, nowMs),
    bumpConfigVersion(db, workspaceNo),
  ])
  return (changed?.results.length ?? 0) > 0
}

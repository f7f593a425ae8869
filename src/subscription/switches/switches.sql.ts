import { isScheduled, newestSeqOf } from '../../store/event-row.sql.ts'
import { bumpConfigVersion } from '../../workspace/workspaces.sql.ts'
import type { Subscription } from '../subscription.ts'

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

/** Deliveries that one resume brings forward: D1 answers nobody meanwhile. */
const BROUGHT_FORWARD_MAX = 10_000
// What a receiver has asked for by `Retry-After` is due when the hold of its subscription ends; so is what met the hold.
const UNTIL_HOLD_ENDS =
  'due_at_ms > ?2 AND due_at_ms <= (SELECT max(held_until_ms, throttled_until_ms) FROM subscription WHERE no = ?1)'
const HELD_DELIVERIES = `UPDATE delivery SET due_at_ms = ?2 WHERE subscription_no = ?1 AND seq IN (
  SELECT d.seq FROM delivery d INDEXED BY delivery_due WHERE d.subscription_no = ?1 AND d.${UNTIL_HOLD_ENDS} AND NOT ${isScheduled('d')}
  LIMIT ${BROUGHT_FORWARD_MAX})`
const HELD_BATCHES = `UPDATE batch SET due_at_ms = ?2 WHERE subscription_no = ?1 AND fresh IN (0, 1) AND ${UNTIL_HOLD_ENDS}`

/**
 * Resumes a subscription and closes its breaker, so that the next attempts show its receiver's state. What waited for
 * the end of its hold is due at once. False when it has been deleted.
 */
export async function resumeSubscription(
  db: D1Database,
  { no }: Pick<Subscription, 'no'>,
  nowMs: number,
): Promise<boolean> {
  const [, , resumed] = await db.batch([
    db.prepare(HELD_DELIVERIES).bind(no, nowMs),
    db.prepare(HELD_BATCHES).bind(no, nowMs),
    changeStatement(db, no, { set: `paused_at_ms = NULL, ${FORGIVEN}`, nowMs }),
  ])
  return (resumed?.results.length ?? 0) > 0
}

type Change = { set: string; nowMs: number }

async function changeLive(db: D1Database, no: number, change: Change): Promise<boolean> {
  return (await changeStatement(db, no, change).first()) !== null
}

function changeStatement(db: D1Database, no: number, { set, nowMs }: Change): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE subscription SET ${set}, updated_at_ms = ?2 WHERE no = ?1 AND deleted_at_ms IS NULL RETURNING no`,
    )
    .bind(no, nowMs)
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

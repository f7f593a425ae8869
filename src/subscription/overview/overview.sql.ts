import { BLOCKED_UNTIL_MS } from '../../outcome/retry-policy.ts'
import { heldUntil, isUnhappy } from '../../store/states.sql.ts'
import { type SubscriptionRow, toSubscription } from '../row.ts'
import type { Subscription } from '../subscription.ts'
import { OWN_COLUMNS } from '../subscriptions.sql.ts'
import { STANDING } from './standing.sql.ts'
import type { Standing } from './standing.ts'

/** Deliveries that are counted of one kind; one more says that there are more. */
export const COUNTED_MAX = 10_000
const LIMIT = COUNTED_MAX + 1
/** Deliveries of one subscription that are counted. */
const BLOCKED_MAX = 1_000

/** Deliveries that an attempt is still to be made of, but for first attempts that are being made. */
export type Backlog = {
  /** All of them, due or not. */
  waiting: number
  /** Those that are due: they could leave now, or wait with their subscription. */
  due: number
  held: number
  /** The longest due of those that could leave. */
  oldestDueMs: number | null
}

/** A workspace's subscriptions at a glance. */
export type Overview = { standings: Map<Standing, number>; backlog: Backlog; blocked: Map<number, number> }

const LIVE = `json_each(?1) l CROSS JOIN subscription s ON s.no = l.value AND s.deleted_at_ms IS NULL AND s.kind = 0`
const OF_LISTED = `json_each(?1) l CROSS JOIN subscription s ON s.no = l.value AND s.deleted_at_ms IS NULL`
const HELD = `(s.paused_at_ms IS NOT NULL OR ${heldUntil('s')} > ?2)`
const DUE = 'delivery d INDEXED BY delivery_due ON d.subscription_no = s.no AND d.due_at_ms IS NOT NULL'
const count = (from: string) => `(SELECT count(*) FROM (SELECT 1 FROM ${from} LIMIT ${LIMIT}))`

const STANDINGS_SQL = `SELECT ${STANDING} AS standing, count(*) AS count FROM ${LIVE} GROUP BY 1`
const BACKLOG = `SELECT
  ${count(`${OF_LISTED} CROSS JOIN ${DUE} AND d.due_at_ms < ${BLOCKED_UNTIL_MS}`)} AS planned,
  ${count(`${OF_LISTED} CROSS JOIN delivery d INDEXED BY delivery_unhappy ON d.subscription_no = s.no AND ${isUnhappy('d', 'pending')} AND d.due_at_ms IS NULL`)} AS undated,
  ${count(`${OF_LISTED} AND NOT ${HELD} CROSS JOIN ${DUE} AND d.due_at_ms <= ?2`)} AS due,
  ${count(`${OF_LISTED} AND ${HELD} CROSS JOIN ${DUE} AND d.due_at_ms <= ?2`)} AS held,
  (SELECT min((SELECT min(d.due_at_ms) FROM delivery d INDEXED BY delivery_due WHERE d.subscription_no = s.no AND d.due_at_ms <= ?2))
   FROM ${OF_LISTED} AND NOT ${HELD}) AS oldestDueMs`
const BLOCKED = `SELECT no, blocked FROM (SELECT s.no, (SELECT count(*) FROM (SELECT 1 FROM delivery d INDEXED BY delivery_due
  WHERE d.subscription_no = s.no AND d.due_at_ms = ${BLOCKED_UNTIL_MS} LIMIT ${BLOCKED_MAX})) AS blocked FROM ${LIVE}) WHERE blocked > 0`

type BacklogRow = { planned: number; undated: number; due: number; held: number; oldestDueMs: number | null }

const NO_BACKLOG: BacklogRow = { planned: 0, undated: 0, due: 0, held: 0, oldestDueMs: null }

/** Reads how some subscriptions of a workspace stand and what waits for them, in one call. */
export async function readOverview(
  db: D1Database,
  subscriptionNos: readonly number[],
  nowMs: number,
): Promise<Overview> {
  const list = JSON.stringify(subscriptionNos)
  const [standings, backlog, blocked] = await db.batch([
    db.prepare(STANDINGS_SQL).bind(list),
    db.prepare(BACKLOG).bind(list, nowMs),
    db.prepare(BLOCKED).bind(list),
  ])
  const counts = (standings?.results ?? []) as { standing: Standing; count: number }[]
  const { planned, undated, ...row } = (backlog?.results[0] ?? NO_BACKLOG) as BacklogRow
  const blockers = (blocked?.results ?? []) as { no: number; blocked: number }[]
  return {
    standings: new Map(counts.map(({ standing, count: n }) => [standing, n])),
    backlog: { ...row, waiting: planned + undated },
    blocked: new Map(blockers.map(({ no, blocked: n }) => [no, n])),
  }
}

const IN_TROUBLE = `(s.active = 0 AND s.disabled_reason IN ('gone', 'failing', 'unverified')) OR (s.active = 1 AND s.failed_attempts >= ?4)`

/**
 * Reads those of some subscriptions that a person may have to see to: disabled ones, those with failures in a row, and
 * some that are named; those that have failed longest come first.
 */
export async function subscriptionsInTrouble(
  db: D1Database,
  workspaceId: string,
  asked: { among: readonly number[]; named: readonly number[]; failuresMin: number; limit: number },
): Promise<Subscription[]> {
  const { results } = await db
    .prepare(
      `SELECT ${OWN_COLUMNS} FROM workspace w CROSS JOIN json_each(?2) l
       CROSS JOIN subscription s ON s.no = l.value AND s.workspace_no = w.no
       WHERE w.id = ?1 AND s.deleted_at_ms IS NULL AND s.kind = 0 AND (${IN_TROUBLE} OR s.no IN (SELECT value FROM json_each(?3)))
       ORDER BY s.active, coalesce(s.failing_since_ms, s.updated_at_ms), s.no LIMIT ?5`,
    )
    .bind(
      workspaceId,
      JSON.stringify(asked.among),
      JSON.stringify(asked.named),
      asked.failuresMin,
      asked.limit,
    )
    .all<SubscriptionRow>()
  return results.map(toSubscription)
}

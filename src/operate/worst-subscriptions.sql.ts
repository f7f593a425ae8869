import { HOUR_MS } from '../base/time.ts'
import { COUNTED_MAX, DUE, IS_HELD } from './status.sql.ts'
import { dueWalk } from './sweep.sql.ts'

/** Most subscriptions that one metric names. */
export const WORST_MAX = 20
/** Most due deliveries that are counted of each; one more says that there are more. */
export const WORST_DUE_MAX = 1_000

/** A subscription by the ids that its owner knows. */
export type Named = { workspace: string; subscription: string }

/** The subscriptions that an alarm may be about, at most `WORST_MAX` of each kind. */
export type WorstSubscriptions = {
  /** Active ones with nothing but failures, those that fail longest first. */
  failing: (Named & { sinceMs: number })[]
  /** Those that the relay has disabled, the latest first. */
  disabled: (Named & { reason: string })[]
  /** Those whose deliveries are due and not held, the longest due first. */
  due: (Named & { due: number; oldestDueMs: number })[]
  /** Those with the most deliveries failed for good in this hour (UTC) and the one before, as far as it is rolled up. */
  failed: (Named & { deliveries: number })[]
}

const NAMES = '(SELECT w.id FROM workspace w WHERE w.no = s.workspace_no) AS workspace, s.id AS subscription'
const COUNTED = `(SELECT no, id, workspace_no, kind, active, disabled_reason, failing_since_ms, updated_at_ms, deleted_at_ms
  FROM subscription ORDER BY no LIMIT ${COUNTED_MAX}) s`
const IS_LIVE = 's.kind = 0 AND s.deleted_at_ms IS NULL'

/** One walk over the subscriptions finds the failing and the disabled ones: a window ranks each kind by itself. */
const UNWELL = `SELECT kind, workspace, subscription, sinceMs FROM (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY rank) AS place FROM (
      SELECT ${NAMES}, s.failing_since_ms AS sinceMs, iif(s.active = 1, 'active', s.disabled_reason) AS kind,
        iif(s.active = 1, s.failing_since_ms, -s.updated_at_ms) AS rank
      FROM ${COUNTED} WHERE ${IS_LIVE}
        AND ((s.active = 1 AND s.failing_since_ms IS NOT NULL) OR (s.active = 0 AND s.disabled_reason IN ('gone', 'failing')))))
  WHERE place <= ${WORST_MAX} ORDER BY kind, rank`

const OLDEST_DUE = `(SELECT min(d.due_at_ms) FROM delivery d INDEXED BY delivery_due WHERE ${DUE})`
const DUE_COUNT = `(SELECT count(*) FROM (SELECT 1 FROM delivery d INDEXED BY delivery_due WHERE ${DUE} LIMIT ${WORST_DUE_MAX + 1}))`

/** Counts deliveries only of the subscriptions that are named. */
const BACKLOG = `WITH RECURSIVE ${dueWalk(COUNTED_MAX)}
  SELECT ${NAMES}, s.oldestDueMs, ${DUE_COUNT} AS due FROM (
    SELECT s.no, s.id, s.workspace_no, ${OLDEST_DUE} AS oldestDueMs
    FROM walk CROSS JOIN subscription s ON s.no = walk.no
    WHERE NOT ${IS_HELD} AND oldestDueMs IS NOT NULL ORDER BY oldestDueMs LIMIT ${WORST_MAX}) s
  ORDER BY s.oldestDueMs`

const FAILED = `SELECT ${NAMES}, sum(t.failed) AS deliveries
  FROM ${COUNTED} CROSS JOIN statistic t ON t.subscription_no = s.no AND t.hour >= ?1 WHERE ${IS_LIVE}
  GROUP BY s.no HAVING deliveries > 0 ORDER BY deliveries DESC, s.no LIMIT ${WORST_MAX}`

type UnwellRow = Named & { kind: string; sinceMs: number }

/** Reads which subscriptions are in trouble: two or three rows of each, and the due deliveries of those it names. */
export async function readWorstSubscriptions(db: D1Database, nowMs: number): Promise<WorstSubscriptions> {
  const [unwell, backlog, failed] = await db.batch([
    db.prepare(UNWELL),
    db.prepare(BACKLOG).bind(nowMs),
    db.prepare(FAILED).bind(Math.floor(nowMs / HOUR_MS) - 1),
  ])
  const rows = (unwell?.results ?? []) as UnwellRow[]
  const named = ({ workspace, subscription }: UnwellRow): Named => ({ workspace, subscription })
  return {
    failing: rows.flatMap((row) => (row.kind === 'active' ? [{ ...named(row), sinceMs: row.sinceMs }] : [])),
    disabled: rows.flatMap((row) => (row.kind === 'active' ? [] : [{ ...named(row), reason: row.kind }])),
    due: (backlog?.results ?? []) as WorstSubscriptions['due'],
    failed: (failed?.results ?? []) as WorstSubscriptions['failed'],
  }
}

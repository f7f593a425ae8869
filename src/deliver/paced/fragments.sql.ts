import { SEQ_BITS } from '../../base/ids/seq.ts'
import { BREAKER_FAULTS_MIN } from '../../receiver/breaker.ts'
import { isOutstanding, isUnhappy } from '../../store/states.sql.ts'
import { healthNumber } from '../../subscription/row.ts'

// Common tables of the statements that work on one paced subscription: ?3 is now, ?4 its number. Rows
// that wait are in state 0 without a due time, in no fresh batch and in no live claim; due rows that
// belong to no batch are like them, but need not wait for others.

/** Far above any sequence number. */
const NEVER = '9007199254740991'

/** The ordering key of row `d`; a row may wait with a key from settings that have been dropped. */
const KEY = `iif(s.keyed, coalesce(d.order_key, ''), '')`

/** Numbers of the subscription's deliveries that are in a live claim. */
export const LIVE = `live AS MATERIALIZED (SELECT l.value ->> 1 AS seq FROM claim c INDEXED BY claim_live, json_each(c.pairs) l
  WHERE c.live = 1 AND c.expires_at_ms > ?3 AND (c.paced_no = ?4 OR (c.paced_no IS NULL AND coalesce(?4 BETWEEN c.sub_min AND c.sub_max, 1))) AND l.value ->> 0 = ?4)`

/** The subscription; no row while it is paused, held, or its one probe is under way. */
export const SUBJECT = `s AS MATERIALIZED (SELECT s.no, s.workspace_no AS ws, s.active, s.pacing_level, s.health = ${healthNumber('healthy')} AS proven, s.flush_until_seq AS mark, coalesce(s.flush_cause, 'change') AS flush_cause,
  coalesce(s.config -> 'batchSettings' ->> 'enabled', 0) AS enabled, coalesce(s.config -> 'batchSettings' ->> 'maxEvents', 100) AS max_events,
  coalesce(s.config -> 'batchSettings' ->> 'maxBytes', 1000000) - 128 AS max_bytes,
  coalesce(s.config ->> 'ordered', 0) AND s.active = 1 AS ordered, s.config ->> 'orderingKey' IS NOT NULL AS keyed
  FROM subscription s WHERE s.no = ?4 AND s.paused_at_ms IS NULL AND s.throttled_until_ms <= ?3
    AND (s.faults_in_row < ${BREAKER_FAULTS_MIN} OR (s.held_until_ms <= ?3 AND NOT EXISTS (SELECT 1 FROM live))))`

/** Members of batches that have not been attempted yet. */
export const FRESH = `fresh AS MATERIALIZED (SELECT m.value AS seq FROM batch b INDEXED BY batch_open, json_each(b.members) m
  WHERE b.subscription_no = ?4 AND b.fresh = 1 AND b.due_at_ms IS NOT NULL)`

// A key is busy while a delivery of it is in a live claim or an open batch. Behind a delivery that
// waits
// for its retry or for a person, all later ones of its key wait. A scheduled one joins when it is due.
export const KEYS = `busy AS MATERIALIZED (
    SELECT ${KEY} AS order_key FROM s CROSS JOIN live l JOIN delivery d ON d.subscription_no = ?4 AND d.seq = l.seq
      WHERE s.ordered AND ${isOutstanding('d')}
    UNION SELECT iif(s.keyed, k.value, '') FROM s CROSS JOIN batch b INDEXED BY batch_open CROSS JOIN json_each(b.order_keys) k
      WHERE s.ordered AND b.subscription_no = ?4 AND b.fresh IN (0, 1) AND b.due_at_ms IS NOT NULL
    UNION SELECT '' FROM s CROSS JOIN batch b INDEXED BY batch_open
      WHERE s.ordered AND NOT s.keyed AND b.subscription_no = ?4 AND b.fresh IN (0, 1) AND b.due_at_ms IS NOT NULL),
  waiting AS MATERIALIZED (SELECT ${KEY} AS order_key, min(d.seq) AS seq FROM s CROSS JOIN delivery d INDEXED BY delivery_due
    WHERE s.ordered AND d.subscription_no = ?4 AND d.due_at_ms > ?3 AND (d.attempts > 0 OR d.crashes > 0) GROUP BY 1),
  bound AS MATERIALIZED (SELECT CASE WHEN NOT s.ordered THEN ${NEVER} WHEN s.keyed THEN ${NEVER}
    WHEN EXISTS (SELECT 1 FROM busy) THEN 0 ELSE coalesce((SELECT min(seq) FROM waiting), ${NEVER}) END AS below FROM s)`

/** True when the order lets row `d` go. */
const FREE = `(NOT s.ordered OR (${KEY} NOT IN (SELECT order_key FROM busy)
  AND d.seq < coalesce((SELECT w.seq FROM waiting w WHERE w.order_key = ${KEY}), ${NEVER})))`

/** Rows that wait, in accepted order; `where` narrows them by `s` and `d`. */
export function waitingRows(where: string, limit: string): string {
  return `SELECT d.seq, ${KEY} AS order_key, 0 AS is_due FROM s CROSS JOIN delivery d INDEXED BY delivery_unhappy
    WHERE d.subscription_no = ?4 AND ${isUnhappy('d', 'pending')} AND d.seq < (SELECT below FROM bound) AND d.due_at_ms IS NULL
      AND d.seq NOT IN (SELECT seq FROM fresh) AND d.seq NOT IN (SELECT seq FROM live) AND ${FREE} AND ${where}
    ORDER BY d.seq LIMIT ${limit}`
}

/** Rows that are due by themselves until a time, in accepted order where that is kept. */
export function dueRows(where: string, limit: string, until = '?3'): string {
  return `SELECT d.seq, ${KEY} AS order_key, 1 AS is_due FROM s CROSS JOIN delivery d INDEXED BY delivery_due
    WHERE d.subscription_no = ?4 AND d.due_at_ms <= ${until} AND d.seq < (SELECT below FROM bound) AND d.batch_no IS NULL
      AND d.seq NOT IN (SELECT seq FROM fresh) AND d.seq NOT IN (SELECT seq FROM live) AND ${FREE} AND ${where}
    ORDER BY iif(s.ordered, d.seq, d.due_at_ms) LIMIT ${limit}`
}

/** The event of row `x`. */
export const EVENT_OF = `event e ON e.pk = ((SELECT ws FROM s) << ${SEQ_BITS}) | x.seq`
/** The bytes that event `e` takes in a batch, roughly. */
export const BYTES = `coalesce(octet_length(e.body), 60000) + length(e.type) + coalesce(length(e.own_id), 22) + 21`

/** Batches that are due and in no live claim; in order, none before another that shares a key. */
export function dueBatches(limit: string): string {
  return `SELECT b.no, b.members FROM s CROSS JOIN batch b INDEXED BY batch_open
    WHERE b.subscription_no = ?4 AND b.fresh IN (0, 1) AND b.due_at_ms <= ?3
      AND NOT EXISTS (SELECT 1 FROM json_each(b.members) m WHERE m.value IN (SELECT seq FROM live))
      AND (NOT s.ordered OR NOT EXISTS (SELECT 1 FROM batch o INDEXED BY batch_open WHERE o.subscription_no = ?4 AND o.fresh IN (0, 1) AND o.due_at_ms IS NOT NULL AND (o.members ->> 0, o.no) < (b.members ->> 0, b.no)
        AND (NOT s.keyed OR EXISTS (SELECT 1 FROM json_each(o.order_keys) k WHERE k.value IN (SELECT value FROM json_each(b.order_keys))))))
    ORDER BY b.no LIMIT ${limit}`
}

import { PACING_LEVELS, type PacingLevel } from '../../pacing/settings.ts'
import {
  BYTES,
  dueBatches,
  dueRows,
  EVENT_OF,
  FRESH,
  KEYS,
  LIVE,
  SUBJECT,
  waitingRows,
} from './fragments.sql.ts'

/** The reason why a batch left when it did. `split`: its receiver found the one before too large. */
export type BatchCause = 'count' | 'bytes' | 'wait' | 'event' | 'request' | 'change' | 'due' | 'split'

/** Batches may be formed of flushed and due deliveries only, also of full ones, or of all. */
export type BatchMode = 'flushed' | 'full' | 'all'
const MODES: readonly BatchMode[] = ['flushed', 'full', 'all']

/** The terms on which batches are formed; every new batch gets a number above `noFloor`. */
export type BatchTerms = { mode: BatchMode; cause: BatchCause; noFloor: number }

const IN_BATCHES = `(s.enabled OR d.seq <= s.mark) AND s.active = 1`
const EVENTS_LIMIT = `min(?5 * (SELECT max_events FROM s), 5000)`

// Item `i` needs a new batch after those that have been packed so far.
const OPENS = 'i.part <> w.part OR w.events >= s.max_events OR w.bytes + i.bytes > s.max_bytes'
// Deliveries that may have to wait. Where an order is kept, one that is due may not pass those
// before it.
const PART = `(x.is_due = 0 AND x.seq > max(s.mark, iif(s.ordered, coalesce(last_due.seq, 0), 0)))`
// Packs deliveries greedily into batches, in accepted order. Part 0 (flushed or due) becomes batches as
// a whole, part 1 (the others) as far as the mode allows. Where an order is kept, one batch is
// formed at
// a time, since the next one must not share its keys.
const FORM_BATCHES = `WITH ${LIVE}, ${SUBJECT}, ${FRESH}, ${KEYS},
  x AS MATERIALIZED (SELECT * FROM (${waitingRows(IN_BATCHES, EVENTS_LIMIT)}) UNION ALL SELECT * FROM (${dueRows('s.enabled AND s.active = 1', EVENTS_LIMIT)})),
  last_due AS MATERIALIZED (SELECT max(seq) AS seq FROM x WHERE is_due),
  parted AS (SELECT x.seq, x.order_key, x.is_due, ${PART} AS part, ${BYTES} AS bytes FROM s CROSS JOIN last_due CROSS JOIN x JOIN ${EVENT_OF}),
  item AS MATERIALIZED (SELECT row_number() OVER (ORDER BY part, seq) AS n, parted.* FROM parted WHERE ?6 > 0 OR NOT part),
  walk (n, seq, order_key, is_due, part, grp, events, bytes) AS (
    SELECT n, seq, order_key, is_due, part, 1, 1, bytes FROM item WHERE n = 1
    UNION ALL
    SELECT i.n, i.seq, i.order_key, i.is_due, i.part, w.grp + (${OPENS}), iif(${OPENS}, 1, w.events + 1), iif(${OPENS}, i.bytes, w.bytes + i.bytes)
    FROM s CROSS JOIN walk w JOIN item i ON i.n = w.n + 1),
  packed AS (SELECT grp, part, json_group_array(seq ORDER BY seq) AS members, json_group_array(DISTINCT order_key) AS order_keys,
      max(events) AS events, max(bytes) AS bytes, max(is_due) AS is_due, max(grp) OVER (PARTITION BY part) AS last_grp FROM walk GROUP BY grp, part)
INSERT INTO batch (no, subscription_no, members, order_keys, cause, bound_at_ms, due_at_ms)
SELECT max(coalesce((SELECT max(no) FROM batch), 0), ?8) + row_number() OVER (ORDER BY p.grp), ?4, p.members, iif(s.ordered, p.order_keys, '[]'),
  CASE WHEN p.part = 1 THEN ?7 WHEN p.is_due THEN 'due' ELSE s.flush_cause END, ?3, ?3
FROM s CROSS JOIN packed p
WHERE (p.part = 0 OR ?6 = 2 OR p.events >= s.max_events OR p.bytes >= s.max_bytes OR p.grp < p.last_grp) AND p.grp <= iif(s.ordered, 1, ?5)
ORDER BY p.grp`

/** Forms batches in one statement, so that no delivery is in two of them. */
export function formBatchesStatement(
  db: D1Database,
  { subscriptionNo, nowMs, batchesMax }: { subscriptionNo: number; nowMs: number; batchesMax: number },
  { mode, cause, noFloor }: BatchTerms,
): D1PreparedStatement {
  // The numbering is shared with the statements of claims, to which ?1 and ?2 belong.
  return db
    .prepare(FORM_BATCHES)
    .bind('', 0, nowMs, subscriptionNo, batchesMax, MODES.indexOf(mode), cause, noFloor)
}

/** The deliveries that wait for a subscription right now; see `PacerCall.waiting`. */
export type Waiting = {
  level: PacingLevel
  events: number
  bytes: number
  sinceMs: number | null
  /** Something is due that waits for no other deliveries. */
  isDue: boolean
}

const READ_WAITING = `WITH ${LIVE}, ${SUBJECT}, ${FRESH}, ${KEYS},
  x AS MATERIALIZED (${waitingRows('true', 'max(1, (SELECT CASE WHEN NOT enabled THEN 1 WHEN ordered THEN max_events ELSE min(10 * max_events, 5000) END FROM s))')}),
  found AS (SELECT count(*) AS events, coalesce(sum(${BYTES}), 0) AS bytes, min(e.accepted_at_ms) AS since_ms, min(x.seq) AS first_seq FROM x JOIN ${EVENT_OF})
SELECT s.pacing_level, found.events, found.bytes, found.since_ms,
  EXISTS (SELECT 1 FROM (${dueBatches('1')})) OR EXISTS (SELECT 1 FROM (${dueRows('true', '1')})) OR (found.events > 0 AND (NOT s.enabled OR s.active = 0 OR found.first_seq <= s.mark)) AS is_due
FROM s CROSS JOIN found`

/** The statement whose result `toWaiting` reads. */
export function waitingStatement(
  db: D1Database,
  { subscriptionNo, nowMs }: { subscriptionNo: number; nowMs: number },
): D1PreparedStatement {
  return db.prepare(READ_WAITING).bind('', 0, nowMs, subscriptionNo)
}

/** Reads the result of `waitingStatement`; null while the subscription is held or paused. */
export function toWaiting(result: D1Result | undefined): Waiting | null {
  const row = result?.results[0] as
    | { pacing_level: number; events: number; bytes: number; since_ms: number | null; is_due: number }
    | undefined
  if (row === undefined) return null
  const { pacing_level, events, bytes, since_ms, is_due } = row
  const level = PACING_LEVELS[pacing_level] ?? 'none'
  return { level, events, bytes, sinceMs: since_ms, isDue: is_due === 1 }
}

import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { hourOf } from '../base/time.ts'
import { CRASHES_MAX } from '../model/delivery.ts'
import { PACING_LEVELS, type PacingLevel } from '../pacing/settings.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'
import { ADD_COUNTS, countByType, MATCHED } from '../store/event-counts.sql.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { heldUntil, isOutstanding, isUnhappy, STATE } from '../store/states.sql.ts'
import { SWEPT_BYTES } from '../store/stored-bytes.sql.ts'
import { COUNT_SWEPT } from '../store/stored-events.sql.ts'

/** A workspace with events above its watermark. */
export type OpenWorkspace = { no: number; sweptSeq: number }

/** An event above the watermark. `isOrphan`: one of its deliveries has no row yet. */
export type ScannedEvent = {
  seq: number
  type: string
  acceptedAtMs: number
  matched: number
  isTest: boolean
  isOrphan: boolean
}

/** Reads workspaces whose watermark is behind their newest event, a page at a time by number. */
export async function openWorkspaces(
  db: D1Database,
  aboveNo: number,
  limit: number,
): Promise<OpenWorkspace[]> {
  const { results } = await db
    .prepare(
      `SELECT w.no, w.swept_seq AS sweptSeq FROM workspace w WHERE w.no > ?1 AND EXISTS (
         SELECT 1 FROM event e WHERE e.pk > (w.no << ${SEQ_BITS}) | w.swept_seq AND e.pk <= (w.no << ${SEQ_BITS}) | ${SEQ_MAX})
       ORDER BY w.no LIMIT ?2`,
    )
    .bind(aboveNo, limit)
    .all<OpenWorkspace>()
  return results
}

const SCAN = `SELECT e.pk & ${SEQ_MAX} AS seq, e.accepted_at_ms AS acceptedAtMs, e.type, e.is_test AS origin, ${MATCHED} AS matched, length(e.fanout) AS fanoutChars,
  e.accepted_at_ms <= ?3 AND EXISTS (
    SELECT 1 FROM json_each(e.fanout) s WHERE s.value > 0 AND NOT EXISTS (
      SELECT 1 FROM delivery d WHERE d.subscription_no = s.value AND d.seq = e.pk & ${SEQ_MAX})) AS isOrphan
FROM event e WHERE e.pk > (?1 << ${SEQ_BITS}) | ?2 AND e.pk <= (?1 << ${SEQ_BITS}) | ${SEQ_MAX}
ORDER BY e.pk LIMIT ?4`

type ScanRow = Omit<ScannedEvent, 'isTest' | 'isOrphan'> & {
  origin: number
  fanoutChars: number
  isOrphan: number
}

/** Scanned events, the size of their fan-outs, and whether others may come after them. */
export type ScanPage = { events: ScannedEvent[]; fanoutChars: number; hasMore: boolean }

/**
 * Reads events of a workspace above a number, up to the first one accepted after a time. A stalled
 * commit has an older time than events below it: skipping the young ones would let the watermark
 * pass them.
 */
export async function scanEvents(
  db: D1Database,
  scan: { workspaceNo: number; aboveSeq: number; acceptedUntilMs: number; limit: number },
): Promise<ScanPage> {
  const { results } = await db
    .prepare(SCAN)
    .bind(scan.workspaceNo, scan.aboveSeq, scan.acceptedUntilMs, scan.limit)
    .all<ScanRow>()
  const young = results.findIndex(({ acceptedAtMs }) => acceptedAtMs > scan.acceptedUntilMs)
  return {
    events: results
      .slice(0, young === -1 ? undefined : young)
      .map(({ origin, fanoutChars: _, isOrphan, ...event }) => ({
        ...event,
        isTest: origin === ORIGIN.test,
        isOrphan: isOrphan === 1,
      })),
    fanoutChars: results.reduce((sum, row) => sum + row.fanoutChars, 0),
    hasMore: young === -1 && results.length === scan.limit,
  }
}

/**
 * Moves a watermark up, never down, and counts the events it passes, their bytes and their types in the same row;
 * `passed` are those that were scanned above where it was.
 */
export function advanceWatermark(
  db: D1Database,
  { workspaceNo, seq }: { workspaceNo: number; seq: number },
  passed: { aboveSeq: number; events: readonly ScannedEvent[] },
): D1PreparedStatement {
  const events = passed.events.filter((event) => event.seq <= seq)
  return db
    .prepare(
      `UPDATE workspace SET swept_seq = ?2, stored_bytes = stored_bytes + ${SWEPT_BYTES}, ${COUNT_SWEPT}, ${ADD_COUNTS} WHERE no = ?1 AND swept_seq < ?2`,
    )
    .bind(workspaceNo, seq, JSON.stringify(countByType(events)), passed.aboveSeq)
}

/**
 * SQL for the table `walk` of subscriptions with work due. It jumps along the index from one to the
 * next, three rows each; read through the index, every delivery would cost a row.
 */
export function dueWalk(limit?: number): string {
  return `walk (no) AS (
  SELECT min(subscription_no) FROM delivery INDEXED BY delivery_due WHERE due_at_ms IS NOT NULL
  UNION ALL
  SELECT (SELECT min(d.subscription_no) FROM delivery d INDEXED BY delivery_due
    WHERE d.due_at_ms IS NOT NULL AND d.subscription_no > walk.no)
  FROM walk WHERE walk.no IS NOT NULL ${limit === undefined ? '' : `LIMIT ${limit}`})`
}

/**
 * Reads subscriptions with work due until a time, and when their first is due or their hold ends.
 * Paused ones have none.
 */
export async function dueSubscriptions(
  db: D1Database,
  untilMs: number,
  limit: number,
): Promise<{ no: number; dueMs: number }[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE ${dueWalk()}
       SELECT no, dueMs FROM (
         SELECT walk.no, max(s.throttled_until_ms, iif(s.faults_in_row >= ${BREAKER_FAULTS_MIN}, s.held_until_ms, 0),
           (SELECT min(d.due_at_ms) FROM delivery d INDEXED BY delivery_due
            WHERE d.subscription_no = walk.no AND d.due_at_ms IS NOT NULL)) AS dueMs
         FROM walk JOIN subscription s ON s.no = walk.no WHERE walk.no IS NOT NULL AND s.paused_at_ms IS NULL)
       WHERE dueMs <= ?1 ORDER BY dueMs LIMIT ?2`,
    )
    .bind(untilMs, limit)
    .all<{ no: number; dueMs: number }>()
  return results
}

/** Reads paced subscriptions that have deliveries waiting and are not held, by number. */
export async function waitingSubscriptions(
  db: D1Database,
  nowMs: number,
  { aboveNo, limit }: { aboveNo: number; limit: number },
): Promise<{ no: number; level: PacingLevel }[]> {
  const { results } = await db
    .prepare(
      `SELECT s.no, s.pacing_level AS level FROM subscription s INDEXED BY subscription_paced
       WHERE s.pacing_level > 0 AND s.no > ?2 AND s.paused_at_ms IS NULL AND ${heldUntil('s')} <= ?1
         AND (EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_unhappy WHERE d.subscription_no = s.no AND ${isUnhappy('d', 'pending')})
           OR EXISTS (SELECT 1 FROM batch b INDEXED BY batch_open WHERE b.subscription_no = s.no AND b.fresh IN (0, 1) AND b.due_at_ms <= ?1)
           OR (s.pacing_level = ${ORDERED} AND NOT coalesce(s.config ->> 'ordered', 0)))
       ORDER BY s.no LIMIT ?3`,
    )
    .bind(nowMs, aboveNo, limit)
    .all<{ no: number; level: number }>()
  return results.map(({ no, level }) => ({ no, level: PACING_LEVELS[level] ?? 'none' }))
}

const ORDERED = PACING_LEVELS.indexOf('ordered')

/** Makes claims expire that would expire before a time, since their consumers are dead. */
export async function expireClaims(db: D1Database, expiresBeforeMs: number): Promise<void> {
  await db
    .prepare('UPDATE claim SET expires_at_ms = 0 WHERE live = 1 AND expires_at_ms < ?1')
    .bind(expiresBeforeMs)
    .run()
}

const DEAD_CLAIMS = `SELECT id FROM claim INDEXED BY claim_live WHERE live = 1 AND expires_at_ms <= ?1 ORDER BY expires_at_ms LIMIT ?2`
const THEIR_PAIRS = `SELECT p.value ->> 0 AS sub, p.value ->> 1 AS seq, p.value ->> 2 AS ws FROM claim c, json_each(c.pairs) p WHERE c.id IN (${DEAD_CLAIMS})`
const POISON = `crashes >= ${CRASHES_MAX} AND ${isOutstanding('delivery')} AND (subscription_no, seq) IN (SELECT x.sub, x.seq FROM (${THEIR_PAIRS}) x)`

const COUNT_CRASH = `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, is_test, crashes)
SELECT x.sub, x.seq, e.type, ${STATE.pending}, max(?1, coalesce(e.deliver_at_ms, 0)), e.is_test = ${ORIGIN.test}, 1
FROM (${THEIR_PAIRS}) x JOIN event e ON e.pk = (x.ws << ${SEQ_BITS}) | x.seq
WHERE true ON CONFLICT (subscription_no, seq) DO UPDATE SET crashes = crashes + 1 WHERE ${isOutstanding('delivery')}`
const COUNT_POISON = `INSERT INTO statistic (subscription_no, hour, failed)
SELECT subscription_no, ?3, count(*) FROM delivery WHERE ${POISON} AND is_test = 0 GROUP BY 1
ON CONFLICT (subscription_no, hour) DO UPDATE SET failed = failed + excluded.failed`
const FAIL_POISON = `UPDATE delivery SET state = ${STATE.failed}, due_at_ms = NULL, error = 'internal', last_at_ms = ?1 WHERE ${POISON}`
const END_CLAIMS = `UPDATE claim SET live = 0, pairs = '[]' WHERE id IN (${DEAD_CLAIMS}) RETURNING id`

/**
 * Takes back the deliveries of claims whose consumers died. Each gets a row that is due at once and
 * counts the crash; one with too many of them fails as `internal`. Returns the number of claims.
 */
export async function reapClaims(db: D1Database, nowMs: number, limit: number): Promise<number> {
  const [, , , reaped] = await db.batch([
    db.prepare(COUNT_CRASH).bind(nowMs, limit),
    db.prepare(COUNT_POISON).bind(nowMs, limit, hourOf(nowMs)),
    db.prepare(FAIL_POISON).bind(nowMs, limit),
    db.prepare(END_CLAIMS).bind(nowMs, limit),
  ])
  return reaped?.results.length ?? 0
}

import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { DELIVERY_STATES, type StoredEvent } from '../model/delivery.ts'
import { EVENT_COLUMNS, type EventRow, ORIGIN, toStoredEvent } from '../store/event-row.sql.ts'
import { isUnhappy } from '../store/states.sql.ts'
import type { ReplayCandidate, ReplayWalk } from './replay.ts'

/**
 * A stretch of a walk to read: candidates above `after`, up to `until`, in order, at most `limit`.
 */
type CandidateScan = {
  walk: ReplayWalk
  workspaceNo: number
  /** The subscription; 0 where the walk is along subscriptions. */
  subscriptionNo: number
  /** The event's sequence number where the walk is along subscriptions. */
  seq: number
  /** Only these subscriptions, where the walk is along subscriptions; null for all. */
  subscriptionNos: readonly number[] | null
  after: number
  until: number
  limit: number
  /** True to read the size of each event's content. */
  withSizes: boolean
}

/** Stands for the length of a text in R2, which is not in the row. */
const LARGE_CONTENT_CHARS = 1_000_000

const ROW = 'd.state, d.due_at_ms IS NULL AS ended, d.replay_no'
const EVENT = `e.accepted_at_ms, e.is_test, e.cancelled_at_ms IS NOT NULL OR e.erased_at_ms IS NOT NULL AS stopped`

/** A candidate as read, with the path of its ordering key where the walk is along subscriptions. */
export type ReadCandidate = ReplayCandidate & { orderingKey: string | null }

function rowsSql(source: string): string {
  return `SELECT d.seq AS position, ?1 AS subscription_no, d.seq, d.type, ${ROW}, ${EVENT}, NULL AS fanout, 0 AS chars, NULL AS ordering_key
FROM (SELECT x.seq, x.type, x.state, x.due_at_ms, x.replay_no FROM ${source}
  x.subscription_no = ?1 AND x.seq > ?3 AND x.seq <= ?4 ORDER BY x.seq LIMIT ?5) d
LEFT JOIN event e ON e.pk = (?2 << ${SEQ_BITS}) | d.seq ORDER BY d.seq`
}

const READ_FAILURES = rowsSql(`delivery x INDEXED BY delivery_unhappy WHERE ${isUnhappy('x', 'failed')} AND`)
const READ_ROWS = rowsSql('delivery x WHERE')

const READ_EVENTS = `SELECT e.pk & ${SEQ_MAX} AS position, ?1 AS subscription_no, e.pk & ${SEQ_MAX} AS seq, e.type, ${ROW}, ${EVENT},
  (SELECT f.value FROM json_each(e.fanout) f WHERE f.value = ?1 OR f.value = -?1) AS fanout,
  iif(?6, iif(e.body_key IS NULL, length(e.body), ${LARGE_CONTENT_CHARS}), 0) AS chars, NULL AS ordering_key
FROM event e LEFT JOIN delivery d ON d.subscription_no = ?1 AND d.seq = e.pk & ${SEQ_MAX}
WHERE e.pk > (?2 << ${SEQ_BITS}) | ?3 AND e.pk <= (?2 << ${SEQ_BITS}) | ?4 ORDER BY e.pk LIMIT ?5`

// The fan-out is taken apart once: searched for each subscription, a large one would cost its
// square.
function subscriptionsSql(source: string): string {
  return `WITH fan AS MATERIALIZED (
  SELECT f.value AS signed, abs(f.value) AS no FROM event e, json_each(e.fanout) f WHERE e.pk = (?2 << ${SEQ_BITS}) | ?1)
SELECT s.no AS position, s.no AS subscription_no, ?1 AS seq, e.type, ${ROW}, e.accepted_at_ms, e.is_test,
  s.closed OR e.cancelled_at_ms IS NOT NULL OR e.erased_at_ms IS NOT NULL AS stopped, fan.signed AS fanout, 0 AS chars, s.ordering_key
FROM (SELECT x.no, x.active = 0 OR x.deleted_at_ms IS NOT NULL AS closed, iif(x.config ->> 'ordered', x.config ->> 'orderingKey', NULL) AS ordering_key FROM ${source}
  x.workspace_no = ?2 AND x.no > ?3 AND x.no <= ?4 ORDER BY x.no LIMIT ?5) s
LEFT JOIN event e ON e.pk = (?2 << ${SEQ_BITS}) | ?1
LEFT JOIN delivery d ON d.subscription_no = s.no AND d.seq = ?1
LEFT JOIN fan ON fan.no = s.no ORDER BY s.no`
}

const READ_SUBSCRIPTIONS = subscriptionsSql('subscription x INDEXED BY subscription_workspace WHERE')
const READ_NAMED = subscriptionsSql('json_each(?6) n CROSS JOIN subscription x ON x.no = n.value WHERE')

type CandidateRow = {
  position: number
  subscription_no: number
  seq: number
  type: string | null
  state: number | null
  ended: number
  replay_no: number | null
  accepted_at_ms: number | null
  is_test: number | null
  stopped: number
  fanout: number | null
  chars: number | null
  ordering_key: string | null
}

/** Reads a stretch of a replay's walk. */
export async function readCandidates(db: D1Database, scan: CandidateScan): Promise<ReadCandidate[]> {
  const { results } = await candidatesStatement(db, scan).all<CandidateRow>()
  return results.map(toCandidate)
}

function candidatesStatement(db: D1Database, scan: CandidateScan): D1PreparedStatement {
  const { workspaceNo, subscriptionNo, subscriptionNos, after, until, limit } = scan
  const span = [workspaceNo, after, until, limit] as const
  switch (scan.walk) {
    case 'failures':
      return db.prepare(READ_FAILURES).bind(subscriptionNo, ...span)
    case 'rows':
      return db.prepare(READ_ROWS).bind(subscriptionNo, ...span)
    case 'events':
      return db.prepare(READ_EVENTS).bind(subscriptionNo, ...span, scan.withSizes ? 1 : 0)
    case 'subscriptions':
      return subscriptionNos === null
        ? db.prepare(READ_SUBSCRIPTIONS).bind(scan.seq, ...span)
        : db.prepare(READ_NAMED).bind(scan.seq, ...span, JSON.stringify(subscriptionNos))
  }
}

function toCandidate(row: CandidateRow): ReadCandidate {
  const state = row.state === null ? undefined : DELIVERY_STATES[row.state]
  return {
    position: row.position,
    subscriptionNo: row.subscription_no,
    seq: row.seq,
    type: row.type ?? '',
    acceptedAtMs: row.accepted_at_ms,
    isTest: row.is_test === ORIGIN.test,
    isDispatch: row.is_test === ORIGIN.dispatch,
    isStopped: row.stopped === 1,
    row: state === undefined ? null : { state, hasEnded: row.ended === 1, replayNo: row.replay_no },
    fanout: row.fanout === null ? null : row.fanout > 0 ? 'owed' : 'passed_by',
    contentChars: row.chars ?? 0,
    orderingKey: row.ordering_key,
  }
}

/** Reads a workspace's events by their numbers, with their texts, in no particular order. */
export async function readEvents(
  db: D1Database,
  workspaceNo: number,
  seqs: readonly number[],
): Promise<StoredEvent[]> {
  const { results } = await db
    .prepare(
      `SELECT ${EVENT_COLUMNS}, e.body, e.body_key FROM json_each(?2) q CROSS JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | q.value`,
    )
    .bind(workspaceNo, JSON.stringify(seqs))
    .all<EventRow>()
  return results.map(toStoredEvent)
}

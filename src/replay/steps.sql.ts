import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { hourOf } from '../base/time.ts'
import { DELIVERY_STATES, type DeliveryState, type StoredEvent, stateNumber } from '../model/delivery.ts'
import { EVENT_COLUMNS, type EventRow, ORIGIN, toStoredEvent } from '../store/event-row.sql.ts'
import { isUnhappy, PAYLOAD, STATE } from '../store/states.sql.ts'
import {
  REPLAY_STATES,
  type ReplayCandidate,
  type ReplayState,
  type ReplayWalk,
  replayStateNumber,
} from './replay.ts'
import { IS_RUNNING } from './replays.sql.ts'

/** Which candidates to read: those above `after`, up to `until`, in order, at most `limit`. */
export type CandidateScan = {
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
  /** Whether to say how much content each event has. */
  withSizes: boolean
}

/** What a text in R2 counts for: its length is not in the row. */
const LARGE_CONTENT_CHARS = 1_000_000

const ROW = 'd.state, d.due_at_ms IS NULL AS ended, d.replay_no'
const EVENT = `e.accepted_at_ms, e.is_test, e.cancelled_at_ms IS NOT NULL OR e.erased_at_ms IS NOT NULL AS stopped`

/** A candidate as read. `orderingKey` is the path by which deliveries of its subscription are ordered, where the walk is along these. */
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

// The fan-out is taken apart once: looked through for each subscription, a large one would cost its square.
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

/** A workspace's events by their numbers, with their texts, in no particular order. */
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

/** One step of a replay, to be written if nobody has made it yet. */
export type ReplayStep = {
  replayNo: number
  /** Where the replay stood when the step was read. */
  after: number
  /** The version of the subscription that was matched against; null where nothing was. */
  version: number | null
  /** Rows to be made due again, with the state they ended in. */
  again: readonly { subscriptionNo: number; seq: number; state: DeliveryState }[]
  /** Deliveries to be given a row, and what they are ordered by; null where they have no key. */
  fresh: readonly { subscriptionNo: number; seq: number; orderKey: string | null }[]
  examined: number
  reached: number
  isLast: boolean
  nextStepAtMs: number
}

/** What came of a step: whether it was this call that made it, where the replay stands, and R2 keys nobody needs now. */
export type StepResult = { applied: boolean; state: ReplayState; cursor: number; droppedKeys: string[] }

// Who comes second finds the cursor moved, and none of its statements does anything.
const GUARD = `EXISTS (SELECT 1 FROM replay r WHERE r.no = ?1 AND r.${IS_RUNNING} AND r.cursor = ?2
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM subscription v WHERE v.no = r.subscription_no AND v.version = ?3)))`

// What was read may have changed since: a delivery cancelled or a subscription disabled meanwhile is left alone.
const OPEN = `(SELECT p.value ->> 0 AS sub, p.value ->> 1 AS seq, p.value ->> 2 AS state, p.value ->> 3 AS order_key, e.type, e.is_test, e.deliver_at_ms
  FROM json_each(?4) p
  CROSS JOIN subscription s ON s.no = p.value ->> 0 AND s.active = 1 AND s.deleted_at_ms IS NULL
  CROSS JOIN event e ON e.pk = (s.workspace_no << ${SEQ_BITS}) | (p.value ->> 1) AND e.cancelled_at_ms IS NULL AND e.erased_at_ms IS NULL)`

const MAKE_DUE = `due_at_ms = max(?5, coalesce(o.deliver_at_ms, 0)), crashes = 0, replay_no = ?1, replay_base = attempts, payload = ${PAYLOAD.none}, batch_no = NULL`
const DUE_AGAIN = `FROM ${OPEN} o WHERE delivery.subscription_no = o.sub AND delivery.seq = o.seq AND delivery.state = o.state
  AND delivery.due_at_ms IS NULL AND delivery.replay_no IS NOT ?1 AND ${GUARD}`

// A failed delivery stays failed until its next outcome: naming the state would write the index that holds it again.
const FAILED_AGAIN = `UPDATE delivery SET ${MAKE_DUE} ${DUE_AGAIN}`
const ENDED_AGAIN = `UPDATE delivery SET ${MAKE_DUE}, state = ${STATE.pending}, error = NULL ${DUE_AGAIN}`

const UNCOUNT_FAILURES = `INSERT INTO statistic (subscription_no, hour, failed)
SELECT d.subscription_no, ?5, -count(*) FROM json_each(?4) p
CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1
WHERE d.replay_no = ?1 AND d.is_test = 0 AND ${GUARD} GROUP BY 1
ON CONFLICT (subscription_no, hour) DO UPDATE SET failed = failed + excluded.failed`

const DROP_KEPT = `DELETE FROM kept_body WHERE (subscription_no, seq) IN (
  SELECT d.subscription_no, d.seq FROM json_each(?4) p
  CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1 WHERE d.replay_no = ?1)
AND ${GUARD} RETURNING body_key`

const GIVE_ROWS = `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, is_test, replay_no, order_key)
SELECT o.sub, o.seq, o.type, ${STATE.pending}, max(?5, coalesce(o.deliver_at_ms, 0)), o.is_test = ${ORIGIN.test}, ?1, o.order_key FROM ${OPEN} o WHERE ${GUARD}
ON CONFLICT DO NOTHING`

const ADVANCE = `UPDATE replay SET cursor = ?4, examined = examined + ?5, replayed = replayed + (
    SELECT count(*) FROM json_each(?6) p
    CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1 WHERE d.replay_no = ?1),
  state = iif(?7, ${replayStateNumber('completed')}, ${replayStateNumber('running')}), finished_at_ms = iif(?7, ?8, NULL), next_step_at_ms = ?9
WHERE no = ?1 AND ${GUARD} RETURNING no`

/** Makes a step in one transaction, or none of it when the replay has moved on, was ended, or its subscription changed. */
export async function applyStep(db: D1Database, step: ReplayStep, nowMs: number): Promise<StepResult> {
  const { replayNo, after, version } = step
  const guard = [replayNo, after, version] as const
  const failed = pairsOf(step.again.filter(({ state }) => state === 'failed'))
  const ended = pairsOf(step.again.filter(({ state }) => state !== 'failed'))
  const again = pairsOf(step.again)
  const fresh = step.fresh.map(({ subscriptionNo, seq, orderKey }) => [subscriptionNo, seq, null, orderKey])
  const statements: D1PreparedStatement[] = []
  const add = (sql: string, pairs: readonly unknown[], ...rest: (string | number | null)[]) => {
    if (pairs.length > 0) statements.push(db.prepare(sql).bind(...guard, JSON.stringify(pairs), ...rest))
  }
  add(FAILED_AGAIN, failed, nowMs)
  add(ENDED_AGAIN, ended, nowMs)
  add(UNCOUNT_FAILURES, failed, hourOf(nowMs))
  add(GIVE_ROWS, fresh, nowMs)
  add(DROP_KEPT, again)
  const end = [step.isLast ? 1 : 0, nowMs, step.nextStepAtMs] as const
  statements.push(
    db
      .prepare(ADVANCE)
      .bind(...guard, step.reached, step.examined, JSON.stringify([...again, ...fresh]), ...end),
    db.prepare('SELECT state, cursor FROM replay WHERE no = ?1').bind(replayNo),
  )
  const results = await db.batch(statements)
  const [now] = (results.at(-1)?.results ?? []) as { state: number; cursor: number }[]
  const dropped = again.length === 0 ? [] : ((results.at(-3)?.results ?? []) as { body_key: string | null }[])
  return {
    applied: (results.at(-2)?.results.length ?? 0) > 0,
    state: REPLAY_STATES[now?.state ?? 0] ?? 'failed',
    cursor: now?.cursor ?? after,
    droppedKeys: dropped.flatMap(({ body_key: key }) => (key === null ? [] : [key])),
  }
}

function pairsOf(
  deliveries: readonly { subscriptionNo: number; seq: number; state: DeliveryState }[],
): [number, number, number][] {
  return deliveries.map(({ subscriptionNo, seq, state }) => [subscriptionNo, seq, stateNumber(state)])
}

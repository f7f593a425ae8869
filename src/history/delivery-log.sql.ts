import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { DELIVERY_STATES, type DeliveryState, stateNumber } from '../model/delivery.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { responseOf } from '../store/response-text.sql.ts'
import { isUnhappy } from '../store/states.sql.ts'

/**
 * One delivery as the log shows it. A `pending` one may have no row yet: then all that an attempt
 * would say is null.
 */
export type LoggedDelivery = {
  subscriptionNo: number
  workspaceNo: number
  seq: number
  type: string
  ownId: string | null
  acceptedAtMs: number | null
  state: DeliveryState
  dueAtMs: number | null
  attempts: number
  lastAtMs: number | null
  status: number | null
  error: string | null
  latencyMs: number | null
  response: string | null
  isTest: boolean
  /** The batch of the last attempt; null where the event went alone. */
  batchNo: number | null
}

/**
 * A stretch of a subscription's log: numbers below `belowSeq` and from `minSeq` on, newest first.
 */
export type LogScan = {
  subscriptionNo: number
  workspaceNo: number
  minSeq: number
  belowSeq: number
  type: string | null
  state: DeliveryState | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  limit: number
}

/** Rows found, newest first; everything from `coveredToSeq` up was looked at (0: all of it). */
type LogPage = { rows: LoggedDelivery[]; coveredToSeq: number }

/** Rows that may be read to fill one page of a filtered list. */
const SCAN_ROWS_MAX = 2_000

const COLUMNS = `d.subscription_no, d.seq, d.type, d.state, d.due_at_ms, d.attempts, d.last_at_ms, d.status, d.error, d.latency_ms, d.is_test, d.batch_no,
  e.own_id, e.accepted_at_ms`
const ROW = `${COLUMNS}, ${responseOf('d', 'd.attempts')} AS response`
/** Long responses are left out: a page of a thousand rows could not hold them. */
const SHORT_ROW = `${COLUMNS}, d.response`
const JOIN_EVENT = `LEFT JOIN event e ON e.pk = (?2 << ${SEQ_BITS}) | d.seq`

type Row = {
  subscription_no: number
  seq: number
  type: string
  state: number
  due_at_ms: number | null
  attempts: number
  last_at_ms: number | null
  status: number | null
  error: string | null
  latency_ms: number | null
  is_test: number
  batch_no: number | null
  response: string | null
  own_id: string | null
  accepted_at_ms: number | null
}

function toLogged(row: Row, workspaceNo: number): LoggedDelivery {
  return {
    subscriptionNo: row.subscription_no,
    workspaceNo,
    seq: row.seq,
    type: row.type,
    ownId: row.own_id,
    acceptedAtMs: row.accepted_at_ms,
    state: DELIVERY_STATES[row.state] ?? 'pending',
    dueAtMs: row.due_at_ms,
    attempts: row.attempts,
    lastAtMs: row.last_at_ms,
    status: row.status,
    error: row.error,
    latencyMs: row.latency_ms,
    response: row.response,
    isTest: row.is_test === 1,
    batchNo: row.batch_no,
  }
}

/** Reads deliveries that have a row; responses too long for it are left out. */
export async function scanRows(db: D1Database, scan: LogScan): Promise<LogPage> {
  const keys = scanKeys(scan)
  const { results } = await db
    .prepare(
      `SELECT ${SHORT_ROW} FROM (SELECT x.* ${keys.sql} LIMIT ?9) d ${JOIN_EVENT}
       WHERE (?5 IS NULL OR d.type = ?5) AND (?6 IS NULL OR d.state = ?6)
         AND (?7 IS NULL OR e.accepted_at_ms >= ?7) AND (?8 IS NULL OR e.accepted_at_ms <= ?8) LIMIT ?10`,
    )
    .bind(
      ...keys.bound,
      scan.type,
      keys.state,
      scan.acceptedFromMs,
      scan.acceptedToMs,
      SCAN_ROWS_MAX,
      scan.limit,
    )
    .all<Row>()
  const rows = results.map((row) => toLogged(row, scan.workspaceNo))
  const last = rows.at(-1)
  if (last !== undefined && rows.length === scan.limit) return { rows, coveredToSeq: last.seq }
  return { rows, coveredToSeq: await scanEnd(db, keys) }
}

type Keys = { sql: string; bound: (number | null)[]; state: number | null }

function scanKeys(scan: LogScan): Keys {
  const state = scan.state === null ? null : stateNumber(scan.state)
  // SQLite does not choose a partial index by itself; successes are the common case and have none.
  const source =
    scan.state !== null && scan.state !== 'success'
      ? `delivery x INDEXED BY delivery_unhappy WHERE ${isUnhappy('x', scan.state)} AND`
      : 'delivery x WHERE'
  return {
    sql: `FROM ${source} x.subscription_no = ?1 AND x.seq >= ?3 AND x.seq < ?4 AND ?2 = ?2 ORDER BY x.seq DESC`,
    bound: [scan.subscriptionNo, scan.workspaceNo, scan.minSeq, scan.belowSeq],
    state,
  }
}

/** The number down to which a scan that did not fill its page has looked. */
async function scanEnd(db: D1Database, { sql, bound }: Keys): Promise<number> {
  const row = await db
    .prepare(`SELECT count(*) AS count, min(seq) AS low FROM (SELECT x.seq ${sql} LIMIT ?5)`)
    .bind(...bound, SCAN_ROWS_MAX)
    .first<{ count: number; low: number | null }>()
  return row === null || row.low === null || row.count < SCAN_ROWS_MAX ? 0 : row.low
}

const SCAN_UNRECORDED = `SELECT k.seq, k.type, k.own_id AS ownId, k.accepted_at_ms AS acceptedAtMs, k.deliver_at_ms AS deliverAtMs, k.is_test AS origin,
  k.owed AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = ?1 AND d.seq = k.seq) AS owed
FROM (
  SELECT e.pk & ${SEQ_MAX} AS seq, e.type, e.own_id, e.accepted_at_ms, e.deliver_at_ms, e.is_test,
    EXISTS (SELECT 1 FROM json_each(e.fanout) f WHERE f.value = ?1) AS owed
  FROM event e WHERE e.pk > (?2 << ${SEQ_BITS}) | max(?3 - 1, (SELECT swept_seq FROM workspace WHERE no = ?2))
    AND e.pk < (?2 << ${SEQ_BITS}) | ?4 ORDER BY e.pk DESC LIMIT ?5) k`

type UnrecordedRow = {
  seq: number
  type: string
  ownId: string | null
  acceptedAtMs: number
  deliverAtMs: number | null
  origin: number
  owed: number
}

/** Reads deliveries that are owed but have no row yet: their events are above the watermark. */
export async function scanUnrecorded(db: D1Database, scan: LogScan): Promise<LogPage> {
  const { subscriptionNo, workspaceNo, minSeq, belowSeq, limit } = scan
  const { results } = await db
    .prepare(SCAN_UNRECORDED)
    .bind(subscriptionNo, workspaceNo, minSeq, belowSeq, SCAN_ROWS_MAX)
    .all<UnrecordedRow>()
  const wanted = results.filter((row) => isWanted(row, scan))
  const rows = wanted
    .slice(0, limit)
    .map(({ origin, ...event }) =>
      unrecorded({ ...event, workspaceNo, isTest: origin === ORIGIN.test }, subscriptionNo),
    )
  if (wanted.length >= limit) return { rows, coveredToSeq: rows.at(-1)?.seq ?? 0 }
  return { rows, coveredToSeq: results.length < SCAN_ROWS_MAX ? 0 : (results.at(-1)?.seq ?? 0) }
}

function isWanted({ owed, type, acceptedAtMs }: UnrecordedRow, scan: LogScan): boolean {
  return (
    owed === 1 &&
    (scan.type === null || type === scan.type) &&
    acceptedAtMs >= (scan.acceptedFromMs ?? 0) &&
    acceptedAtMs <= (scan.acceptedToMs ?? Number.POSITIVE_INFINITY)
  )
}

/** Reads the deliveries of one event to some subscriptions, where they have rows. */
export async function findRows(
  db: D1Database,
  event: { workspaceNo: number; seq: number },
  subscriptionNos: readonly number[],
): Promise<LoggedDelivery[]> {
  const { results } = await db
    .prepare(
      `SELECT ${ROW} FROM json_each(?1) n CROSS JOIN delivery d ON d.subscription_no = n.value AND d.seq = ?3 ${JOIN_EVENT}`,
    )
    .bind(JSON.stringify(subscriptionNos), event.workspaceNo, event.seq)
    .all<Row>()
  return results.map((row) => toLogged(row, event.workspaceNo))
}

/** A delivery that is owed but has no row yet; it is due when its event is. */
export function unrecorded(event: UnrecordedEvent, subscriptionNo: number): LoggedDelivery {
  const { workspaceNo, seq, type, ownId, acceptedAtMs, deliverAtMs, isTest } = event
  return {
    subscriptionNo,
    workspaceNo,
    seq,
    type,
    ownId,
    acceptedAtMs,
    isTest,
    state: 'pending',
    dueAtMs: deliverAtMs,
    attempts: 0,
    lastAtMs: null,
    status: null,
    error: null,
    latencyMs: null,
    response: null,
    batchNo: null,
  }
}

type UnrecordedEvent = {
  workspaceNo: number
  seq: number
  type: string
  ownId: string | null
  acceptedAtMs: number
  deliverAtMs: number | null
  isTest: boolean
}

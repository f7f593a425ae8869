import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { DELIVERY_STATES, type DeliveryState, stateNumber } from '../model/delivery.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { responseOf } from '../store/response-text.sql.ts'
import { isUnhappy, STATE } from '../store/states.sql.ts'
import type { Scanned } from './scan-in-turns.ts'

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
  /** A type, or a pattern of types. */
  type: string | null
  states: readonly DeliveryState[] | null
  /** The error of failed deliveries. */
  error: string | null
  /** Left out: with them. */
  withTests?: boolean
  acceptedFromMs: number | null
  acceptedToMs: number | null
  limit: number
  /** Rows that one statement may look at. */
  rowsMax: number
}

/** Columns of a delivery's row; `d` is the delivery table. */
export const DELIVERY_COLUMNS =
  'd.subscription_no, d.seq, d.type, d.state, d.due_at_ms, d.attempts, d.last_at_ms, d.status, d.error, d.latency_ms, d.is_test, d.batch_no'
const COLUMNS = `${DELIVERY_COLUMNS}, e.own_id, e.accepted_at_ms`
const ROW = `${COLUMNS}, ${responseOf('d', 'd.attempts')} AS response`
/** Long responses are left out: a page of a thousand rows could not hold them. */
export const SHORT_ROW = `${COLUMNS}, d.response`
const JOIN_EVENT = `LEFT JOIN event e ON e.pk = (?2 << ${SEQ_BITS}) | d.seq`

/** A row of `SHORT_ROW`. */
export type LoggedRow = {
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

/** Reads a row of the log. */
export function toLogged(row: LoggedRow, workspaceNo: number): LoggedDelivery {
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
export async function scanRows(db: D1Database, scan: LogScan): Promise<Scanned<LoggedDelivery>> {
  const keys = scanKeys(scan)
  const { results } = await db
    .prepare(
      `SELECT ${SHORT_ROW} FROM (SELECT x.* ${keys.sql} LIMIT ?10) d ${JOIN_EVENT}
       WHERE (?5 IS NULL OR d.type GLOB ?5) AND (?6 IS NULL OR d.state IN (SELECT value FROM json_each(?6)))
         AND (?7 IS NULL OR e.accepted_at_ms >= ?7) AND (?8 IS NULL OR e.accepted_at_ms <= ?8)
         AND (?9 IS NULL OR d.error = ?9) AND (?12 OR d.is_test = 0) LIMIT ?11`,
    )
    .bind(
      ...keys.bound,
      scan.type,
      scan.states === null ? null : JSON.stringify(scan.states.map(stateNumber)),
      scan.acceptedFromMs,
      scan.acceptedToMs,
      scan.error,
      scan.rowsMax,
      scan.limit,
      scan.withTests === false ? 0 : 1,
    )
    .all<LoggedRow>()
  const rows = results.map((row) => toLogged(row, scan.workspaceNo))
  const last = rows.at(-1)
  if (last !== undefined && rows.length === scan.limit) return { rows, coveredToSeq: last.seq }
  return { rows, coveredToSeq: await scanEnd(db, keys, scan.rowsMax) }
}

type Keys = { sql: string; bound: number[] }

function scanKeys({ subscriptionNo, workspaceNo, minSeq, belowSeq, states }: LogScan): Keys {
  const [state, ...others] = states ?? []
  // SQLite does not choose a partial index by itself; successes are the common case and have none.
  const source =
    state !== undefined && state !== 'success' && others.length === 0
      ? `delivery x INDEXED BY delivery_unhappy WHERE ${isUnhappy('x', state)} AND`
      : 'delivery x WHERE'
  return {
    sql: `FROM ${source} x.subscription_no = ?1 AND x.seq >= ?3 AND x.seq < ?4 AND ?2 = ?2 ORDER BY x.seq DESC`,
    bound: [subscriptionNo, workspaceNo, minSeq, belowSeq],
  }
}

/** The number down to which a scan that did not fill its page has looked. */
async function scanEnd(db: D1Database, { sql, bound }: Keys, rowsMax: number): Promise<number> {
  const row = await db
    .prepare(`SELECT count(*) AS count, min(seq) AS low FROM (SELECT x.seq ${sql} LIMIT ?5)`)
    .bind(...bound, rowsMax)
    .first<{ count: number; low: number | null }>()
  return row === null || row.low === null || row.count < rowsMax ? 0 : row.low
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
export async function scanUnrecorded(db: D1Database, scan: LogScan): Promise<Scanned<LoggedDelivery>> {
  const { subscriptionNo, workspaceNo, minSeq, belowSeq, limit, rowsMax } = scan
  const { results } = await db
    .prepare(SCAN_UNRECORDED)
    .bind(subscriptionNo, workspaceNo, minSeq, belowSeq, rowsMax)
    .all<UnrecordedRow>()
  const wanted = results.filter((row) => isWanted(row, scan))
  const rows = wanted
    .slice(0, limit)
    .map(({ origin, ...event }) =>
      unrecorded({ ...event, workspaceNo, isTest: origin === ORIGIN.test }, subscriptionNo),
    )
  if (wanted.length >= limit) return { rows, coveredToSeq: rows.at(-1)?.seq ?? 0 }
  return { rows, coveredToSeq: results.length < rowsMax ? 0 : (results.at(-1)?.seq ?? 0) }
}

function isWanted({ owed, type, acceptedAtMs }: UnrecordedRow, scan: LogScan): boolean {
  return (
    owed === 1 &&
    (scan.type === null || isOfType(type, scan.type)) &&
    acceptedAtMs >= (scan.acceptedFromMs ?? 0) &&
    acceptedAtMs <= (scan.acceptedToMs ?? Number.POSITIVE_INFINITY)
  )
}

/** The same as SQL's GLOB, since a type has no other wildcard in it: `invoice.*` is any depth below. */
function isOfType(type: string, pattern: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}

/** Rows that are looked at below each of some numbers. */
const PROBE_ROWS = 20

/** Finds those of some numbers that have a success, not of a test, among the few rows next below them, in their order. */
export async function successesBelow(
  db: D1Database,
  subscriptionNo: number,
  belowSeqs: readonly number[],
): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT p.value AS belowSeq FROM json_each(?2) p WHERE EXISTS (
         SELECT 1 FROM (SELECT x.state, x.is_test FROM delivery x WHERE x.subscription_no = ?1 AND x.seq < p.value
           ORDER BY x.seq DESC LIMIT ${PROBE_ROWS}) WHERE state = ${STATE.success} AND is_test = 0)`,
    )
    .bind(subscriptionNo, JSON.stringify(belowSeqs))
    .all<{ belowSeq: number }>()
  return results.map(({ belowSeq }) => belowSeq)
}

/** The number of a subscription's oldest delivery with a row; null where none has one. */
export async function oldestSeq(db: D1Database, subscriptionNo: number): Promise<number | null> {
  const sql = 'SELECT min(seq) AS seq FROM delivery WHERE subscription_no = ?1'
  return await db.prepare(sql).bind(subscriptionNo).first<number | null>('seq')
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
    .all<LoggedRow>()
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

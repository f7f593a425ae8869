import { SEQ_BITS } from '../../base/ids/seq.ts'
import { type DeliveryState, stateNumber } from '../../model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../../outcome/retry-policy.ts'
import { isUnhappy, STATE } from '../../store/states.sql.ts'
import {
  DELIVERY_COLUMNS,
  type LoggedDelivery,
  type LoggedRow,
  SHORT_ROW,
  toLogged,
} from '../delivery-log.sql.ts'
import type { Place } from './place.ts'

/** The part of a selection that a delivery's own row decides. */
export type RowFilter = {
  states: readonly DeliveryState[] | null
  error: string | null
  responseCodes: { min: number; max: number } | null
  isBlocked: boolean
  isWaiting: boolean
}

const FILTER = `(?1 IS NULL OR d.state IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR d.error = ?2)
  AND (?3 IS NULL OR d.status BETWEEN ?3 AND ?4) AND (?5 = 0 OR d.due_at_ms = ${BLOCKED_UNTIL_MS})
  AND (?6 = 0 OR d.state = ${STATE.pending} OR (d.due_at_ms IS NOT NULL AND d.due_at_ms <> ${BLOCKED_UNTIL_MS}))`

function filterValues({ states, error, responseCodes, isBlocked, isWaiting }: RowFilter) {
  return [
    states === null ? null : JSON.stringify(states.map(stateNumber)),
    error,
    responseCodes?.min ?? null,
    responseCodes?.max ?? null,
    isBlocked ? 1 : 0,
    isWaiting ? 1 : 0,
  ]
}

/** A filter that no row passes: only deliveries without one are found. */
export const NO_ROWS: RowFilter = {
  ...{ states: [], error: null, responseCodes: null, isBlocked: false, isWaiting: false },
}

/** An event and a subscription that it was owed to, or that only a back-fill may have given it. */
export type Pair = Place & { isOwed: boolean }

/** A pair that was looked up: its place in the list that was asked for, and its row where it has one. */
export type FoundPair = { at: number; row: LoggedDelivery | null }

const PAIR_ROWS = `SELECT p.key AS at, ${DELIVERY_COLUMNS}, NULL AS own_id, NULL AS accepted_at_ms, d.response
FROM json_each(?7) p LEFT JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1
WHERE iif(d.seq IS NULL, p.value ->> 2 AND p.value ->> 1 > ?8, ${FILTER}) LIMIT ?9`

/**
 * Looks pairs of subscription and event up, in their order, until `limit` are found that a filter lets pass. Those
 * without a row are found where they are owed and their number is above `unrecordedAboveSeq`.
 */
export async function findPairs(
  db: D1Database,
  pairs: readonly Pair[],
  {
    filter,
    ...wanted
  }: { filter: RowFilter; workspaceNo: number; unrecordedAboveSeq: number; limit: number },
): Promise<FoundPair[]> {
  if (pairs.length === 0) return []
  const list = JSON.stringify(
    pairs.map(({ subscriptionNo, seq, isOwed }) => [subscriptionNo, seq, isOwed ? 1 : 0]),
  )
  const { results } = await db
    .prepare(PAIR_ROWS)
    .bind(...filterValues(filter), list, wanted.unrecordedAboveSeq, wanted.limit)
    .all<LoggedRow & { at: number }>()
  return results.map((row) => ({
    at: row.at,
    row: row.seq === null ? null : toLogged(row, wanted.workspaceNo),
  }))
}

/** An index that leads to some deliveries of a subscription, the newest first; `all` are all that have a row. */
export type RowSource = 'all' | Exclude<DeliveryState, 'success'> | 'blocked'

/** Rows of some subscriptions from `minSeq` on and below a place, found through an index. */
export type RowStretch = {
  workspaceNo: number
  subscriptionNos: readonly number[]
  source: RowSource
  minSeq: number
  below: Place
  type: string | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  filter: RowFilter
  /** Rows of each subscription that are looked at. */
  rowsOfEachMax: number
  limit: number
}

/** The numbers of the newest rows of a subscription `s.value`; those of the place's own event come after it. */
function newestSeqs(source: RowSource): string {
  const [index, condition] = sourceSql(source)
  return `SELECT x.seq FROM delivery x ${index} WHERE ${condition} x.subscription_no = s.value AND x.seq >= ?9
    AND x.seq < ?10 + (s.value < ?11) ORDER BY x.seq DESC`
}

function sourceSql(source: RowSource): [index: string, condition: string] {
  if (source === 'all') return ['', '']
  if (source === 'blocked') return ['INDEXED BY delivery_due', `x.due_at_ms = ${BLOCKED_UNTIL_MS} AND`]
  return ['INDEXED BY delivery_unhappy', `${isUnhappy('x', source)} AND`]
}

function rowsSql(source: RowSource): string {
  return `SELECT ${SHORT_ROW} FROM json_each(?8) s
CROSS JOIN subscription o ON o.no = s.value AND o.workspace_no = ?7
CROSS JOIN delivery d ON d.subscription_no = s.value AND d.seq IN (${newestSeqs(source)} LIMIT ?12)
LEFT JOIN event e ON e.pk = (?7 << ${SEQ_BITS}) | d.seq
WHERE ${FILTER} AND (?13 IS NULL OR d.type GLOB ?13) AND (?14 IS NULL OR e.accepted_at_ms >= ?14) AND (?15 IS NULL OR e.accepted_at_ms <= ?15)
ORDER BY d.seq DESC, d.subscription_no DESC LIMIT ?16`
}

/** The highest of the numbers down to which a subscription has been looked at that has more rows. */
function endSql(source: RowSource): string {
  const last = `(${newestSeqs(source)} LIMIT 1 OFFSET ?12 - 1)`
  return `SELECT max(${last}) AS seq FROM json_each(?8) s`
}

/**
 * Reads rows of many subscriptions, merged: all from `coveredToSeq` up were looked at (0: all). The more rows another
 * subscription has than it is given, the sooner the merge ends.
 */
export async function scanRowsOfMany(
  db: D1Database,
  stretch: RowStretch,
): Promise<{ rows: LoggedDelivery[]; coveredToSeq: number }> {
  const { workspaceNo, subscriptionNos, source, minSeq, below, type, filter, rowsOfEachMax } = stretch
  const shared = [
    ...filterValues(filter),
    workspaceNo,
    JSON.stringify(subscriptionNos),
    ...[minSeq, below.seq, below.subscriptionNo, rowsOfEachMax],
  ]
  const rest = [type, stretch.acceptedFromMs, stretch.acceptedToMs, stretch.limit]
  const [found, end] = await db.batch([
    db.prepare(rowsSql(source)).bind(...shared, ...rest),
    db.prepare(endSql(source)).bind(...shared),
  ])
  return {
    rows: ((found?.results ?? []) as LoggedRow[]).map((row) => toLogged(row, workspaceNo)),
    coveredToSeq: (end?.results as { seq: number | null }[] | undefined)?.[0]?.seq ?? 0,
  }
}

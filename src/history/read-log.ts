import { SEQ_MAX, seqRange } from '../base/ids/seq.ts'
import type { DeliveryState } from '../model/delivery.ts'
import { type LoggedDelivery, type LogScan, scanRows, scanUnrecorded } from './delivery-log.sql.ts'
import { type Scanned, scanInTurns } from './scan-in-turns.ts'

/** A selection from a subscription's log. */
export type LogQuery = {
  subscriptionNo: number
  workspaceNo: number
  /** A type, or a pattern of types; null for all. */
  type: string | null
  /** Null for all. */
  states: readonly DeliveryState[] | null
  /** The error of failed deliveries; null for any and for none. */
  error: string | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  /** The number below which the page begins; null for the first page. */
  belowSeq: number | null
  limit: number
}

/** Reads a page of a subscription's log, newest accepted first, with owed deliveries that have no row. */
export async function readLog(
  db: D1Database,
  query: LogQuery,
): Promise<{ rows: LoggedDelivery[]; nextBelowSeq: number | null }> {
  const bounds = seqRange(query.acceptedFromMs, query.acceptedToMs)
  const belowSeq = Math.min(query.belowSeq ?? SEQ_MAX, bounds.max + 1)
  const stretch = { belowSeq, minSeq: bounds.min, limit: query.limit }
  return await scanInTurns(stretch, (turn) => scanOnce(db, { ...query, ...stretch, ...turn }))
}

/** Looks through one stretch for everything at once: states that have an index each, and what has no row. */
async function scanOnce(db: D1Database, scan: LogScan): Promise<Scanned<LoggedDelivery>> {
  const mayBeUnrecorded = scan.error === null && (scan.states?.includes('pending') ?? true)
  const scans = await Promise.all([
    ...indexedScans(scan).map((one) => scanRows(db, one)),
    ...(mayBeUnrecorded ? [scanUnrecorded(db, scan)] : []),
  ])
  // Below the highest of the ends one list has not been looked at, so nothing there is shown yet.
  const coveredToSeq = Math.max(0, ...scans.map((one) => one.coveredToSeq))
  const merged = scans
    .flatMap((one) => one.rows)
    .filter(({ seq }) => seq >= coveredToSeq)
    .sort((a, b) => b.seq - a.seq)
  const rows = merged.slice(0, scan.limit)
  return { rows, coveredToSeq: merged.length > rows.length ? (rows.at(-1)?.seq ?? 0) : coveredToSeq }
}

/** Only deliveries that have failed have an error. */
const FAILED: readonly DeliveryState[] = ['failed']

/** One scan for each state that an index serves; successes are the common case and have none. */
function indexedScans(scan: LogScan): LogScan[] {
  const { error } = scan
  const states = error === null ? scan.states : (scan.states ?? FAILED).filter((state) => state === 'failed')
  if (states === null || states.includes('success')) return [scan]
  return states.map((state) => ({ ...scan, states: [state] }))
}

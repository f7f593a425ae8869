import { SEQ_MAX, seqRange } from '../base/ids/seq.ts'
import type { DeliveryState } from '../model/delivery.ts'
import { type LoggedDelivery, type LogScan, scanRows, scanUnrecorded } from './delivery-log.sql.ts'

/** A selection from a subscription's log. */
export type LogQuery = {
  subscriptionNo: number
  workspaceNo: number
  type: string | null
  state: DeliveryState | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  /** The number below which the page begins; null for the first page. */
  belowSeq: number | null
  limit: number
}

/**
 * Reads a page of a subscription's log, newest accepted first, with owed deliveries that have no
 * row. A page is short when what may be read for it is spent; the next one begins where it stopped.
 */
export async function readLog(
  db: D1Database,
  query: LogQuery,
): Promise<{ rows: LoggedDelivery[]; nextBelowSeq: number | null }> {
  const bounds = seqRange(query.acceptedFromMs, query.acceptedToMs)
  const scan: LogScan = {
    ...query,
    minSeq: bounds.min,
    belowSeq: Math.min(query.belowSeq ?? SEQ_MAX, bounds.max + 1),
  }
  const mayBeUnrecorded = query.state === null || query.state === 'pending'
  const [recorded, unrecorded] = await Promise.all([
    scanRows(db, scan),
    mayBeUnrecorded ? scanUnrecorded(db, scan) : { rows: [], coveredToSeq: 0 },
  ])
  // Below the higher of the two ends one list has not been looked at, so nothing there is shown
  // yet.
  const coveredToSeq = Math.max(recorded.coveredToSeq, unrecorded.coveredToSeq)
  const merged = [...recorded.rows, ...unrecorded.rows]
    .filter(({ seq }) => seq >= coveredToSeq)
    .sort((a, b) => b.seq - a.seq)
  const rows = merged.slice(0, query.limit)
  const cutAt = merged.length > rows.length ? (rows.at(-1)?.seq ?? null) : null
  return { rows, nextBelowSeq: cutAt ?? (coveredToSeq > bounds.min ? coveredToSeq : null) }
}

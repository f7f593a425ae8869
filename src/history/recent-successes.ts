import { SEQ_MAX } from '../base/ids/seq.ts'
import { type LoggedDelivery, type LogScan, oldestSeq, scanRows, successesBelow } from './delivery-log.sql.ts'
import { SCAN_ROWS_MAX } from './scan-in-turns.ts'

/** Places that are looked at together, on the way down through deliveries that have not succeeded. */
const PROBES = 24

/**
 * Reads the newest successes, without tests, newest accepted first. Where thousands of others lie above them, the places
 * at which a few rows are looked at lie further and further apart: a success among the others may then be passed over.
 */
export async function recentSuccesses(
  db: D1Database,
  subscription: { subscriptionNo: number; workspaceNo: number },
  limit: number,
): Promise<LoggedDelivery[]> {
  const at = (belowSeq: number) =>
    scanRows(db, { ...ALL, ...subscription, belowSeq, limit, rowsMax: SCAN_ROWS_MAX })
  const newest = await at(SEQ_MAX)
  const { coveredToSeq } = newest
  if (newest.rows.length >= limit || coveredToSeq === 0) return newest.rows
  const belowSeq = await findSuccesses(db, subscription.subscriptionNo, coveredToSeq)
  if (belowSeq === null) return newest.rows
  const older = await at(belowSeq)
  return [...newest.rows, ...older.rows].slice(0, limit)
}

const ALL = {
  ...{ type: null, states: ['success'], error: null, withTests: false },
  ...{ acceptedFromMs: null, acceptedToMs: null, minSeq: 0 },
} satisfies Partial<LogScan>

/** Finds a number with successes closely below it: coarsely on the way down, then finely on the way back. */
async function findSuccesses(db: D1Database, no: number, topSeq: number): Promise<number | null> {
  const bottomSeq = await oldestSeq(db, no)
  if (bottomSeq === null || bottomSeq >= topSeq) return null
  const depth = topSeq - bottomSeq
  const depthAt = (i: number) => Math.floor(depth / 2 ** (PROBES - 1 - i))
  const coarse = Array.from({ length: PROBES }, (_, i) => Math.min(topSeq, topSeq - depthAt(i) + 1))
  const found = (await successesBelow(db, no, coarse))[0]
  if (found === undefined) return null
  const above = coarse[coarse.indexOf(found) - 1] ?? topSeq
  const step = (above - found) / PROBES
  const fine = Array.from({ length: PROBES }, (_, i) => Math.ceil(above - step * i))
  return (await successesBelow(db, no, fine))[0] ?? found
}

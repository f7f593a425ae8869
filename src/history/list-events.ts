import { SEQ_MAX, seqRange } from '../base/ids/seq.ts'
import { type ListedEvent, scanEvents } from './event-log.sql.ts'
import { scanInTurns } from './scan-in-turns.ts'

/** A selection from a workspace's events. */
export type EventQuery = {
  /** A type, or a pattern of types; null for all. */
  type: string | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  /** The number below which the page begins; null for the first page. */
  belowSeq: number | null
  limit: number
  /** Only events that one of these subscriptions wanted, which alone are counted; null for all. */
  subscriptionNos: readonly number[] | null
}

/** Reads a page of a workspace's events, newest accepted first. */
export async function listEvents(
  db: D1Database,
  workspaceId: string,
  query: EventQuery,
): Promise<{ rows: ListedEvent[]; nextBelowSeq: number | null }> {
  const bounds = seqRange(query.acceptedFromMs, query.acceptedToMs)
  const belowSeq = Math.min(query.belowSeq ?? SEQ_MAX, bounds.max + 1)
  const stretch = { belowSeq, minSeq: bounds.min, limit: query.limit }
  return await scanInTurns(stretch, (turn) => scanEvents(db, workspaceId, { ...query, ...stretch, ...turn }))
}

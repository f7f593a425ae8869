import { SEQ_MAX, seqRange } from '../../base/ids/seq.ts'
import { findWorkspaceNo } from '../../workspace/workspaces.sql.ts'
import { type ListedEvent, listedEvents } from '../event-log.sql.ts'
import type { EventQuery } from '../list-events.ts'
import type { PayloadSearch } from './needles.ts'
import { EventSearch } from './search-events.ts'

/**
 * Reads a page of the events whose payloads hold what is searched for, newest accepted first. It is short where the
 * page's bounds are reached; `nextBelowSeq` is null when all was looked at.
 */
export async function listFoundEvents(
  deps: { db: D1Database; bodies: R2Bucket },
  workspaceId: string,
  { query, search }: { query: EventQuery; search: PayloadSearch },
): Promise<{ rows: ListedEvent[]; nextBelowSeq: number | null }> {
  const workspaceNo = await findWorkspaceNo(deps.db, workspaceId)
  if (workspaceNo === null) return { rows: [], nextBelowSeq: null }
  const bounds = seqRange(query.acceptedFromMs, query.acceptedToMs)
  const maxSeq = Math.min((query.belowSeq ?? SEQ_MAX) - 1, bounds.max)
  const stretch = { ...query, workspaceNo, minSeq: bounds.min, maxSeq }
  const { seqs, searchedToSeq } = await new EventSearch(deps, search).find(stretch, query.limit)
  return {
    rows: await listedEvents(deps.db, { workspaceNo, seqs, subscriptionNos: query.subscriptionNos }),
    nextBelowSeq: searchedToSeq <= bounds.min ? null : searchedToSeq,
  }
}

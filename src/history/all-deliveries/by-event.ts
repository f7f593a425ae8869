import { type LoggedDelivery, unrecorded } from '../delivery-log.sql.ts'
import type { EventSearch } from '../search/search-events.ts'
import type { SearchStretch } from '../search/searched-events.sql.ts'
import { findPairs, NO_ROWS, type Pair } from './delivery-rows.sql.ts'
import { type OwedEvent, type OwedEvents, readOwedEvents, scanOwedEvents } from './owed-events.sql.ts'
import { comparePlaces, isBelow, type Place, topBelow } from './place.ts'
import { type DeliveryQuery, mayBeUnrecorded, narrowsDeliveries, narrowsEvents, statesOf } from './query.ts'
import type { WorkspaceScope } from './scope.sql.ts'

/** One turn of a list: what is looked at begins below `below`, and ends at `minSeq`. */
export type Turn = {
  scope: WorkspaceScope
  query: DeliveryQuery
  /** Finds the events whose payloads hold what is searched for; null for all events. */
  search: EventSearch | null
  /** True for the first turn of a page: most pages are filled by it. */
  isFirst: boolean
  below: Place
  minSeq: number
  limit: number
}

/** Deliveries found in one turn; everything above `next` was looked at, null: all. */
export type TurnResult = { rows: LoggedDelivery[]; next: Place | null }

/** Events, and deliveries of them, that one turn looks at where some may be left out. */
const ROWS_MAX = 2_000
const PAIRS_MAX = 4_000
/** Events that one turn of a search finds: the subscriptions of each are read whole. */
const SEARCHED_EVENTS_MAX = 100

/**
 * Finds deliveries along the workspace's events, each with those that it is owed to; or of these only the ones that
 * have no row yet.
 */
export async function findByEvent(
  db: D1Database,
  turn: Turn,
  { onlyUnrecorded = false } = {},
): Promise<TurnResult> {
  const { scope, query, below, minSeq, limit } = turn
  const isNarrow = onlyUnrecorded || narrowsDeliveries(query)
  const takesAll = !isNarrow && !narrowsEvents(query)
  const stretch = {
    ...query,
    workspaceNo: scope.workspaceNo,
    minSeq,
    maxSeq: below.subscriptionNo > 0 ? below.seq : below.seq - 1,
    // Every event with a fan-out fills the page a little.
    rowsMax: takesAll && turn.isFirst ? Math.min(ROWS_MAX, 2 * limit) : ROWS_MAX,
    pairsMax: isNarrow ? PAIRS_MAX : limit,
  }
  const found =
    turn.search === null
      ? await scanOwedEvents(db, stretch)
      : await searchOwedEvents(db, { search: turn.search, stretch }, limit)
  const bySeq = new Map(found.events.map((event) => [event.seq, event]))
  const { pairs, coveredToSeq } = pairsToLookUp(found, turn)
  const looked = await findPairs(db, pairs, {
    filter: onlyUnrecorded ? NO_ROWS : { ...query, states: statesOf(query) },
    workspaceNo: scope.workspaceNo,
    unrecordedAboveSeq: mayBeUnrecorded(query) ? scope.sweptSeq : Number.MAX_SAFE_INTEGER,
    limit,
  })
  const rows = looked.flatMap(({ at, row }) => {
    const pair = pairs[at]
    const event = pair === undefined ? undefined : bySeq.get(pair.seq)
    if (pair === undefined || event === undefined) return []
    return row === null
      ? unrecordedOf(event, { ...pair, workspaceNo: scope.workspaceNo })
      : { ...row, ownId: event.ownId, acceptedAtMs: event.acceptedAtMs }
  })
  const last = rows.at(-1)
  if (last !== undefined && rows.length >= limit) return { rows, next: last }
  return { rows, next: coveredToSeq <= minSeq ? null : topBelow(coveredToSeq) }
}

/** The pairs of the newest events, as many as one statement takes; the next turn goes on below the last of these events. */
function pairsToLookUp(
  { events, coveredToSeq }: OwedEvents,
  turn: Turn,
): { pairs: Pair[]; coveredToSeq: number } {
  const pairs: Pair[] = []
  for (const [at, event] of events.entries()) {
    for (const pair of pairsOf(event, turn)) if (isBelow(pair, turn.below)) pairs.push(pair)
    if (pairs.length >= PAIRS_MAX && at < events.length - 1) return { pairs, coveredToSeq: event.seq }
  }
  return { pairs, coveredToSeq }
}

/** Finds events by their payloads, as many as a page can show deliveries. */
async function searchOwedEvents(
  db: D1Database,
  { search, stretch }: { search: EventSearch; stretch: SearchStretch },
  limit: number,
): Promise<OwedEvents> {
  const { seqs, searchedToSeq } = await search.find(stretch, Math.min(limit, SEARCHED_EVENTS_MAX))
  return { events: await readOwedEvents(db, stretch.workspaceNo, seqs), coveredToSeq: searchedToSeq }
}

/** The pairs of an event, in the list's order. Back-fills take events that were published, whoever wanted them then. */
function pairsOf({ seq, fanout, origin }: OwedEvent, { scope, query }: Turn): Pair[] {
  const owed = new Set(fanout.map(Math.abs))
  if (origin === 'published') for (const no of scope.backfilledNos) owed.add(no)
  const allowed = query.subscriptionNos === null ? null : new Set(query.subscriptionNos)
  return [...owed]
    .filter((no) => allowed === null || allowed.has(no))
    .map((subscriptionNo) => ({ seq, subscriptionNo, isOwed: fanout.includes(subscriptionNo) }))
    .sort(comparePlaces)
}

/** A delivery without a row is owed only to those that the event's fan-out names. */
function unrecordedOf(
  event: OwedEvent,
  { subscriptionNo, workspaceNo }: { subscriptionNo: number; workspaceNo: number },
): LoggedDelivery[] {
  if (!event.fanout.includes(subscriptionNo)) return []
  return [unrecorded({ ...event, workspaceNo, isTest: event.origin === 'test' }, subscriptionNo)]
}

import { findByEvent, type Turn, type TurnResult } from './by-event.ts'
import { type RowSource, type RowStretch, scanRowsOfMany } from './delivery-rows.sql.ts'
import { comparePlaces, topBelow } from './place.ts'
import { type DeliveryQuery, mayBeUnrecorded, statesOf } from './query.ts'

/** Rows that one statement looks at, and the fewest of each subscription. */
const ROWS_MAX = 4_000
const ROWS_OF_EACH_MIN = 2

/** Finds deliveries along the rows of each subscription, and those without a row along the newest events. */
export async function findBySubscription(db: D1Database, turn: Turn): Promise<TurnResult> {
  const { limit } = turn
  const [recorded, unrecorded] = await Promise.all([
    Promise.all(sourcesOf(turn.query).map((source) => scanRowsOfMany(db, stretchOf(turn, source)))),
    findUnrecorded(db, turn),
  ])
  // Below the highest of the ends one list has not been looked at, so nothing there is shown yet.
  const ends = [...recorded, unrecorded].map(({ coveredToSeq }) => coveredToSeq)
  const coveredToSeq = Math.max(0, ...ends)
  const merged = [...recorded, unrecorded]
    .flatMap(({ rows }) => rows)
    .filter(({ seq }) => seq >= coveredToSeq)
    .sort(comparePlaces)
  const rows = merged.slice(0, limit)
  const last = rows.at(-1)
  if (last !== undefined && rows.length >= limit) return { rows, next: last }
  return { rows, next: coveredToSeq <= turn.minSeq ? null : topBelow(coveredToSeq) }
}

/** Successes are the common case and have no index. */
function sourcesOf(query: DeliveryQuery): RowSource[] {
  if (query.isBlocked) return ['blocked']
  const states = statesOf(query)
  if (states === null) return ['all']
  const indexed = states.flatMap((state) => (state === 'success' ? [] : [state]))
  return indexed.length < states.length ? ['all'] : indexed
}

function stretchOf({ scope, query, minSeq, below, limit }: Turn, source: RowSource): RowStretch {
  const { subscriptionNos } = scope
  const share = Math.max(ROWS_OF_EACH_MIN, Math.floor(ROWS_MAX / Math.max(1, subscriptionNos.length)))
  return {
    ...query,
    workspaceNo: scope.workspaceNo,
    subscriptionNos,
    source,
    minSeq,
    below,
    filter: { ...query, states: statesOf(query) },
    rowsOfEachMax: leavesNoneOut(query) ? Math.min(share, limit) : share,
    limit,
  }
}

/** True where every row that a source leads to is part of the list. */
function leavesNoneOut(query: DeliveryQuery): boolean {
  const { type, acceptedFromMs, acceptedToMs, error, responseCodes, isWaiting } = query
  const isOpen = [type, acceptedFromMs, acceptedToMs, error, responseCodes].every((each) => each === null)
  return isOpen && !isWaiting && !(statesOf(query)?.includes('success') ?? false)
}

/** Deliveries without a row are of events above the watermark. */
async function findUnrecorded(
  db: D1Database,
  turn: Turn,
): Promise<{ rows: TurnResult['rows']; coveredToSeq: number }> {
  const { scope, query } = turn
  if (!mayBeUnrecorded(query)) return { rows: [], coveredToSeq: 0 }
  const minSeq = Math.max(turn.minSeq, scope.sweptSeq + 1)
  const { rows, next } = await findByEvent(db, { ...turn, minSeq }, { onlyUnrecorded: true })
  return { rows, coveredToSeq: next === null ? 0 : next.seq }
}

import { seqRange } from '../../base/ids/seq.ts'
import type { LoggedDelivery } from '../delivery-log.sql.ts'
import type { EventSearch } from '../search/search-events.ts'
import { findByEvent, type Turn, type TurnResult } from './by-event.ts'
import { findBySubscription } from './by-subscription.ts'
import { isBelow, type Place, TOP, topBelow } from './place.ts'
import { type DeliveryQuery, statesOf } from './query.ts'
import { readScope } from './scope.sql.ts'

/** Turns of one page. */
const TURNS_MAX = 5
/** So many subscriptions are faster to look through than all events of the workspace. */
const FEW_SUBSCRIPTIONS = 50

/**
 * Reads a page of a workspace's deliveries, newest accepted first. It is short when its turns are spent; then the next
 * one begins where it stopped. `next` is null when all was looked at.
 */
export async function listDeliveries(
  db: D1Database,
  workspaceId: string,
  query: DeliveryQuery,
  { search = null }: { search?: EventSearch | null } = {},
): Promise<{ rows: LoggedDelivery[]; next: Place | null }> {
  const scope = await readScope(db, workspaceId, query.subscriptionNos)
  if (scope === null) return { rows: [], next: null }
  const bounds = boundsOf(query)
  const top = topBelow(bounds.max + 1)
  const start = query.below ?? TOP
  const rows: LoggedDelivery[] = []
  let below = isBelow(start, top) ? start : top
  for (let turn = 0; turn < TURNS_MAX && rows.length < query.limit; turn++) {
    const limit = query.limit - rows.length
    const found = await findInTurn(db, {
      ...{ scope, query, search, below, limit },
      minSeq: bounds.min,
      isFirst: turn === 0,
    })
    rows.push(...found.rows)
    if (found.next === null) return { rows, next: null }
    below = found.next
  }
  return { rows, next: below }
}

/** The numbers of the events that can be among those selected. */
function boundsOf({ onlySeq, acceptedFromMs, acceptedToMs }: DeliveryQuery): { min: number; max: number } {
  const { min, max } = seqRange(acceptedFromMs, acceptedToMs)
  return onlySeq === null ? { min, max } : { min: Math.max(min, onlySeq), max: Math.min(max, onlySeq) }
}

/** Rare states have an index of each subscription; what is common is found along the events. */
async function findInTurn(db: D1Database, turn: Turn): Promise<TurnResult> {
  const { query } = turn
  const states = statesOf(query)
  const isRare = states !== null && !states.includes('success')
  const isOfFew = query.subscriptionNos !== null && query.subscriptionNos.length <= FEW_SUBSCRIPTIONS
  return turn.search === null && (isRare || isOfFew)
    ? await findBySubscription(db, turn)
    : await findByEvent(db, turn)
}

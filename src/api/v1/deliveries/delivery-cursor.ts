import { decodePairCursor, encodePairCursor } from '../../../base/ids/cursor.ts'
import { timeOfSeq } from '../../../base/ids/seq.ts'
import { iso } from '../../../base/time.ts'
import { invalidField } from '../../../model/errors.ts'

/** The place of a delivery in the list of a workspace. */
type Place = { seq: number; subscriptionNo: number }

/** The place below which a page begins; null for the first page. */
export function deliveriesStart(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null
  const numbers = decodePairCursor('deliveries', cursor)
  if (numbers === null) throw invalidField('cursor', 'must be the nextCursor of an earlier page of this list')
  const [seq, subscriptionNo] = numbers
  return { seq, subscriptionNo }
}

/** The next page, with the time down to which deliveries have been searched; null for all of them. */
export function nextDeliveries(below: Place | null): {
  nextCursor: string | null
  searchedUntil: string | null
} {
  if (below === null) return { nextCursor: null, searchedUntil: null }
  const nextCursor = encodePairCursor('deliveries', [below.seq, below.subscriptionNo])
  return { nextCursor, searchedUntil: iso(timeOfSeq(below.seq)) }
}

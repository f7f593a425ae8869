import { SEQ_MAX } from '../../base/ids/seq.ts'

/**
 * A place in a list of a workspace's deliveries: the newest event comes first, and of one event the
 * subscription with the highest number.
 */
export type Place = { seq: number; subscriptionNo: number }

/** The place above all deliveries. */
export const TOP: Place = { seq: SEQ_MAX, subscriptionNo: 0 }

/** The place above all deliveries of events below a number. */
export function topBelow(seq: number): Place {
  return { seq, subscriptionNo: 0 }
}

/** Orders places as the list has them. */
export function comparePlaces(one: Place, other: Place): number {
  return other.seq - one.seq || other.subscriptionNo - one.subscriptionNo
}

/** True for a delivery that comes after a place. */
export function isBelow(delivery: Place, place: Place): boolean {
  return comparePlaces(delivery, place) > 0
}

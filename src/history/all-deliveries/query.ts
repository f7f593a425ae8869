import type { DeliveryState } from '../../model/delivery.ts'
import type { Place } from './place.ts'

/** A selection from all deliveries of a workspace. */
export type DeliveryQuery = {
  /** Only deliveries to these subscriptions; null for all of the workspace. */
  subscriptionNos: readonly number[] | null
  /** A type, or a pattern of types; null for all. */
  type: string | null
  /** Null for all. */
  states: readonly DeliveryState[] | null
  /** The error of failed deliveries; null for any and for none. */
  error: string | null
  /** The status of the last attempt's answer, in a range; null for any and for none. */
  responseCodes: { min: number; max: number } | null
  /** Only those that have used up their retries and hold others. */
  isBlocked: boolean
  /** Only those that an attempt is still to be made of. */
  isWaiting: boolean
  /** Only those of one event; null for all. */
  onlySeq: number | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  /** The place below which the page begins; null for the first page. */
  below: Place | null
  limit: number
}

/** The states that a selection can find, several filters taken together; null for all. */
export function statesOf({ states, error, isBlocked, isWaiting }: DeliveryQuery): DeliveryState[] | null {
  const wanted: DeliveryState[] | null = states === null ? null : [...states]
  if (error !== null || isBlocked) return (wanted ?? ['failed']).filter((state) => state === 'failed')
  if (!isWaiting) return wanted
  return (wanted ?? ['pending', 'failed']).filter((state) => state === 'pending' || state === 'failed')
}

/** True where deliveries that no attempt has been made of, and that have no row, can be among those selected. */
export function mayBeUnrecorded(query: DeliveryQuery): boolean {
  const { error, responseCodes, isBlocked } = query
  return (
    error === null && responseCodes === null && !isBlocked && (statesOf(query)?.includes('pending') ?? true)
  )
}

/** True for a selection that some deliveries of an event may not be part of. */
export function narrowsDeliveries(query: DeliveryQuery): boolean {
  return query.subscriptionNos !== null || query.responseCodes !== null || statesOf(query) !== null
}

/** True for a selection that some events are not part of. */
export function narrowsEvents({ type, acceptedFromMs, acceptedToMs }: DeliveryQuery): boolean {
  return type !== null || acceptedFromMs !== null || acceptedToMs !== null
}

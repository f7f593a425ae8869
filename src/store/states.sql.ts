import { type DeliveryState, PAYLOAD_KINDS, type PayloadKind, stateNumber } from '../model/delivery.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'

/** A delivery's states, as its column holds them. */
export const STATE = {
  pending: stateNumber('pending'),
  success: stateNumber('success'),
  failed: stateNumber('failed'),
  skipped: stateNumber('skipped'),
} as const satisfies Record<DeliveryState, number>

/** SQL for a delivery that still owes an attempt; `row` names it in the statement. */
export function isOutstanding(row: string): string {
  return `(${row}.state = ${STATE.pending} OR ${row}.due_at_ms IS NOT NULL)`
}

/**
 * SQL for a delivery in one state, found through the index `delivery_unhappy`. SQLite uses the
 * index, which leaves successes out, only where a statement repeats that condition.
 */
export function isUnhappy(row: string, state: Exclude<DeliveryState, 'success'>): string {
  return `${row}.state = ${STATE[state]} AND ${row}.state <> ${STATE.success}`
}

/** Kinds of payload that a delivery's first attempt sent, as its column holds them. */
export const PAYLOAD = {
  none: PAYLOAD_KINDS.indexOf('none'),
  kept: PAYLOAD_KINDS.indexOf('kept'),
} as const satisfies Partial<Record<PayloadKind, number>>

/**
 * SQL for the time until which a subscription's deliveries are held: its throttle's, or its open
 * breaker's.
 */
export function heldUntil(row: string): string {
  return `max(${row}.throttled_until_ms, iif(${row}.faults_in_row >= ${BREAKER_FAULTS_MIN}, ${row}.held_until_ms, 0))`
}

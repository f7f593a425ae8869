import { type DeliveryState, PAYLOAD_KINDS, type PayloadKind, stateNumber } from '../model/delivery.ts'

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
 * SQL for a delivery in one state, to be found through the index `delivery_unhappy`. The index leaves successes out,
 * and SQLite uses it only where a statement repeats that, even though the state says it already.
 */
export function isUnhappy(row: string, state: Exclude<DeliveryState, 'success'>): string {
  return `${row}.state = ${STATE[state]} AND ${row}.state <> ${STATE.success}`
}

/** What a delivery's first attempt was to send, as its column holds it. */
export const PAYLOAD = {
  none: PAYLOAD_KINDS.indexOf('none'),
  kept: PAYLOAD_KINDS.indexOf('kept'),
} as const satisfies Partial<Record<PayloadKind, number>>

import { encodePublicId } from '../base/ids/public-id.ts'

/** States of a delivery in the API's words; `skipped` carries a reason. */
export type DeliveryState = 'pending' | 'success' | 'failed' | 'skipped'

/** States by their stored number; the order is part of the schema. */
export const DELIVERY_STATES = [
  'pending',
  'success',
  'failed',
  'skipped',
] as const satisfies readonly DeliveryState[]

/** The stored number of a state. */
export function stateNumber(state: DeliveryState): number {
  return DELIVERY_STATES.indexOf(state)
}

/** The origin of an event: published to all who want it, a test of one subscription, or dispatched. */
export type EventOrigin = 'published' | 'test' | 'dispatch'

/** Origins by their stored number; the order is part of the schema. */
export const EVENT_ORIGINS = ['published', 'test', 'dispatch'] as const satisfies readonly EventOrigin[]

/** The reason why an owed delivery will not be made. */
export type SkipReason = 'disabled' | 'deleted' | 'expired' | 'gone' | 'blocked' | 'cancelled'

/** One event owed to one subscription. */
export type Pair = { subscriptionNo: number; workspaceNo: number; seq: number }

/** A key for maps. */
export function pairKey(pair: { subscriptionNo: number; seq: number }): string {
  return `${pair.subscriptionNo}/${pair.seq}`
}

/** An event as a consumer needs it. */
export type StoredEvent = {
  workspaceNo: number
  seq: number
  type: string
  acceptedAtMs: number
  ownId: string | null
  isTest: boolean
  isDispatch: boolean
  /** Not to be attempted before; null for at once. */
  deliverAtMs: number | null
  expiresAfterSeconds: number | null
  cancelledAtMs: number | null
  /** The time at which its content was erased; then `body` is null. */
  erasedAtMs: number | null
  body: string | null
  bodyKey: string | null
}

/** The event's public id: the publisher's own, else the generated one. */
export function eventIdOf(event: { workspaceNo: number; seq: number; ownId: string | null }): string {
  return event.ownId ?? encodePublicId('evt_', { owner: event.workspaceNo, seq: event.seq })
}

/** A delivery's public id. */
export function deliveryIdOf(pair: { subscriptionNo: number; seq: number }): string {
  return encodePublicId('log_', { owner: pair.subscriptionNo, seq: pair.seq })
}

/** The public id of one attempt: its delivery's, with the attempt's number. */
export function attemptIdOf({ n, ...pair }: { subscriptionNo: number; seq: number; n: number }): string {
  return `${deliveryIdOf(pair).replace('log_', 'attempt_')}_${n}`
}

/** A batch's public id, and the `webhook-id` of its requests. */
export function batchIdOf(batch: { subscriptionNo: number; batchNo: number }): string {
  return encodePublicId('batch_', { owner: batch.subscriptionNo, seq: batch.batchNo })
}

/**
 * The payload of a delivery's first attempt, so that retries send the same: none was rendered, the
 * default payload (made again from the event, to the same bytes), or bytes that are kept.
 */
export type PayloadKind = 'none' | 'default' | 'kept'

/** Kinds of payload by their stored number; the order is part of the schema. */
export const PAYLOAD_KINDS: readonly PayloadKind[] = ['none', 'default', 'kept']

/**
 * Crashes of its consumers, all but the first few alone, after which a delivery is not tried again.
 * One that is merely there while processes are killed should not get so far.
 */
export const CRASHES_MAX = 8

/** True for an answer that came to its end: its duration is the receiver's own. */
export function isWholeAnswer({ status, error }: { status: number | null; error: string | null }): boolean {
  return status !== null && (error === null || error === 'http_status')
}

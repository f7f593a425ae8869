import { z } from 'zod'

/** Longest `expiresAfterSeconds`, and farthest `deliverAt`, in seconds: 30 days. */
export const EXPIRY_SECONDS_MAX = 30 * 86_400
export const DELIVER_AHEAD_SECONDS_MAX = 30 * 86_400

const EXPIRY = `must be 1-${EXPIRY_SECONDS_MAX} whole seconds (30 days)`
const DELIVER_AT =
  'must be an ISO 8601 date and time with a time zone, such as "2024-01-15T10:30:00Z", at most 30 days ahead'

/** `expiresAfterSeconds` of a subscription, or of an event as published. */
export const expiresAfterSecondsSchema = z.int(EXPIRY).min(1, EXPIRY).max(EXPIRY_SECONDS_MAX, EXPIRY)

/**
 * `deliverAt` of an event: not before this time; one that has passed means now. In unix milliseconds. How far ahead it
 * is depends on the time: `deliverAtRefusal`.
 */
export const deliverAtSchema = z.iso.datetime({ offset: true, error: DELIVER_AT }).transform(Date.parse)

/** Why a `deliverAt` cannot be taken at a time, as a message for its field; null when it can. */
export function deliverAtRefusal(deliverAtMs: number, nowMs: number): string | null {
  return deliverAtMs - nowMs > DELIVER_AHEAD_SECONDS_MAX * 1000 ? DELIVER_AT : null
}

/** What an event says of when it is to be delivered. Times are unix milliseconds; null where it says nothing. */
export type EventTiming = {
  acceptedAtMs: number
  deliverAtMs: number | null
  expiresAfterSeconds: number | null
}

/**
 * The last millisecond at which a delivery may be attempted; null for no such limit. The shorter of the event's and the
 * subscription's counts, from the time the delivery may first be made: an event scheduled for tomorrow does not expire today.
 */
export function expiryOf(
  event: EventTiming,
  subscription: { expiresAfterSeconds: number | null },
): number | null {
  const seconds = [event.expiresAfterSeconds, subscription.expiresAfterSeconds].filter((s) => s !== null)
  if (seconds.length === 0) return null
  return Math.max(event.acceptedAtMs, event.deliverAtMs ?? 0) + Math.min(...seconds) * 1000
}

/** Whether a delivery is past its expiry (`expiryOf`), to be `skipped` as `expired`. */
export function isExpired(expiryMs: number | null, nowMs: number): boolean {
  return expiryMs !== null && nowMs > expiryMs
}

/** Until when an event's deliveries rest because it is scheduled, in unix milliseconds; null when they need not. */
export function waitsUntil(event: { deliverAtMs: number | null }, nowMs: number): number | null {
  return event.deliverAtMs !== null && event.deliverAtMs > nowMs ? event.deliverAtMs : null
}

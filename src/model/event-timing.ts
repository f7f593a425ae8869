import * as z from 'zod'

/** Longest `expiresAfterSeconds`, and farthest `deliverAt`, in seconds: 30 days. */
export const EXPIRY_SECONDS_MAX = 30 * 86_400
export const DELIVER_AHEAD_SECONDS_MAX = 30 * 86_400

const EXPIRY = `must be 1-${EXPIRY_SECONDS_MAX} whole seconds (30 days)`
const DELIVER_AT =
  'must be an ISO 8601 date and time with a time zone, such as "2024-01-15T10:30:00Z", at most 30 days ahead'

/** `expiresAfterSeconds` of a subscription, or of an event as published. */
export const expiresAfterSecondsSchema = z.int(EXPIRY).min(1, EXPIRY).max(EXPIRY_SECONDS_MAX, EXPIRY)

/**
 * `deliverAt` in unix milliseconds: no attempt before it; a time that has passed means now.
 * `deliverAtRefusal` checks how far ahead it is.
 */
export const deliverAtSchema = z.iso.datetime({ offset: true, error: DELIVER_AT }).transform(Date.parse)

/** The reason why a `deliverAt` is refused, as a message for its field; null when it is accepted. */
export function deliverAtRefusal(deliverAtMs: number, nowMs: number): string | null {
  return deliverAtMs - nowMs > DELIVER_AHEAD_SECONDS_MAX * 1000 ? DELIVER_AT : null
}

/** The timing of one event. Times are unix milliseconds; null where the event does not say. */
export type EventTiming = {
  acceptedAtMs: number
  deliverAtMs: number | null
  expiresAfterSeconds: number | null
}

/**
 * The last millisecond at which a delivery may be attempted; null for no limit. The shorter of the
 * event's and the subscription's limits counts, from the time at which the delivery may first be
 * made: an event scheduled for tomorrow does not expire today.
 */
export function expiryOf(
  event: EventTiming,
  subscription: { expiresAfterSeconds: number | null },
): number | null {
  const seconds = [event.expiresAfterSeconds, subscription.expiresAfterSeconds].filter((s) => s !== null)
  if (seconds.length === 0) return null
  return Math.max(event.acceptedAtMs, event.deliverAtMs ?? 0) + Math.min(...seconds) * 1000
}

/** True past the expiry (`expiryOf`): the delivery is to be `skipped` as `expired`. */
export function isExpired(expiryMs: number | null, nowMs: number): boolean {
  return expiryMs !== null && nowMs > expiryMs
}

/**
 * The time until which a scheduled event's deliveries wait, in unix milliseconds; null when they
 * need not.
 */
export function waitsUntil(event: { deliverAtMs: number | null }, nowMs: number): number | null {
  return event.deliverAtMs !== null && event.deliverAtMs > nowMs ? event.deliverAtMs : null
}

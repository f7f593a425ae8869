import type { RateLimit } from '../settings.ts'

/** Slots are given out up to so far ahead, so that a consumer that is woken in time never finds the limit unused. */
export const HORIZON_MS = 1_000
/** A consumer is woken so long before the next slot, which is what a hint and a call take. */
export const LEAD_MS = 300
/** The part of a limit that may be made up for at once after lateness. Steady use stays below the limit by as much. */
const BURST_SHARE = 0.01
/** Intervals are multiples of this, so that sums of them and of unix milliseconds are exact in a double until 2039. */
const TICKS_PER_MS = 4_096

/** A limit as a bucket: `burst` requests at once, then one every `intervalMs`. */
export type Bucket = { burst: number; intervalMs: number }

/**
 * The bucket that keeps to a limit in any window of `perSeconds`: a window holds the burst and what comes after it, which
 * together make up `requests`.
 */
export function bucketOf({ requests, perSeconds }: RateLimit): Bucket {
  const burst = 1 + Math.floor(BURST_SHARE * requests)
  const intervalMs = (perSeconds * 1000) / (requests - burst + 1)
  return { burst, intervalMs: Math.ceil(intervalMs * TICKS_PER_MS) / TICKS_PER_MS }
}

/**
 * When the next request may start at the earliest, in unix milliseconds. `tatMs` is when it would start if all had come
 * evenly ("theoretical arrival time" of the generic cell rate algorithm).
 */
export function nextSlotMs({ burst, intervalMs }: Bucket, tatMs: number): number {
  return tatMs - (burst - 1) * intervalMs
}

/** Slots that were handed out, and the arrival time after them. */
export type Slots = { requests: number; startInMs: number; everyMs: number; tatMs: number }

/**
 * Hands out up to `wanted` slots: those the bucket holds at once, or a run of evenly spaced ones within the horizon,
 * whichever is more. Null when the next slot is too far away.
 */
export function handOut(bucket: Bucket, tatMs: number, nowMs: number, wanted: number): Slots | null {
  const { intervalMs } = bucket
  const startMs = Math.max(nowMs, nextSlotMs(bucket, tatMs))
  if (startMs > nowMs + LEAD_MS) return null
  const firstTatMs = Math.max(tatMs, startMs)
  const isOpen = startMs === nowMs
  const atOnce = isOpen ? Math.floor((nowMs - nextSlotMs(bucket, firstTatMs)) / intervalMs) + 1 : 0
  const spaced = Math.floor((nowMs + HORIZON_MS - startMs) / intervalMs) + 1
  const isBurst = atOnce > 1 && atOnce >= Math.min(wanted, spaced)
  const requests = Math.min(wanted, isBurst ? atOnce : spaced)
  return {
    requests,
    startInMs: startMs - nowMs,
    everyMs: isBurst ? 0 : intervalMs,
    tatMs: firstTatMs + requests * intervalMs,
  }
}

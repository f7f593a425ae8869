import type { RateLimit } from '../settings.ts'

/** Slots are given out so far ahead that a consumer woken in time finds some. */
export const HORIZON_MS = 1_000
/** Between grants that have permits too the last answers are waited for: those grants are longer. */
export const HORIZON_WITH_PERMITS_MS = 3_000
/** A consumer is woken so long before the next slot: a hint and a call take about this time. */
export const LEAD_MS = 300
/** The part of a limit that may be caught up at once. Steady use stays below it by as much. */
const BURST_SHARE = 0.005
/** Intervals are multiples of this: sums with unix milliseconds are exact until 2039. */
const TICKS_PER_MS = 4_096

/**
 * Requests arrive less evenly than they start, on their way and because timers are late: the windows that are kept are
 * longer than the limit's by this part, within bounds. A quarter of it is for starts, the rest for the way.
 */
const MARGIN_SHARE = 0.01
const MARGIN_MS_MIN = 40
const MARGIN_MS_MAX = 250

/** The time by which the windows that are kept are longer than those of the limit. */
export function marginMsOf({ perSeconds }: RateLimit): number {
  return Math.min(MARGIN_MS_MAX, Math.max(MARGIN_MS_MIN, MARGIN_SHARE * perSeconds * 1000))
}

/** A limit as a bucket: `burst` requests at once, then one every `intervalMs`. */
export type Bucket = { burst: number; intervalMs: number }

/**
 * The bucket that keeps to a limit in any window of `perSeconds` and its margin: the burst and the requests
 * after it together make up `requests`.
 */
export function bucketOf(limit: RateLimit): Bucket {
  const { requests, perSeconds } = limit
  const burst = 1 + Math.floor(BURST_SHARE * requests)
  const intervalMs = (perSeconds * 1000 + marginMsOf(limit)) / (requests - burst + 1)
  return { burst, intervalMs: Math.ceil(intervalMs * TICKS_PER_MS) / TICKS_PER_MS }
}

/**
 * The earliest start of the next request, in unix milliseconds. `tatMs` is its start if all had come
 * evenly: the "theoretical arrival time" of the generic cell rate algorithm.
 */
export function nextSlotMs({ burst, intervalMs }: Bucket, tatMs: number): number {
  return tatMs - (burst - 1) * intervalMs
}

/** Slots that were handed out, and the arrival time after them. */
export type Slots = { requests: number; startInMs: number; everyMs: number; tatMs: number }

/**
 * Hands out up to `wanted` slots: those that the bucket holds at once, or evenly spaced ones within the
 * horizon if they are more. Null when the next slot is too far away.
 */
export function handOut(
  bucket: Bucket,
  tatMs: number,
  nowMs: number,
  { wanted, horizonMs }: { wanted: number; horizonMs: number },
): Slots | null {
  const { intervalMs } = bucket
  const startMs = Math.max(nowMs, nextSlotMs(bucket, tatMs))
  if (startMs > nowMs + LEAD_MS) return null
  const firstTatMs = Math.max(tatMs, startMs)
  const isOpen = startMs === nowMs
  const atOnce = isOpen ? Math.floor((nowMs - nextSlotMs(bucket, firstTatMs)) / intervalMs) + 1 : 0
  const spaced = Math.floor((nowMs + horizonMs - startMs) / intervalMs) + 1
  const isBurst = atOnce > 1 && atOnce >= Math.min(wanted, spaced)
  const requests = Math.min(wanted, isBurst ? atOnce : spaced)
  return {
    requests,
    startInMs: startMs - nowMs,
    everyMs: isBurst ? 0 : intervalMs,
    tatMs: firstTatMs + requests * intervalMs,
  }
}

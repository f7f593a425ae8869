import { type Refusal, refuse } from './result.ts'

/** Largest distance of a signed time from the receiver's clock, in seconds, as in Standard Webhooks. */
export const DEFAULT_TOLERANCE_SECONDS = 300

/** Digits only, as they are signed: no sign, fraction, exponent, leading zero or second value. */
const TIMESTAMP = /^(?:0|[1-9][0-9]{0,14})$/

/** The unix seconds of a header, or `null` when it is no such number. */
export function parseTimestamp(text: string): number | null {
  return TIMESTAMP.test(text) ? Number(text) : null
}

/** Refuses a time outside the tolerance, in whole seconds; the edge is accepted, as in the libraries. */
export function timingRefusal(
  timestampSeconds: number,
  nowMs: number,
  toleranceSeconds: number,
): Refusal | null {
  const ageSeconds = Math.floor(nowMs / 1000) - timestampSeconds
  if (ageSeconds > toleranceSeconds) {
    return refuse(
      'timestamp_too_old',
      `signed ${ageSeconds} s ago, must be at most ${toleranceSeconds} s: an old request, or a clock that is wrong`,
    )
  }
  if (-ageSeconds > toleranceSeconds) {
    return refuse(
      'timestamp_too_new',
      `signed ${-ageSeconds} s in the future, must be at most ${toleranceSeconds} s: is the clock right?`,
    )
  }
  return null
}

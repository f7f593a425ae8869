const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A span as people say it, in its largest unit: `12 s`, `3 min`, `5 h`, `2 d`. */
export function span(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < MINUTE_MS) return `${Math.floor(whole / SECOND_MS)} s`
  if (whole < HOUR_MS) return `${Math.floor(whole / MINUTE_MS)} min`
  if (whole < 2 * DAY_MS) return `${Math.floor(whole / HOUR_MS)} h`
  return `${Math.floor(whole / DAY_MS)} d`
}

/** A time beside now: `3 min ago`, `in 5 h`; empty for none. */
export function relative(iso: string | null | undefined, nowMs: number): string {
  if (iso === null || iso === undefined) return ''
  const atMs = Date.parse(iso)
  return atMs > nowMs ? `in ${span(atMs - nowMs)}` : `${span(nowMs - atMs)} ago`
}

/** The time of day of the reader's own clock: `14:03:22`. */
export function timeOfDay(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB', { hour12: false })
}

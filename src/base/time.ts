export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Whole hours since 1970: counters add up by this number. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS)
}

/** Renders a time as answers, events and archives show it: ISO 8601, UTC, with milliseconds. */
export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** The same for a time that may not have come. */
export function isoOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : iso(timeMs)
}

const UNITS = [
  { ms: 1_000, below: 60_000, name: 's' },
  { ms: 60_000, below: HOUR_MS, name: 'min' },
  { ms: HOUR_MS, below: DAY_MS, name: 'h' },
] as const

/** Renders a span as people say it, rounded up, in the unit that it then has one of: "12 s", "4 min", "1 h", "3 d". */
export function durationInWords(spanMs: number): string {
  const unit = UNITS.find(({ ms, below }) => Math.ceil(spanMs / ms) * ms < below) ?? { ms: DAY_MS, name: 'd' }
  return `${Math.ceil(spanMs / unit.ms)} ${unit.name}`
}

/** Waits; `ms` may be 0, which lets everything go on that is ready by then. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

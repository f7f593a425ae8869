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
  { ms: DAY_MS, name: 'd' },
  { ms: HOUR_MS, name: 'h' },
  { ms: 60_000, name: 'min' },
] as const

/** Renders a span as people say it, in its largest unit, rounded up: "12 s", "4 min", "2 h", "3 d". */
export function durationInWords(spanMs: number): string {
  const unit = UNITS.find(({ ms }) => spanMs > ms) ?? { ms: 1_000, name: 's' }
  return `${Math.ceil(spanMs / unit.ms)} ${unit.name}`
}

/** Waits; `ms` may be 0, which lets everything go on that is ready by then. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
})

/** The units, each up to where its own rounding would reach the next. */
const UNITS: readonly { ms: number; below: number; name: string }[] = [
  { ms: 1, below: SECOND_MS, name: 'ms' },
  { ms: SECOND_MS, below: MINUTE_MS, name: 's' },
  { ms: MINUTE_MS, below: HOUR_MS, name: 'min' },
  { ms: HOUR_MS, below: 2 * DAY_MS, name: 'h' },
]

/** A length of time in the largest unit that says enough: `34 ms`, `1.5 s`, `4 min`, `3 h`, `2 days`. */
export function lengthInWords(ms: number): string {
  if (ms >= SECOND_MS && ms < 10 * SECOND_MS) return `${Math.round(ms / 100) / 10} s`
  const unit = UNITS.find((each) => Math.round(ms / each.ms) * each.ms < each.below)
  return unit === undefined ? `${Math.round(ms / DAY_MS)} days` : `${Math.round(ms / unit.ms)} ${unit.name}`
}

/** How long ago, or in how long. */
export function relativeTime(at: string, nowMs: number): string {
  const ms = Date.parse(at) - nowMs
  if (Math.abs(ms) < 5 * SECOND_MS) return 'just now'
  return ms < 0 ? `${lengthInWords(-ms)} ago` : `in ${lengthInWords(ms)}`
}

/** Of today the clock alone. */
export function timeOfDay(at: string, nowMs: number): string {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date(nowMs).toDateString()
  return (isToday ? clock : dayAndClock).format(date)
}

export function fullTime(at: string): string {
  return full.format(new Date(at))
}

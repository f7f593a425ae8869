/** Longest wait a receiver can ask for, in seconds: 24 hours. */
export const RETRY_AFTER_SECONDS_MAX = 86_400

// A fraction is not in RFC 9110 but is sent; to ignore it would be to come back too early.
const DELAY_SECONDS = /^(\d+)(\.\d+)?$/
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`
const WEEKDAY = '(?:mon|tue|wed|thu|fri|sat|sun)'
const WEEKDAY_LONG = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)'

/** The three forms of HTTP-date (RFC 9110 section 5.6.7): IMF-fixdate, RFC 850, asctime. */
const HTTP_DATES: readonly RegExp[] = [
  new RegExp(`^${WEEKDAY}, (?<day>\\d\\d) (?<month>[a-z]{3}) (?<year>\\d{4}) ${TIME} gmt$`, 'i'),
  new RegExp(`^${WEEKDAY_LONG}, (?<day>\\d\\d)-(?<month>[a-z]{3})-(?<year>\\d\\d) ${TIME} gmt$`, 'i'),
  new RegExp(`^${WEEKDAY} (?<month>[a-z]{3}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`, 'i'),
]

/** Between the values of a header that was sent more than once; the comma of a date is none. */
const BETWEEN_VALUES = /(?<!(?:^|, *)[a-z]+), +/i

const MONTHS: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or an HTTP-date in one of three
 * forms.
 *
 * @param header the header's value, or null when there is none; of several the longest wait counts
 * @returns whole seconds from `nowMs` (unix milliseconds), rounded up, in 0…86,400; null when there
 * is nothing to honour (no header, a negative number, any other text)
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  const waits = (header ?? '').split(BETWEEN_VALUES).flatMap((value) => secondsOf(value.trim(), nowMs) ?? [])
  return waits.length === 0 ? null : Math.max(...waits)
}

function secondsOf(text: string, nowMs: number): number | null {
  if (DELAY_SECONDS.test(text)) return clamp(Number(text))
  for (const form of HTTP_DATES) {
    const parts = form.exec(text)?.groups
    if (parts === undefined) continue
    const dateMs = dateOf(parts, nowMs)
    return dateMs === null ? null : clamp((dateMs - nowMs) / 1000)
  }
  return null
}

function dateOf(parts: Record<string, string>, nowMs: number): number | null {
  const { day = '', month = '', year = '', hour = '', minute = '', second = '' } = parts
  const monthIndex = MONTHS.indexOf(month.toLowerCase())
  const dayOfMonth = Number(day)
  // Second 60 is a leap second, which the grammar has; Date.UTC counts it into the next minute.
  if (monthIndex === -1 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null
  const fullYear = year.length === 2 ? fullYearOf(Number(year), nowMs) : Number(year)
  const midnight = new Date(Date.UTC(fullYear, monthIndex, dayOfMonth))
  if (midnight.getUTCDate() !== dayOfMonth) return null
  return midnight.getTime() + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
}

/** RFC 9110 section 5.6.7: two digits that seem over 50 years ahead mean the last such year. */
function fullYearOf(twoDigits: number, nowMs: number): number {
  const nowYear = new Date(nowMs).getUTCFullYear()
  const inNextCentury = nowYear - (nowYear % 100) + 100 + twoDigits
  const centuriesTooFar = Math.max(0, Math.ceil((inNextCentury - nowYear - 50) / 100))
  return inNextCentury - 100 * centuriesTooFar
}

function clamp(seconds: number): number {
  return Math.min(Math.max(Math.ceil(seconds), 0), RETRY_AFTER_SECONDS_MAX)
}

import { RawNumber } from '../../../base/json/raw-number.ts'
import { MONTHS, strftime } from './strftime.ts'

/** Longest format of the `date` filter. */
const DATE_FORMAT_LENGTH_MAX = 200
/** Longest text that is read as a date. */
const DATE_LENGTH_MAX = 64

const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i
const OFFSET = /^([+-])(\d\d):?(\d\d)$/
const MINUTES_PER_DAY = 1440
/** RFC 9110 and RFC 5322, "14 March 2016" and "March 14, 2016", each also without a time. */
const IN_WORDS =
  /^(?:[a-z]{3,9},? +)?(?:(\d{1,2})(?: +|-)([a-z]{3,9})(?: +|-)|([a-z]{3,9}) +(\d{1,2}),? +)(\d{4})(?: +(\d\d:\d\d(?::\d\d)?)(?: *(Z|GMT|UTC|[+-]\d\d:?\d\d))?)?$/i

/** A moment, and what was written behind the point of its second. */
type Moment = { unixMs: number; fraction: string }

/**
 * Formats as Liquid's `date`, but the same on every computer and at every retry: liquidjs' own
 * filter reads the clock for "now", and the computer's time zone and language.
 *
 * @param value ISO 8601, a date in English words (both UTC where they name no zone) or unix seconds
 * @param format as strftime(3) has it
 * @param zone an IANA name or an offset such as "+08:00"; UTC when left out
 * @returns null when the value is not a date
 * @throws Error for "now", "today", an unknown zone and an overlong format
 */
export function formatDate(value: unknown, format: string, zone: unknown): string | null {
  if (value === 'now' || value === 'today') {
    throw new Error(
      `"${value}" is not available, as a retry has to send the same text: use event.timestamp instead`,
    )
  }
  if (format.length > DATE_FORMAT_LENGTH_MAX) {
    throw new Error(`a date's format must be at most ${DATE_FORMAT_LENGTH_MAX} characters`)
  }
  const moment = momentOf(value)
  if (moment === null) return null
  const { unixMs, fraction } = moment
  const offsetMinutes = zone === undefined || zone === null ? 0 : offsetOf(zone, unixMs)
  const fields = new Date(unixMs + offsetMinutes * 60_000)
  if (Number.isNaN(fields.getTime())) return null
  return strftime({ fields, offsetMinutes, unixMs, fraction }, format)
}

/** True for the literals that would read the clock. */
export function readsClock(literal: unknown): boolean {
  return literal === 'now' || literal === 'today'
}

function momentOf(value: unknown): Moment | null {
  if (typeof value === 'number' || value instanceof RawNumber) return momentAt(Number(value) * 1000)
  if (typeof value !== 'string') return null
  const text = value.trim()
  if (text.length > DATE_LENGTH_MAX) return null
  return /^\d{1,12}$/.test(text) ? momentAt(Number(text) * 1000) : isoMoment(isoOf(text) ?? text)
}

/** The ISO 8601 form of a date in words; null for other texts. */
function isoOf(text: string): string | null {
  const match = IN_WORDS.exec(text)
  if (match === null) return null
  const [, dayBefore, monthBehind, monthBefore, dayBehind, year, time, zone = 'Z'] = match
  const name = (monthBehind ?? monthBefore ?? '').toLowerCase()
  const month = MONTHS.findIndex((each) => [each, each.slice(0, 3)].includes(capitalized(name))) + 1
  const date = `${year}-${String(month).padStart(2, '0')}-${(dayBefore ?? dayBehind ?? '').padStart(2, '0')}`
  return time === undefined ? date : `${date}T${time}${/^[+-]/.test(zone) ? zone : 'Z'}`
}

function isoMoment(text: string): Moment | null {
  const match = ISO_8601.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const date = new Date(Date.UTC(year, month - 1, day))
  date.setUTCFullYear(year)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  if (hour > 24 || minute > 59 || second > 60) return null
  const fraction = match[7] ?? ''
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3))
  const zone = match[8] ?? 'Z'
  const offsetMinutes = zone.toUpperCase() === 'Z' ? 0 : (signedMinutes(zone) ?? 0)
  const seconds = (hour * 60 + minute - offsetMinutes) * 60 + second
  return momentAt(date.getTime() + seconds * 1000 + milliseconds, fraction)
}

function momentAt(unixMs: number, fraction?: string): Moment | null {
  const date = new Date(unixMs)
  if (Number.isNaN(date.getTime())) return null
  return { unixMs, fraction: fraction ?? String(date.getUTCMilliseconds()).padStart(3, '0') }
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function offsetOf(zone: unknown, unixMs: number): number {
  const minutes = typeof zone === 'string' ? (signedMinutes(zone) ?? named(zone, unixMs)) : Number.NaN
  if (!(Math.abs(minutes) <= MINUTES_PER_DAY)) {
    throw new Error('a time zone must be a name such as "Asia/Kuala_Lumpur" or an offset such as "+05:30"')
  }
  return minutes
}

function signedMinutes(zone: string): number | null {
  const match = OFFSET.exec(zone)
  if (match === null) return null
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]))
}

function named(timeZone: string, unixMs: number): number {
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(
      unixMs,
    )
    const offset = parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', '') ?? ''
    return offset === '' ? 0 : (signedMinutes(offset) ?? Number.NaN)
  } catch {
    return Number.NaN
  }
}

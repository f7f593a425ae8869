import { RawNumber } from '../../base/json/raw-number.ts'
import { DAY_MS } from '../../base/time.ts'

/** Longest format of the `date` filter. */
const DATE_FORMAT_LENGTH_MAX = 200

/** One moment's local time: a Date whose UTC fields are the local ones, and its offset from UTC. */
type LocalTime = { fields: Date; offsetMinutes: number; unixMs: number }

const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i
const OFFSET = /^([+-])(\d\d):?(\d\d)$/
const DIRECTIVE = /%([-_0^:]*)(\d{0,2})([A-Za-z%])/g
const MINUTES_PER_DAY = 1440
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/**
 * Formats as Liquid's `date`, but the same on every computer and at every retry: liquidjs' own
 * filter reads the clock for "now", and the computer's time zone and language.
 *
 * @param value ISO 8601 (UTC where it names no zone) or unix seconds
 * @param format as strftime(3) has it
 * @param zone an IANA name, an offset such as "+08:00" or liquidjs' minutes west of UTC; UTC when
 * left out
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
  const unixMs = momentOf(value)
  if (unixMs === null) return null
  const offsetMinutes = zone === undefined || zone === null ? 0 : offsetOf(zone, unixMs)
  const fields = new Date(unixMs + offsetMinutes * 60_000)
  if (Number.isNaN(fields.getTime())) return null
  return expand({ fields, offsetMinutes, unixMs }, format)
}

/** True for the literals that would read the clock. */
export function readsClock(literal: unknown): boolean {
  return literal === 'now' || literal === 'today'
}

function momentOf(value: unknown): number | null {
  if (typeof value === 'number' || value instanceof RawNumber) return validMs(Number(value) * 1000)
  if (typeof value !== 'string') return null
  const text = value.trim()
  return /^\d{1,12}$/.test(text) ? Number(text) * 1000 : isoMs(text)
}

function isoMs(text: string): number | null {
  const match = ISO_8601.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const date = new Date(Date.UTC(year, month - 1, day))
  date.setUTCFullYear(year)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  if (hour > 24 || minute > 59 || second > 60) return null
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const zone = match[8] ?? 'Z'
  const offsetMinutes = zone.toUpperCase() === 'Z' ? 0 : (signedMinutes(zone) ?? 0)
  return validMs(date.getTime() + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000 + milliseconds)
}

function validMs(ms: number): number | null {
  return Number.isNaN(new Date(ms).getTime()) ? null : ms
}

function offsetOf(zone: unknown, unixMs: number): number {
  const minutes =
    typeof zone === 'number'
      ? -zone
      : typeof zone === 'string'
        ? (signedMinutes(zone) ?? named(zone, unixMs))
        : NaN
  if (!(Math.abs(minutes) <= MINUTES_PER_DAY)) {
    throw new Error('a time zone must be a name such as "Asia/Kuala_Lumpur" or an offset such as "+08:00"')
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

/** strftime's letters; `SHORTHANDS` holds those that are made of others. */
const DIRECTIVES: Readonly<Record<string, (local: LocalTime) => Directive>> = {
  Y: ({ fields }) => digits(fields.getUTCFullYear(), 4),
  C: ({ fields }) => digits(Math.floor(fields.getUTCFullYear() / 100), 2),
  y: ({ fields }) => digits(fields.getUTCFullYear() % 100, 2),
  m: ({ fields }) => digits(fields.getUTCMonth() + 1, 2),
  d: ({ fields }) => digits(fields.getUTCDate(), 2),
  e: ({ fields }) => digits(fields.getUTCDate(), 2, ' '),
  j: (local) => digits(dayOfYear(local), 3),
  H: ({ fields }) => digits(fields.getUTCHours(), 2),
  k: ({ fields }) => digits(fields.getUTCHours(), 2, ' '),
  I: ({ fields }) => digits(fields.getUTCHours() % 12 || 12, 2),
  l: ({ fields }) => digits(fields.getUTCHours() % 12 || 12, 2, ' '),
  M: ({ fields }) => digits(fields.getUTCMinutes(), 2),
  S: ({ fields }) => digits(fields.getUTCSeconds(), 2),
  L: ({ fields }) => digits(fields.getUTCMilliseconds(), 3),
  N: ({ fields }) => words(String(fields.getUTCMilliseconds()).padStart(3, '0').padEnd(9, '0')),
  s: ({ unixMs }) => digits(Math.floor(unixMs / 1000), 1),
  p: ({ fields }) => words(fields.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: ({ fields }) => words(fields.getUTCHours() < 12 ? 'am' : 'pm'),
  a: ({ fields }) => words(dayName(fields).slice(0, 3)),
  A: ({ fields }) => words(dayName(fields)),
  b: ({ fields }) => words(monthName(fields).slice(0, 3)),
  h: ({ fields }) => words(monthName(fields).slice(0, 3)),
  B: ({ fields }) => words(monthName(fields)),
  u: ({ fields }) => digits(fields.getUTCDay() || 7, 1),
  w: ({ fields }) => digits(fields.getUTCDay(), 1),
  U: (local) => digits(Math.floor((dayOfYear(local) + 6 - local.fields.getUTCDay()) / 7), 2),
  W: (local) => digits(Math.floor((dayOfYear(local) + 6 - ((local.fields.getUTCDay() + 6) % 7)) / 7), 2),
  z: ({ offsetMinutes }) => words(offsetText(offsetMinutes, '')),
  Z: ({ offsetMinutes }) => words(offsetMinutes === 0 ? 'UTC' : offsetText(offsetMinutes, '')),
  n: () => words('\n'),
  t: () => words('\t'),
  '%': () => words('%'),
}

const SHORTHANDS: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  c: '%a %b %e %H:%M:%S %Y',
}

type Directive = { text: string; width: number; fill: string }

function expand(local: LocalTime, format: string): string {
  return format.replace(DIRECTIVE, (whole, flags: string, width: string, letter: string) => {
    const shorthand = SHORTHANDS[letter]
    if (shorthand !== undefined) return expand(local, shorthand)
    if (letter === 'z' && flags.includes(':')) return offsetText(local.offsetMinutes, ':')
    const directive = DIRECTIVES[letter]?.(local)
    return directive === undefined ? whole : padded(directive, flags, width)
  })
}

function padded(directive: Directive, flags: string, width: string): string {
  if (flags.includes('-')) return directive.text
  const fill = flags.includes('0') ? '0' : flags.includes('_') ? ' ' : directive.fill
  const text = flags.includes('^') ? directive.text.toUpperCase() : directive.text
  return text.padStart(width === '' ? directive.width : Number(width), fill)
}

function digits(value: number, width: number, fill = '0'): Directive {
  return { text: String(value), width, fill }
}

function words(text: string): Directive {
  return { text, width: 0, fill: ' ' }
}

function dayName(fields: Date): string {
  return DAYS[fields.getUTCDay()] ?? ''
}

function monthName(fields: Date): string {
  return MONTHS[fields.getUTCMonth()] ?? ''
}

function dayOfYear({ fields }: LocalTime): number {
  const newYear = new Date(fields)
  newYear.setUTCMonth(0, 1)
  return Math.round((fields.getTime() - newYear.getTime()) / DAY_MS) + 1
}

function offsetText(offsetMinutes: number, separator: string): string {
  const minutes = Math.abs(offsetMinutes)
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'))
  return `${offsetMinutes < 0 ? '-' : '+'}${hours}${separator}${rest}`
}

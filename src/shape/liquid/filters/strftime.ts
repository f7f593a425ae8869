import { DAY_MS } from '../../../base/time.ts'

/**
 * One moment's local time: a Date whose UTC fields are the local ones, its offset from UTC, and the
 * digits behind the point of its second.
 */
export type LocalTime = { fields: Date; offsetMinutes: number; unixMs: number; fraction: string }

const DIRECTIVE = /%([-_0^#:]*)(\d{0,2})([A-Za-z%+])/g
export const MONTHS =
  'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

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
  G: ({ fields }) => digits(isoWeek(fields).year, 4),
  g: ({ fields }) => digits(isoWeek(fields).year % 100, 2),
  V: ({ fields }) => digits(isoWeek(fields).week, 2),
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
  v: '%e-%^b-%Y',
  '+': '%a %b %e %H:%M:%S %Z %Y',
}

type Directive = { text: string; width: number; fill: string }

/** Formats a local time as strftime(3) and Ruby do; letters without a meaning stay as they are. */
export function strftime(local: LocalTime, format: string): string {
  return format.replace(DIRECTIVE, (whole, flags: string, width: string, letter: string) => {
    const shorthand = SHORTHANDS[letter]
    if (shorthand !== undefined) return inCase(strftime(local, shorthand), flags)
    if (letter === 'z' && flags.includes(':')) return colonOffset(local.offsetMinutes, flags)
    if (letter === 'N' || letter === 'L') return fractionDigits(local, letter, width)
    const directive = DIRECTIVES[letter]?.(local)
    return directive === undefined ? whole : padded(directive, flags, width)
  })
}

/** `%L` and `%N`: here the width is the number of digits behind the point. */
function fractionDigits({ fraction }: LocalTime, letter: string, width: string): string {
  const places = width === '' ? (letter === 'L' ? 3 : 9) : Number(width)
  return fraction.slice(0, places).padEnd(places, '0')
}

function padded(directive: Directive, flags: string, width: string): string {
  const text = inCase(directive.text, flags)
  if (flags.includes('-')) return text
  const fill = flags.includes('0') ? '0' : flags.includes('_') ? ' ' : directive.fill
  return text.padStart(width === '' ? directive.width : Number(width), fill)
}

/** `^` gives capitals, and `#` swaps them: small letters for AM and PM, capitals for names. */
function inCase(text: string, flags: string): string {
  if (flags.includes('#')) return text === 'AM' || text === 'PM' ? text.toLowerCase() : text.toUpperCase()
  return flags.includes('^') ? text.toUpperCase() : text
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

function dayOfYear({ fields }: Pick<LocalTime, 'fields'>): number {
  const newYear = new Date(fields)
  newYear.setUTCMonth(0, 1)
  return Math.round((fields.getTime() - newYear.getTime()) / DAY_MS) + 1
}

/** The week of ISO 8601, and the year that it belongs to: that of its Thursday. */
function isoWeek(fields: Date): { year: number; week: number } {
  const thursday = new Date(fields)
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7))
  const dayOfItsYear = dayOfYear({ fields: thursday })
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfItsYear / 7) }
}

function colonOffset(offsetMinutes: number, flags: string): string {
  return `${offsetText(offsetMinutes, ':')}${flags.includes('::') ? ':00' : ''}`
}

function offsetText(offsetMinutes: number, separator: string): string {
  const minutes = Math.abs(offsetMinutes)
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'))
  return `${offsetMinutes < 0 ? '-' : '+'}${hours}${separator}${rest}`
}

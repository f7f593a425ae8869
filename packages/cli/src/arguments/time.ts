import { InvalidArgumentError } from 'commander'

const UNITS_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const SPAN = /^(\d+)\s*(s|m|h|d|w)$/

/** Reads a time: a date, an ISO 8601 time, or a span before now such as `2h`. */
export function parseTime(text: string, nowMs = Date.now()): string {
  const [, count, unit = ''] = SPAN.exec(text) ?? []
  if (count !== undefined) return new Date(nowMs - Number(count) * (UNITS_MS[unit] ?? 0)).toISOString()
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError(
    'It must be a span before now such as 30m, 2h or 7d, or a time such as 2026-01-31.',
  )
}

/** Reads a span such as `2h` in seconds; a number alone counts as seconds. */
export function parseSeconds(text: string): number {
  const [, count, unit = 's'] = /^(\d+)\s*(s|m|h|d|w)?$/.exec(text) ?? []
  if (count !== undefined) return (Number(count) * (UNITS_MS[unit] ?? 0)) / 1_000
  throw new InvalidArgumentError('It must be a span such as 30s, 2h or 7d.')
}

/** Reads how many are wanted. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 1_000_000) return count
  throw new InvalidArgumentError('It must be a whole number of 1 or more.')
}

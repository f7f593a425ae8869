import type { Paint } from './colour.ts'
import { oneLine } from './table.ts'

/** Lays out what is known of one thing: a name and a value a line. What is null is left out. */
export function renderFields(fields: readonly [name: string, value: string | null][], paint: Paint): string {
  const shown = fields.filter((field): field is [string, string] => field[1] !== null)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${paint('quiet', name.padEnd(width))}  ${value}\n`).join('')
}

/** A text of others as a value: on one line; null stays. */
export function plain(text: string | null | undefined): string | null {
  return text === null || text === undefined || text === '' ? null : oneLine(text)
}

/** A url as a table shows it: its beginning is that of nearly all. */
export function shortUrl(url: string): string {
  return url.replace(/^https:\/\//, '')
}

/** `1 delivery`, `3 deliveries`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

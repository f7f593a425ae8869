import type { Paint } from '../render/colour.ts'
import { cutTo, oneLine } from '../render/table.ts'
import type { Change } from './compare.ts'

/** Characters of a value that are shown on each side. */
const VALUE_MAX = 60

/** Changes of one thing, a line each: `name: before → after`. */
export function renderChanges(changes: readonly Change[], paint: Paint): string {
  return changes
    .map(({ name, from, to }) => `    ${name}: ${paint('bad', shown(from))} → ${paint('good', shown(to))}\n`)
    .join('')
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  return cutTo(oneLine(typeof value === 'string' ? value : JSON.stringify(value)), VALUE_MAX)
}

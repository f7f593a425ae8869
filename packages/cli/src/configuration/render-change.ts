import type { Paint } from '../render/colour.ts'
import { cutTo, oneLine } from '../render/table.ts'
import { type Change, isMasked } from './compare.ts'
import { isReference, MASK } from './references.ts'
import type { Settings } from './subscription-settings.ts'

/** Characters of a value that are shown on each side. */
const VALUE_MAX = 60

/** Settings in which a text that is new may be a credential. */
const CREDENTIALS = ['secret', 'auth', 'headers']

/** Changes of one thing, a line each: `name: before → after`. */
export function renderChanges(changes: readonly Change[], paint: Paint): string {
  return changes
    .map(
      ({ name, from, to }) =>
        `    ${name}: ${paint('bad', shown(from))} → ${paint('good', shown(veiled({ name, from, to })))}\n`,
    )
    .join('')
}

/** The new value without credentials: a file may have them as they are, and a log of CI is read by many. */
function veiled({ name, from, to }: Change): unknown {
  if (typeof to === 'string') {
    const isOpen = isReference(to) || to === from || !(CREDENTIALS.includes(name) || isMasked(from))
    return isOpen ? to : MASK
  }
  if (Array.isArray(to))
    return to.map((each, i) => veiled({ name, from: (from as unknown[])?.[i], to: each }))
  if (typeof to !== 'object' || to === null) return to
  return Object.fromEntries(
    Object.entries(to).map(([member, each]) => [
      member,
      veiled({ name, from: (from as Settings | null | undefined)?.[member], to: each }),
    ]),
  )
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  return cutTo(oneLine(typeof value === 'string' ? value : JSON.stringify(value)), VALUE_MAX)
}

import { defaultPayload } from '../../model/event.ts'
import { type EventView, follow, namesOf, placesOf } from '../../model/event-view.ts'
import type { PayloadSearch } from './needles.ts'

/** Says of the text of a payload whether it holds what is searched for. `needles` are the ways to write that in JSON. */
export function payloadHolds(
  event: { type: string; ownId: string | null; body: string },
  search: PayloadSearch,
  needles: readonly string[],
): boolean {
  switch (search.kind) {
    case 'text': {
      const text = event.body.toLowerCase()
      return needles.some((needle) => text.includes(needle.toLowerCase()))
    }
    case 'value': {
      if (!needles.some((needle) => event.body.includes(needle))) return false
      const payload = defaultPayload({ id: event.ownId ?? '', type: event.type, body: event.body })
      return valuesAt(JSON.parse(payload) as EventView, search.path).some((value) =>
        isEqual(value, search.equals),
      )
    }
  }
}

/** The values at the end of a path, as a filter finds them: the first place that leads anywhere counts. */
function valuesAt(view: EventView, path: string): readonly unknown[] {
  const [root = '', ...names] = namesOf(path)
  for (const place of placesOf(view, root, names.length > 0)) {
    const found = follow(place, names)
    if (found.length > 0)
      return found.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
  }
  return []
}

/** Numbers are equal to texts that stand for them. */
function isEqual(value: unknown, text: string): boolean {
  switch (typeof value) {
    case 'string':
      return value === text
    case 'number':
      return text.trim() !== '' && Number(text) === value
    case 'boolean':
      return String(value) === text
    default:
      return value === null && text === 'null'
  }
}

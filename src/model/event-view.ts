import { z } from 'zod'
import { isRecord } from '../base/json/value.ts'

/** An event as rules and templates see it: the members of the default payload, parsed. */
export type EventView = {
  /** Null until the event is accepted, unless the publisher gave one: then no path leads to it. */
  id: string | null
  event: string
  timestamp: string
  livemode: boolean
  api_version: string
  data: Record<string, unknown>
  context: Record<string, unknown>
}

/** Longest path of a filter, a condition or a template, in names. */
export const PATH_NAMES_MAX = 32

/**
 * The values at the end of a path. There is at most one, unless the path crosses arrays, whose
 * elements it follows. A member that is null counts as there.
 */
export type Found = readonly unknown[]

/**
 * Follows a path of names: in the envelope, then below an alias of the event's resource, then in
 * `data`, then in `data.object`. The first place where the whole path leads to a value counts.
 */
export function lookUp(view: EventView, path: readonly string[]): Found {
  const root = path[0]
  if (root === undefined || isIdToCome(view, path)) return NOTHING
  for (const place of placesOf(view, root, path.length > 1)) {
    const found = follow(place, path, 1)
    if (found.length > 0) return found
  }
  return NOTHING
}

/** True for the path of the event's own id, which a publisher may leave to the relay. */
export function isEventId(path: readonly string[]): boolean {
  return path.length === 1 ? path[0] === 'id' : path.length === 2 && path[0] === 'event' && path[1] === 'id'
}

/**
 * True for an id that the event does not have yet. It is missing then and not looked for elsewhere:
 * one path must not mean the event's id for some publishers and the payload's for others.
 */
export function isIdToCome(view: EventView, path: readonly string[]): boolean {
  return view.id === null && isEventId(path)
}

/** Says that a path leads to nothing; of an id that is still to come, also why. */
export function missingMessage(view: EventView, field: string, path: readonly string[]): string {
  const reason = isIdToCome(view, path)
    ? ": id is given after matching; only a publisher's own id can be matched"
    : ''
  return `${field} is missing${reason}`
}

const FOUND = new WeakMap<EventView, Map<string, Found>>()

/** Remembers `lookUp` with the event: the rules of many subscriptions ask for the same few paths. */
export function lookUpOnce(view: EventView, field: string, path: readonly string[]): Found {
  let found = FOUND.get(view)
  if (found === undefined) {
    found = new Map()
    FOUND.set(view, found)
  }
  let values = found.get(field)
  if (values === undefined) {
    values = lookUp(view, path)
    found.set(field, values)
  }
  return values
}

/**
 * The places where a path may begin, the likeliest first. `event` alone is the event's type; with
 * names behind it, it is the envelope (`event.timestamp`).
 */
export function placesOf(view: EventView, root: string, hasRest: boolean): unknown[] {
  const places: unknown[] = []
  const envelope: Record<string, unknown> = view
  if (root === 'event' && hasRest) places.push({ ...view, type: view.event })
  else if (Object.hasOwn(envelope, root)) places.push(envelope[root])
  if (isResourceAlias(view.event, root)) places.push(resourceOf(view))
  if (Object.hasOwn(view.data, root)) places.push(view.data[root])
  const { object } = view.data
  if (isRecord(object) && Object.hasOwn(object, root)) places.push(object[root])
  return places
}

/** The names of an event's resource: the type's first segment, and its part after the last `_`. */
export function resourceAliases(type: string): string[] {
  const [first = ''] = type.split('.')
  const short = first.slice(first.lastIndexOf('_') + 1)
  return short === '' || short === first ? [first] : [first, short]
}

/**
 * True for a name in `resourceAliases`, without making that list: it is asked for every path of
 * every rule.
 */
function isResourceAlias(type: string, name: string): boolean {
  const dot = type.indexOf('.')
  const end = dot === -1 ? type.length : dot
  const start = end - name.length
  if (start === 0) return type.startsWith(name)
  return (
    start > 0 && name !== '' && type.startsWith(name, start) && type[start - 1] === '_' && !name.includes('_')
  )
}

/** `data.object`, or `data` itself where events are published flat. */
function resourceOf(view: EventView): unknown {
  return isRecord(view.data['object']) ? view.data['object'] : view.data
}

/**
 * Follows names below a value; an array on the way stands for its elements, unless the name is an
 * index.
 */
export function follow(value: unknown, names: readonly string[], from = 0): Found {
  let at = from
  let only = value
  // As long as no array is crossed there is one value, and no list is needed for it.
  for (; at < names.length && isRecord(only); at++) {
    const name = names[at] ?? ''
    if (!Object.hasOwn(only, name)) return NOTHING
    only = only[name]
  }
  let values: unknown[] = [only]
  for (const name of names.slice(at)) {
    const next: unknown[] = []
    for (const each of values) step(each, name, next)
    if (next.length === 0) return next
    values = next
  }
  return values
}

function step(value: unknown, name: string, into: unknown[]): void {
  if (Array.isArray(value) && INDEX.test(name)) {
    if (Number(name) < value.length) into.push(value[Number(name)])
    return
  }
  for (const element of Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]) {
    if (isRecord(element) && Object.hasOwn(element, name)) into.push(element[name])
  }
}

const NOTHING: Found = []
const INDEX = /^\d{1,9}$/
/** Longest path of a rule, in characters. */
const PATH_CHARS_MAX = 256

const MESSAGE = `must be a path such as "data.object.total": 1-${PATH_NAMES_MAX} names joined by dots, at most ${PATH_CHARS_MAX} characters`

/** The path of a filter or a condition: names joined by dots, none of them empty. */
export const fieldPathSchema = z.string(MESSAGE).refine((path) => {
  if (path.length > PATH_CHARS_MAX) return false
  const names = namesOf(path)
  return names.length <= PATH_NAMES_MAX && !names.includes('')
}, MESSAGE)

/** The names of a path, in order. */
export function namesOf(path: string): string[] {
  return path.split('.')
}

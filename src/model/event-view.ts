import * as z from 'zod'
import { RawNumber } from '../base/json/raw-number.ts'
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

/** Pays for walks, before they are made or as they are. */
export type Payer = {
  /** The most steps that can still be spent at once. */
  readonly affordable: number
  /** Takes steps; false when there are not enough. */
  spend(steps: number): boolean
  /** Takes the steps of a walk that was made before. */
  spendAgain(steps: number): boolean
}

/** The steps of one walk that are left. */
type Walk = { left: number }

/** The steps of finding the places where a path may begin. */
const PLACES_STEPS = 8

/**
 * Follows a path of names: in the envelope, then below an alias of the event's resource, then in
 * `data`, then in `data.object`. The first place where the whole path leads to a value counts. A
 * step is taken for each value that a name is applied to; null where they do not suffice.
 */
function lookUp(view: EventView, path: readonly string[], walk: Walk): Found | null {
  const root = path[0]
  walk.left -= PLACES_STEPS
  if (root === undefined || isIdToCome(view, path)) return NOTHING
  const names = path.slice(1)
  for (const place of placesOf(view, root, names.length > 0)) {
    const found = walkNames(place, names, walk)
    if (found === null || found.length > 0) return found
  }
  return walk.left < 0 ? null : NOTHING
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

/** The values of a path and the steps to them; null where so many steps were too few. */
type Walked = { values: Found | null; steps: number }

const WALKED = new WeakMap<EventView, Map<string, Walked>>()

/**
 * Finds the values of a path, null when the payer cannot afford the walk. They are remembered with
 * the event, since the rules of many subscriptions ask for the same few paths; each pays for the
 * walk as if it were the first.
 */
export function lookUpOnce(
  view: EventView,
  field: string,
  path: readonly string[],
  payer: Payer,
): Found | null {
  let known = WALKED.get(view)
  if (known === undefined) {
    known = new Map()
    WALKED.set(view, known)
  }
  const { affordable } = payer
  const before = known.get(field)
  if (before !== undefined && before.values !== null)
    return payer.spendAgain(before.steps) ? before.values : null
  const isTooLong = before !== undefined && before.steps > affordable
  const walk = { left: affordable }
  const values = isTooLong || affordable < 0 ? null : lookUp(view, path, walk)
  if (values !== null) {
    const steps = affordable - walk.left
    known.set(field, { values, steps })
    payer.spend(steps)
  } else {
    if (!isTooLong) {
      known.set(field, { values, steps: affordable + 1 })
      payer.spend(affordable)
    }
    payer.spend(1 + payer.affordable)
  }
  return values
}

/**
 * The places where a path may begin, the likeliest first. `event` alone is the event's type; with
 * names behind it, it is the envelope (`event.timestamp`). The resource's name alone is a member of
 * the payload called so, before it is the resource: under `status.changed`, `status` is a text.
 */
export function placesOf(view: EventView, root: string, hasRest: boolean): unknown[] {
  const places: unknown[] = []
  const envelope: Record<string, unknown> = view
  if (root === 'event' && hasRest) places.push({ ...view, type: view.event })
  else if (Object.hasOwn(envelope, root)) places.push(envelope[root])
  const { object } = view.data
  const own: unknown[] = Object.hasOwn(view.data, root) ? [view.data[root]] : []
  if (isRecord(object) && Object.hasOwn(object, root)) own.push(object[root])
  if (isResourceAlias(view.event, root)) {
    const isMeant = hasRest || !own.some(isComparable)
    places.push(...(isMeant ? [resourceOf(view)] : own.filter(isComparable)))
  }
  places.push(...own)
  return places
}

/** True for all values but objects, which no rule compares. */
function isComparable(value: unknown): boolean {
  return !isRecord(value) || value instanceof RawNumber
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
export function resourceOf(view: Pick<EventView, 'data'>): unknown {
  return isRecord(view.data['object']) ? view.data['object'] : view.data
}

/**
 * Follows names below a value, which must be small; an array on the way stands for its elements,
 * unless the name is an index.
 */
export function follow(value: unknown, names: readonly string[]): Found {
  return walkNames(value, names, { left: Number.POSITIVE_INFINITY }) ?? NOTHING
}

/** Follows names below a value; null when steps run out. */
function walkNames(value: unknown, names: readonly string[], walk: Walk): Found | null {
  let at = 0
  let only = value
  // As long as no array is crossed there is one value, and no list is needed for it.
  for (; at < names.length && isRecord(only); at++) {
    const name = names[at] ?? ''
    walk.left--
    if (!Object.hasOwn(only, name)) return walk.left < 0 ? null : NOTHING
    only = only[name]
  }
  return walkLists([only], names.slice(at), walk)
}

function walkLists(start: unknown[], names: readonly string[], walk: Walk): Found | null {
  let values = start
  for (const name of names) {
    const next: unknown[] = []
    for (const each of values) if (!step(each, name, { into: next, walk })) return null
    if (next.length === 0) return next
    values = next
  }
  return walk.left < 0 ? null : values
}

/** The steps of an element to which a name is applied: it mostly lies where no cache of the processor has it. */
const ELEMENT_STEPS = 2

type Step = { into: unknown[]; walk: Walk }

/** Applies a name to a value, or to the elements of an array however deep; false when steps run out. */
function step(value: unknown, name: string, { into, walk }: Step): boolean {
  walk.left -= ELEMENT_STEPS
  if (Array.isArray(value)) {
    if (!INDEX.test(name)) return stepInto(value, name, { into, walk })
    if (Number(name) < value.length) into.push(value[Number(name)])
  } else if (isRecord(value) && Object.hasOwn(value, name)) into.push(value[name])
  return walk.left >= 0
}

function stepInto(array: readonly unknown[], name: string, { into, walk }: Step): boolean {
  walk.left -= ELEMENT_STEPS * array.length
  if (walk.left < 0) return false
  for (const element of array) {
    if (Array.isArray(element)) {
      if (!stepInto(element, name, { into, walk })) return false
    } else if (isRecord(element) && Object.hasOwn(element, name)) into.push(element[name])
  }
  return true
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

import { Context, Drop, type Liquid } from 'liquidjs/dist/liquid.browser.mjs'
import { RawNumber } from '../../base/json/raw-number.ts'
import { isRecord } from '../../base/json/value.ts'
import { type EventView, placesOf } from '../../model/event-view.ts'
import type { Budget } from './budget.ts'
import { countCharacters } from './filters/characters.ts'

/** Names of a path: texts, or numbers for indices. Other values in brackets lead nowhere. */
export type Names = readonly unknown[]

/** Longest name that is looked up. */
const NAME_LENGTH_MAX = 1000
const INDEX = /^-?\d{1,9}$/
/** The members of `forloop` that templates may read; the others are methods of its implementation. */
const LOOP_MEMBERS: ReadonlySet<unknown> = new Set([
  'index',
  'index0',
  'rindex',
  'rindex0',
  'first',
  'last',
  'length',
])

/**
 * Finds the value of a template's path in an event, undefined when there is none. It tries the
 * places of a filter's path (`placesOf`) in their order; the first that holds the whole path
 * counts.
 */
export function lookUpInEvent(view: EventView, names: Names, budget: Budget): unknown {
  const [root, ...rest] = names
  if (typeof root !== 'string') return undefined
  for (const place of placesOf(view, root, rest.length > 0)) {
    const value = followNames(place, rest, budget)
    if (value !== undefined) return value
  }
  return undefined
}

/**
 * Follows names below a value, own members only. A name applied to an array is applied to its
 * elements, except for an index (-1 is the last) and Liquid's `size`, `first`, `last`. An object
 * has no `size` unless it has such a member.
 */
function followNames(value: unknown, names: Names, budget: Budget): unknown {
  let values: unknown[] = [value]
  let crossedArray = false
  for (const name of names) {
    const key = keyOf(name)
    if (key === null) return undefined
    budget.visit(values.length)
    const next: unknown[] = []
    for (const each of values) {
      const elements = Array.isArray(each) && !isOfArray(key)
      crossedArray ||= elements
      if (elements) stepIntoElements(each, key, next, budget)
      else pushDefined(memberOf(each, key, budget), next)
    }
    if (next.length === 0) return undefined
    values = next
  }
  return crossedArray ? values : values[0]
}

/** Looks up variables: the template's own (`assign`, `for`) first, then the event. */
export class EventContext extends Context {
  readonly #view: EventView
  readonly #budget: Budget

  constructor(view: EventView, budget: Budget, liquid: Liquid) {
    super({}, liquid.options, { sync: true }, { memoryLimit: budget, renderLimit: budget, liquid })
    this.#view = view
    this.#budget = budget
  }

  override _get(path: Names): unknown {
    const [root, ...rest] = path
    if (typeof root !== 'string') return undefined
    const scope = this.scopes.findLast((candidate) => Object.hasOwn(candidate, root))
    if (scope !== undefined) return followNames(scope[root], rest, this.#budget)
    return lookUpInEvent(this.#view, path, this.#budget)
  }

  override _getFromScope(scope: unknown, path: unknown): unknown {
    const names: Names = Array.isArray(path) ? path : String(path).split('.')
    return followNames(scope, names, this.#budget)
  }
}

/** The budget of the render a context belongs to. */
export function budgetOf(context: Context): Budget {
  return context.memoryLimit as Budget
}

function stepIntoElements(array: readonly unknown[], key: string, into: unknown[], budget: Budget): void {
  budget.visit(array.length)
  for (const element of array) {
    if (Array.isArray(element)) stepIntoElements(element, key, into, budget)
    else if (isRecord(element) && Object.hasOwn(element, key)) into.push(element[key])
  }
}

function memberOf(value: unknown, key: string, budget: Budget): unknown {
  if (Array.isArray(value)) return ofArray(value, key)
  if (value instanceof Drop) return ofDrop(value, key)
  if (value instanceof RawNumber) return undefined
  if (isRecord(value)) return Object.hasOwn(value, key) ? value[key] : undefined
  if (typeof value !== 'string' || key !== 'size') return undefined
  budget.use(value.length)
  return countCharacters(value)
}

function isOfArray(key: string): boolean {
  return key === 'size' || key === 'first' || key === 'last' || INDEX.test(key)
}

function ofArray(array: readonly unknown[], key: string): unknown {
  if (key === 'size') return array.length
  if (key === 'first') return array[0]
  return array.at(key === 'last' ? -1 : Number(key))
}

function ofDrop(drop: Drop, name: string): unknown {
  if (!LOOP_MEMBERS.has(name)) return undefined
  const member: unknown = (drop as Record<string, unknown>)[name]
  return typeof member === 'function' ? member.call(drop) : member
}

function keyOf(name: unknown): string | null {
  const key = typeof name === 'number' || name instanceof RawNumber ? String(Number(name)) : name
  return typeof key === 'string' && key.length <= NAME_LENGTH_MAX ? key : null
}

function pushDefined(value: unknown, into: unknown[]): void {
  if (value !== undefined) into.push(value)
}

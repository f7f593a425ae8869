import { isRecord } from '../base/json/value.ts'
import { type EventView, type Found, lookUpOnce, namesOf } from '../model/event-view.ts'
import { comparisonsOf, type FilterEntry } from './filters.ts'
import type { Comparison, Scalar } from './operator.ts'
import type { Rules } from './rules.ts'
import type { SharedSteps } from './shared-steps.ts'

/** A subscription, by its signed number, and the values it requires. */
export type Requiring = { signedNo: number; required: readonly RequiredValue[] }

/** Finds the subscriptions whose required values an event has, as lists in ascending order. */
export type ValueIndex = (view: EventView, shared: SharedSteps) => readonly (readonly number[])[]

/** Larger arrays are not looked into: then all subscriptions that name the path are candidates. */
const ELEMENTS_MAX = 100
/** The same of longer walks: the index must not cost more than the rules that it saves. */
const WALK_STEPS_MAX = 1000

type PathIndex = { field: string; names: string[]; all: number[]; byValue: Map<unknown, number[]> }

/**
 * Compiles subscriptions into an index. Each is listed under one of its requirements: the one whose
 * path tells the most subscriptions apart.
 */
export function compileValueIndex(subscriptions: readonly Requiring[]): ValueIndex {
  const distinct = valuesByPath(subscriptions)
  const paths = new Map<string, PathIndex>()
  for (const { signedNo, required } of subscriptions) {
    const [chosen] = required.toSorted((a, b) => sizeOf(distinct, b) - sizeOf(distinct, a))
    if (chosen === undefined) continue
    const { field, values } = chosen
    const path: PathIndex = paths.get(field) ?? { field, names: namesOf(field), all: [], byValue: new Map() }
    paths.set(field, path)
    path.all.push(signedNo)
    for (const value of new Set(values)) listOf(path.byValue, value).push(signedNo)
  }
  const indexes = [...paths.values()]
  return (view, shared) => {
    const lists = new Set<readonly number[]>()
    for (const index of indexes) collect(index, elementsAt(index, view, shared), lists)
    return [...lists]
  }
}

function listOf(byValue: Map<unknown, number[]>, value: unknown): number[] {
  const known = byValue.get(value)
  if (known !== undefined) return known
  const list: number[] = []
  byValue.set(value, list)
  return list
}

/** Collects, by path, every value that a subscription requires. */
function valuesByPath(subscriptions: readonly Requiring[]): Map<string, Set<unknown>> {
  const distinct = new Map<string, Set<unknown>>()
  for (const { field, values } of subscriptions.flatMap(({ required }) => required)) {
    const known = distinct.get(field) ?? new Set()
    for (const value of values) known.add(value)
    distinct.set(field, known)
  }
  return distinct
}

function sizeOf(distinct: ReadonlyMap<string, ReadonlySet<unknown>>, { field }: RequiredValue): number {
  return distinct.get(field)?.size ?? 0
}

/** The values that an event has at an index's path; null when there are too many, or the walk is too long. */
function elementsAt({ field, names }: PathIndex, view: EventView, shared: SharedSteps): Found | null {
  const found = shared.walk(WALK_STEPS_MAX, (budget) => lookUpOnce(view, field, names, budget))
  return found === null ? null : elementsOf(found)
}

function collect({ all, byValue }: PathIndex, elements: Found | null, lists: Set<readonly number[]>) {
  if (elements === null) lists.add(all)
  else {
    for (const element of elements) {
      const list = byValue.get(element)
      if (list !== undefined) lists.add(list)
    }
  }
}

/** Flattens the values found, arrays however deep; null when there are too many. */
function elementsOf(found: Found): Found | null {
  if (found.length > ELEMENTS_MAX) return null
  if (!found.some(Array.isArray)) return found
  const elements: unknown[] = []
  const pending: Found[] = [found]
  let visited = 0
  for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
    visited += list.length
    if (visited > ELEMENTS_MAX) return null
    for (const element of list) {
      if (Array.isArray(element)) pending.push(element)
      else elements.push(element)
    }
  }
  return elements
}

/** Values of which an event must have one at a path; the path's arrays stand for their elements. */
export type RequiredValue = { field: string; values: readonly Scalar[] }

/**
 * Derives the values that rules require at the least: an event without any of them at the path is
 * refused by these rules; one that has them may still be refused. Expressions are not looked into.
 */
export function requiredValues({ filters, conditions, conditionLogic }: Rules): RequiredValue[] {
  const entries = isRecord(filters) ? Object.entries(filters as Record<string, FilterEntry>) : []
  const asked = entries.flatMap(([field, entry]) =>
    comparisonsOf(entry).map((comparison) => ({ field, comparison })),
  )
  const isRequired = conditionLogic === 'AND' || conditions?.length === 1
  const more = isRequired
    ? (conditions ?? [])
        .filter(isRecord)
        .map((condition) => ({ field: condition.field, comparison: condition }))
    : []
  return [...asked, ...more].flatMap(({ field, comparison }) => {
    const values = valuesOf(comparison)
    return values === null || typeof field !== 'string' ? [] : [{ field, values }]
  })
}

/** A stored value may be of any type: the schema may have been laxer when the rule was saved. */
function valuesOf({ operator, value }: Comparison): readonly Scalar[] | null {
  if (operator === 'in') return Array.isArray(value) ? value : null
  return operator === 'eq' && !Array.isArray(value) ? [value] : null
}

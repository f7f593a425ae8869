import type { Context, FilterHandler } from 'liquidjs/dist/liquid.browser.mjs'
import { RawNumber } from '../../../base/json/raw-number.ts'
import { budgetOf } from '../scope.ts'
import { sumOf, toDecimal } from './number-filters.ts'

/**
 * Filters of lists that compare values or read a member of each; liquidjs' own compare objects, and
 * numbers such as 2.50, by identity, and overlook the member's name.
 */
export const LIST_FILTERS: Readonly<Record<string, FilterHandler>> = {
  sum(input, property) {
    const values = listOf(input).map((item) => memberOf(this.context, item, property))
    return sumOf(values.flat(Number.POSITIVE_INFINITY), budgetOf(this.context))
  },
  compact(input, property) {
    return listOf(input).filter((item) => (memberOf(this.context, item, property) ?? null) !== null)
  },
  uniq(input, property) {
    const seen = new Set<string>()
    return listOf(input).filter((item) => {
      const key = keyOf(memberOf(this.context, item, property))
      return !seen.has(key) && seen.add(key)
    })
  },
  group_by(input, property) {
    const groups = new Map<string, { name: unknown; items: unknown[] }>()
    for (const item of listOf(input)) {
      const name = memberOf(this.context, item, property)
      const group = groups.get(keyOf(name)) ?? { name, items: [] }
      group.items.push(item)
      groups.set(keyOf(name), group)
    }
    return [...groups.values()]
  },
}

/** The input as a list: nothing is an empty one, any other value the only element of its own. */
function listOf(input: unknown): unknown[] {
  if (Array.isArray(input)) return input
  return input === undefined || input === null ? [] : [input]
}

function memberOf(context: Context, item: unknown, property: unknown): unknown {
  return typeof property === 'string' ? context._getFromScope(item, property) : item
}

/** The same text for equal values, however their numbers are written: 2.50 is 2.5. */
function keyOf(value: unknown): string {
  return JSON.stringify(value, shortestNumbers) ?? 'null'
}

function shortestNumbers(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[name]
  if (!(original instanceof RawNumber)) return value
  return new RawNumber(String(toDecimal(original)).replace(/\.0$/, '')).toJSON()
}

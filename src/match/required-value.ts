import { isRecord } from '../model/event-view.ts'
import { comparisonsOf, type FilterEntry } from './filters.ts'
import type { Comparison, Scalar } from './operator.ts'
import type { Rules } from './rules.ts'

/** Values of which an event must have one at a path; the path's arrays stand for their elements. */
export type RequiredValue = { field: string; values: readonly Scalar[] }

/**
 * What rules ask for at the least: an event without any of a requirement's values at its path is refused, whatever else
 * the rules say. One with them may be refused still. Expressions are not looked into.
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

/** Stored rules may not be what they were when they were saved, so a value may be anything. */
function valuesOf({ operator, value }: Comparison): readonly Scalar[] | null {
  if (operator === 'in') return Array.isArray(value) ? value : null
  return operator === 'eq' && !Array.isArray(value) ? [value] : null
}

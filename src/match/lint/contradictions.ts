import { valueSatisfies } from '../comparison.ts'
import type { Comparison, Operator, Scalar } from '../operator.ts'
import { shown } from '../verdict.ts'

/** The reason why comparisons of one field cannot hold together, as the end of a sentence. */
type Contradiction = {
  message: string
  /** True when not even a list with several elements satisfies them. */
  isAbsolute: boolean
}

/**
 * Finds what in the comparisons of one field contradicts itself; null when some value satisfies
 * them all.
 */
export function contradictionOf(comparisons: readonly Comparison[]): Contradiction | null {
  return (
    presenceContradiction(comparisons) ?? valueContradiction(comparisons) ?? boundContradiction(comparisons)
  )
}

function presenceContradiction(comparisons: readonly Comparison[]): Contradiction | null {
  const isAbsent = comparisons.some(({ operator, value }) => operator === 'exists' && value === false)
  const others = comparisons.some(({ operator, value }) => operator !== 'exists' || value === true)
  return isAbsent && others
    ? { message: 'must be missing and something else at once', isAbsolute: true }
    : null
}

/** Tries every value that `eq` and `in` name against all the other comparisons. */
function valueContradiction(comparisons: readonly Comparison[]): Contradiction | null {
  const lists = comparisons.filter(({ operator }) => operator === 'eq' || operator === 'in').map(valuesOf)
  const named = [...new Set(lists.flat())]
  const others = comparisons.filter(({ operator }) => operator !== 'contains')
  if (lists.length === 0 || named.some((value) => others.every((other) => valueSatisfies(value, other))))
    return null
  const values = named.slice(0, 5).map(shown).join(', ')
  const excluding = comparisons.filter(({ operator }) => operator === 'ne' || operator === 'nin')
  const isAbsolute = lists.some((list) =>
    list.every((value) => !excluding.every((other) => valueSatisfies(value, other))),
  )
  return { message: `none of the values it names (${values}) satisfies everything else it asks`, isAbsolute }
}

function boundContradiction(comparisons: readonly Comparison[]): Contradiction | null {
  const lower = bounds(comparisons, ['gt', 'gte'])
  const upper = bounds(comparisons, ['lt', 'lte'])
  if (new Set([...lower, ...upper].map(({ value }) => typeof value)).size > 1)
    return { message: 'must be both a number and a string', isAbsolute: false }
  const pairs = lower.flatMap((low) => upper.map((high) => ({ low, high })))
  const pair = pairs.find(({ low, high }) => leavesNothing(low, high))
  if (pair === undefined) return null
  const least = pair.low.operator === 'gt' ? 'greater than' : 'at least'
  const most = pair.high.operator === 'lt' ? 'less than' : 'at most'
  const message = `must be ${least} ${shown(pair.low.value)} and ${most} ${shown(pair.high.value)}`
  return { message, isAbsolute: false }
}

function leavesNothing(low: Comparison, high: Comparison): boolean {
  const isStrict = low.operator === 'gt' || high.operator === 'lt'
  return compareValues(low.value, high.value) >= (isStrict ? 0 : 1)
}

function bounds(comparisons: readonly Comparison[], operators: readonly Operator[]): Comparison[] {
  return comparisons.filter(({ operator }) => operators.includes(operator))
}

/** Negative, zero or positive, as the first is less, equal or greater. */
function compareValues(a: Comparison['value'], b: Comparison['value']): number {
  const [left, right] = [a as number, b as number]
  return left < right ? -1 : Number(left > right)
}

function valuesOf({ value }: Comparison): Scalar[] {
  return Array.isArray(value) ? value : [value]
}

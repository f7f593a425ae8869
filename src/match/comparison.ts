import { type Found, lookUpOnce, missingMessage, namesOf } from '../model/event-view.ts'
import { containsText, stepsOfSearch } from './contains-text.ts'
import type { Comparison, Operator, Scalar } from './operator.ts'
import { exhausted, type StepBudget, stepsOfComparing } from './step-budget.ts'
import { type Refused, type Rule, shown } from './verdict.ts'

/** A comparison that is satisfied by some one element. */
type ElementTest = {
  /** True when the operator can compare an element of this type. */
  fits(element: unknown): boolean
  holds(element: unknown): boolean
  /** Counted for each element that is compared. */
  steps: number
  expected: string
  /** Completes "such an element …". */
  positive: string
  /** Completes "the element is 5, which …". */
  negative: string
}

/**
 * Compiles the comparisons of one path. An array at its end stands for its elements: one element
 * must satisfy them all, none may equal the values of `ne` and `nin`, and `contains` is membership.
 * A missing field satisfies only `exists: false`; null is there and equals only null.
 */
export function compileComparisons(field: string, comparisons: readonly Comparison[]): Rule {
  const names = namesOf(field)
  const exists = comparisons
    .filter(({ operator }) => operator === 'exists')
    .map(({ value }) => value === true)
  const wanted = comparisons.filter(({ operator }) => POSITIVE.has(operator)).map(elementTest)
  const contained = comparisons
    .filter(({ operator }) => operator === 'contains')
    .map(({ value }) => value as Scalar)
  const excluded = new Set(
    comparisons
      .filter(({ operator }) => operator === 'ne' || operator === 'nin')
      .flatMap(({ value }) => value),
  )
  const missingIsRight = exists.length === comparisons.length && !exists.includes(true)
  const checks: FoundCheck[] = []
  if (exists.includes(false)) checks.push(absenceCheck(field))
  if (wanted.length > 0) checks.push(wantedCheck(field, wanted))
  for (const value of contained) checks.push(containedCheck(field, value))
  if (excluded.size > 0) checks.push(excludedCheck(field, excluded))
  return {
    holds(view, budget) {
      const found = lookUpOnce(view, field, names, budget)
      if (found === null) return false
      if (found.length === 0) return missingIsRight
      for (const check of checks) if (!check.holds(found, budget)) return false
      return true
    },
    explain(view, budget) {
      const found = lookUpOnce(view, field, names, budget)
      if (found === null) return exhausted(budget)
      if (found.length === 0)
        return missingIsRight ? null : refuse('missing', missingMessage(view, field, names))
      const failed = checks.find((check) => !check.holds(found, budget))
      if (failed === undefined) return null
      return budget.left < 0 ? exhausted(budget) : failed.explain(found, budget)
    },
  }
}

/** One check of the values found; `explain` may be called only after `holds` has said no. */
type FoundCheck = {
  holds(found: Found, budget: StepBudget): boolean
  explain(found: Found, budget: StepBudget): Refused
}

function absenceCheck(field: string): FoundCheck {
  return {
    holds: () => false,
    explain: (found) => refuse('not_satisfied', `${nameOf(field, found)}, but must be missing`),
  }
}

function wantedCheck(field: string, wanted: readonly ElementTest[]): FoundCheck {
  const search: ElementSearch = {
    matches: (element) => allHold(wanted, element),
    stepsEach: wanted.reduce((sum, { steps }) => sum + steps, 0),
  }
  return {
    holds: (found, budget) => someElement(found, budget, search),
    explain: (found, budget) => whyNone(field, found, wanted, budget),
  }
}

function containedCheck(field: string, value: Scalar): FoundCheck {
  return {
    holds: (found, budget) => found.some((each) => holdsWithin(each, value, budget)),
    explain: (found) => whyNotWithin(field, found, value),
  }
}

function excludedCheck(field: string, excluded: ReadonlySet<unknown>): FoundCheck {
  const search: ElementSearch = { matches: (element) => excluded.has(element), stepsEach: 1 }
  return {
    holds: (found, budget) => !someElement(found, budget, search) && budget.left >= 0,
    explain: (found) => refuse('not_satisfied', `${nameOf(field, found)}, which the rule excludes`),
  }
}

const POSITIVE: ReadonlySet<Operator> = new Set([
  'eq',
  'in',
  'gt',
  'gte',
  'lt',
  'lte',
  'startsWith',
  'endsWith',
])

/** True when one element that is there satisfies one comparison, be its type fitting or not. */
export function valueSatisfies(element: Scalar, comparison: Comparison): boolean {
  const { operator, value } = comparison
  if (POSITIVE.has(operator)) return allHold([elementTest(comparison)], element)
  switch (operator) {
    case 'exists':
      return value === true
    case 'contains':
      return typeof element === 'string' && typeof value === 'string' && element.includes(value)
    default:
      return !(Array.isArray(value) ? value.includes(element) : value === element)
  }
}

function allHold(tests: readonly ElementTest[], element: unknown): boolean {
  for (const test of tests) if (!test.fits(element) || !test.holds(element)) return false
  return true
}

function elementTest({ operator, value }: Comparison): ElementTest {
  if (Array.isArray(value)) return oneOf(value)
  const like = (element: unknown) =>
    typeof element === typeof value && (element === null) === (value === null)
  const chars = typeof value === 'string' ? value.length : 0
  const base = { fits: like, expected: typeName(value), steps: 1 + stepsOfComparing(chars) }
  const is = shown(value)
  switch (operator) {
    case 'gt':
      return { ...base, ...phrases('is greater than', is), holds: (e) => (e as number) > (value as number) }
    case 'gte':
      return {
        ...base,
        ...phrases('is at least', is, 'is less than'),
        holds: (e) => (e as number) >= (value as number),
      }
    case 'lt':
      return { ...base, ...phrases('is less than', is), holds: (e) => (e as number) < (value as number) }
    case 'lte':
      return {
        ...base,
        ...phrases('is at most', is, 'is greater than'),
        holds: (e) => (e as number) <= (value as number),
      }
    case 'startsWith':
      return {
        ...base,
        ...phrases('starts with', is, 'does not start with'),
        holds: (e) => (e as string).startsWith(value as string),
      }
    case 'endsWith':
      return {
        ...base,
        ...phrases('ends with', is, 'does not end with'),
        holds: (e) => (e as string).endsWith(value as string),
      }
    default:
      return { ...base, ...phrases('is', is), holds: (element) => element === value }
  }
}

function oneOf(values: readonly Scalar[]): ElementTest {
  const set: ReadonlySet<unknown> = new Set(values)
  const types = [...new Set(values.map(typeName))]
  const list = values.slice(0, 5).map(shown).join(', ') + (values.length > 5 ? ', …' : '')
  return {
    ...phrases('is one of', list, 'is none of'),
    expected: types.join(' or '),
    steps: 1,
    fits: (element) => types.includes(typeName(element)),
    holds: (element) => set.has(element),
  }
}

function phrases(verb: string, value: string, opposite = verb.replace('is', 'is not')) {
  return { positive: `${verb} ${value}`, negative: `${opposite} ${value}` }
}

/** True when the value found contains the other: an array as an element, a string as a substring. */
function holdsWithin(found: unknown, value: Scalar, budget: StepBudget): boolean {
  if (Array.isArray(found)) {
    const stepsEach = 1 + stepsOfComparing(typeof value === 'string' ? value.length : 0)
    return someElement(found, budget, { matches: (element) => element === value, stepsEach })
  }
  if (typeof found !== 'string' || typeof value !== 'string') return false
  return budget.spend(stepsOfSearch(found, value)) && containsText(found, value)
}

function whyNotWithin(field: string, found: Found, value: Scalar): Refused {
  const fits = (each: unknown) =>
    Array.isArray(each) || (typeof each === 'string' && typeof value === 'string')
  if (found.some(fits))
    return refuse('not_satisfied', `${nameOf(field, found)}, which does not contain ${shown(value)}`)
  const expected = typeof value === 'string' ? 'a list or a string' : 'a list'
  return refuse('wrong_type', `${nameOf(field, found)}, where ${expected} is expected`)
}

/** Names the first comparison that no element satisfies; may be called only when none satisfies all. */
function whyNone(field: string, found: Found, tests: readonly ElementTest[], budget: StepBudget): Refused {
  const name = nameOf(field, found)
  for (const test of tests) {
    const isSatisfied = someElement(found, budget, {
      matches: (element) => allHold([test], element),
      stepsEach: test.steps,
    })
    if (budget.left < 0) return exhausted(budget)
    if (isSatisfied) continue
    const [only] = found
    if (found.length > 1 || Array.isArray(only)) return whyNoElement(name, found, test, budget)
    return test.fits(only)
      ? refuse('not_satisfied', `${name}, which ${test.negative}`)
      : refuse('wrong_type', `${name}, where ${test.expected} is expected`)
  }
  const all = tests.map(({ positive }) => positive).join(' and ')
  return refuse('not_satisfied', `${name}, of which no one element ${all}`)
}

function whyNoElement(name: string, found: Found, test: ElementTest, budget: StepBudget): Refused {
  const isEmpty = !someElement(found, budget, { matches: () => true, stepsEach: 1 })
  if (isEmpty || someElement(found, budget, { matches: (element) => test.fits(element), stepsEach: 1 }))
    return refuse('not_satisfied', `${name}, none of which ${test.positive}`)
  return refuse('wrong_type', `${name}, none of which is ${test.expected}`)
}

function refuse(reason: Refused['reason'], message: string): Refused {
  return { reason, message }
}

function nameOf(field: string, found: Found): string {
  return `${field} is ${found.length === 1 ? shown(found[0]) : shown(found)}`
}

/** An element that is searched, and the steps of comparing one. */
type ElementSearch = { matches(element: unknown): boolean; stepsEach: number }

/** Searches the values, arrays as their elements however deep; answers false once steps run out. */
function someElement(values: Found, budget: StepBudget, { matches, stepsEach }: ElementSearch): boolean {
  const pending: Found[] = [values]
  for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
    if (!budget.spend(list.length * stepsEach)) return false
    for (const element of list) {
      if (Array.isArray(element)) pending.push(element)
      else if (matches(element)) return true
    }
  }
  return false
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

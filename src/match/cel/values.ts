import { isRecord } from '../../base/json/value.ts'
import type { EventView } from '../../model/event-view.ts'
import { type StepBudget, stepsOfComparing, stepsOfText } from '../step-budget.ts'
import { type Refused, shown } from '../verdict.ts'

/**
 * Stands for the value of a node that cannot be evaluated. It is a class, since no value of an
 * event can be an instance of it.
 */
export class Trouble {
  readonly reason: Refused['reason']
  readonly #message: () => string

  /**
   * The message is made when it is read: a comprehension may meet trouble at every element and
   * still be true.
   */
  constructor(reason: Refused['reason'], message: () => string) {
    this.reason = reason
    this.#message = message
  }

  get message(): string {
    return this.#message()
  }
}

/** One evaluation. Comprehensions are not nested, so there is one element at most. */
export type Run = {
  view: EventView
  element: unknown
  budget: StepBudget
  /** The values of paths that were read before. */
  read: Map<string, unknown>
}

const READ = new WeakMap<EventView, Map<string, unknown>>()

/** Begins an evaluation for an event; what one reads of it, the others need not. */
export function startRun(view: EventView, budget: StepBudget): Run {
  const known = READ.get(view)
  const read = known ?? new Map<string, unknown>()
  if (known === undefined) READ.set(view, read)
  return { view, element: undefined, budget, read }
}

/** A compiled node: gives its value, or Trouble. Never throws. */
export type Code = (run: Run) => unknown

export const SPENT = new Trouble('too_complex', () => 'it takes too many steps')
const DIVISION_BY_ZERO = new Trouble('failed', () => 'it divides by zero')
const TOO_DEEP = new Trouble('failed', () => 'it compares values that are nested too deeply')
const EQUALITY_DEPTH_MAX = 200

/** CEL's `==`: values of different types are unequal, lists and objects compare member by member. */
export function equal(left: unknown, right: unknown, budget: StepBudget, depth = 0): boolean | Trouble {
  if (typeof left === 'string' && typeof right === 'string') return sameText(left, right, budget)
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (depth > EQUALITY_DEPTH_MAX) return TOO_DEEP
  if (left instanceof Date || right instanceof Date) {
    return left instanceof Date && right instanceof Date && left.getTime() === right.getTime()
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) return false
    return everyEqual(left.keys(), left, right, budget, depth)
  }
  return isRecord(left) && isRecord(right) ? sameMembers(left, right, budget, depth) : false
}

function sameText(left: string, right: string, budget: StepBudget): boolean | Trouble {
  if (left.length !== right.length) return false
  return budget.spend(stepsOfComparing(left.length)) ? left === right : SPENT
}

function sameMembers(
  left: Record<string, unknown>,
  right: Record<string, unknown>,
  budget: StepBudget,
  depth: number,
): boolean | Trouble {
  if (!budget.spend(0)) return SPENT
  const [names, others] = [Object.keys(left), Object.keys(right)]
  if (!budget.spend(names.length + others.length)) return SPENT
  if (names.length !== others.length || !names.every((name) => Object.hasOwn(right, name))) return false
  return everyEqual(names, left, right, budget, depth)
}

function everyEqual(
  keys: Iterable<PropertyKey>,
  left: object,
  right: object,
  budget: StepBudget,
  depth: number,
): boolean | Trouble {
  for (const key of keys) {
    if (!budget.spend(1)) return SPENT
    const same = equal(Reflect.get(left, key), Reflect.get(right, key), budget, depth + 1)
    if (same !== true) return same
  }
  return true
}

/** CEL's `in`: an element of a list, or a member's name of an object. */
export function isIn(value: unknown, container: unknown, budget: StepBudget): boolean | Trouble {
  if (Array.isArray(container)) {
    for (const element of container) {
      if (!budget.spend(1)) return SPENT
      const same = equal(value, element, budget)
      if (same !== false) return same
    }
    return false
  }
  if (isRecord(container)) {
    if (typeof value !== 'string') return false
    return budget.spend(stepsOfText(value.length)) ? Object.hasOwn(container, value) : SPENT
  }
  return new Trouble('wrong_type', () => `${shown(container)} is neither a list nor an object to look in`)
}

type OrderOperator = '<' | '<=' | '>' | '>='

/** Numbers with numbers, strings with strings, timestamps with timestamps. */
export function compare(
  operator: OrderOperator,
  left: unknown,
  right: unknown,
  budget: StepBudget,
): boolean | Trouble {
  const areTexts = typeof left === 'string' && typeof right === 'string'
  const isComparable =
    areTexts ||
    (typeof left === 'number' && typeof right === 'number') ||
    (left instanceof Date && right instanceof Date)
  if (areTexts && !budget.spend(stepsOfComparing(Math.min(left.length, right.length)))) return SPENT
  if (!isComparable)
    return new Trouble('wrong_type', () => `${shown(left)} cannot be compared with ${shown(right)}`)
  const [a, b] = [left as number, right as number]
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
}

type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

/** All numbers are doubles, as JSON's are: `7 / 2` is 3.5. `+` also joins strings, and lists. */
export function calculate(
  operator: ArithmeticOperator,
  left: unknown,
  right: unknown,
  budget: StepBudget,
): unknown {
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') {
    return budget.spend(stepsOfText(left.length + right.length)) ? left + right : SPENT
  }
  if (operator === '+' && Array.isArray(left) && Array.isArray(right)) {
    return budget.spend(left.length + right.length) ? left.concat(right) : SPENT
  }
  if (typeof left !== 'number' || typeof right !== 'number') {
    return new Trouble('wrong_type', () => `${shown(left)} ${operator} ${shown(right)} is not defined`)
  }
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? DIVISION_BY_ZERO : left / right
    case '%':
      return right === 0 ? DIVISION_BY_ZERO : left % right
  }
}

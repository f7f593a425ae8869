import { Drop, type FilterHandler } from 'liquidjs/dist/liquid.browser.mjs'
import { Decimal, DigitsError } from '../../../base/json/decimal.ts'
import { RawNumber } from '../../../base/json/raw-number.ts'
import type { Budget } from '../budget.ts'
import { budgetOf } from '../scope.ts'

/** The work of one operation on decimals, measured at 0.3 µs, and of each of their digits. */
const DECIMAL_WORK = 40
const DIGIT_WORK = 4
/** Places beyond which `round` has nothing to round. */
const PLACES_MAX = 1000
/** Longest text that is read as a number, in characters. */
const NUMBER_CHARS_MAX = 2000

type Operation = (left: Decimal, right: Decimal, third: unknown) => Decimal

/**
 * The filters of numbers. They calculate with the digits that were published: 19.99 times 100 is
 * 1999.0. liquidjs' own calculate with doubles.
 */
export const NUMBER_FILTERS: Readonly<Record<string, FilterHandler>> = {
  abs: unary((number) => number.abs()),
  ceil: unary((number) => number.ceil()),
  floor: unary((number) => number.floor()),
  to_integer: unary((number) => number.truncated()),
  at_least: binary((number, least) => (number.isBelow(least) ? least : number)),
  at_most: binary((number, most) => (most.isBelow(number) ? most : number)),
  plus: binary((left, right) => left.plus(right)),
  minus: binary((left, right) => left.minus(right)),
  times: binary((left, right) => left.times(right)),
  divided_by: binary(
    dividing('divided_by', (left, right, asInteger) => {
      return asInteger === true ? left.wholeQuotient(right) : left.dividedBy(right)
    }),
  ),
  modulo: binary(dividing('modulo', (left, right) => left.modulo(right))),
  round(input, places) {
    payFor(budgetOf(this.context), input, places)
    const count = Number(String(toDecimal(places).truncated()))
    const rounded = toDecimal(input).round(Math.max(-PLACES_MAX, Math.min(PLACES_MAX, count)))
    return fromDecimal(count === 0 ? rounded.truncated() : rounded)
  },
}

/** Adds the numbers of a list up; a text counts as the number it begins with, anything else as 0. */
export function sumOf(values: readonly unknown[], budget: Budget): unknown {
  for (const value of values) payFor(budget, value)
  return fromDecimal(values.reduce<Decimal>((sum, value) => sum.plus(toDecimal(value)), Decimal.ZERO))
}

/**
 * An argument that has to be a whole number, such as a length: as Shopify, it takes texts of
 * digits, and nothing else. One that is missing is `fallback`.
 */
export function wholeNumber(value: unknown, fallback: number): number {
  const plain = value instanceof Drop ? value.valueOf() : value
  if (plain === undefined || plain === null) return fallback
  const decimal = typeof plain === 'object' && !(plain instanceof RawNumber) ? null : parsed(String(plain))
  const number = Number(decimal)
  if (decimal === null || !Number.isInteger(number)) {
    throw new Error('an offset, a length or a number of words must be a whole number')
  }
  return number
}

/** The value of a number in a template; it prints with the digits that it has. */
function fromDecimal(decimal: Decimal): number | RawNumber {
  const text = String(decimal)
  const number = Number(text)
  return String(number) === text ? number : new RawNumber(text)
}

/** A number, a text that is one or begins with a whole one, and 0 for everything else. */
export function toDecimal(value: unknown): Decimal {
  if (typeof value === 'number' || value instanceof RawNumber) return parsed(String(value)) ?? Decimal.ZERO
  if (typeof value !== 'string') return Decimal.ZERO
  const beginning = value.slice(0, NUMBER_CHARS_MAX)
  const whole = beginning.length === value.length ? Decimal.parse(value.trim()) : null
  return whole ?? Decimal.parse(/^\s*([+-]?\d+)/.exec(beginning)?.[1] ?? '') ?? Decimal.ZERO
}

function parsed(text: string): Decimal | null {
  if (text.length > NUMBER_CHARS_MAX) throw new DigitsError()
  return Decimal.parse(text.trim())
}

function payFor(budget: Budget, ...numbers: unknown[]): void {
  const chars = numbers.map((number) => {
    if (typeof number !== 'string' && !(number instanceof RawNumber)) return 0
    return Math.min(NUMBER_CHARS_MAX, String(number).length)
  })
  budget.use(DECIMAL_WORK + DIGIT_WORK * chars.reduce((sum, each) => sum + each, 0))
}

function unary(operation: (number: Decimal) => Decimal): FilterHandler {
  return function (input) {
    payFor(budgetOf(this.context), input)
    return fromDecimal(operation(toDecimal(input)))
  }
}

function binary(operation: Operation): FilterHandler {
  return function (input, operand, third) {
    payFor(budgetOf(this.context), input, operand)
    return fromDecimal(operation(toDecimal(input), toDecimal(operand), third))
  }
}

/** Refuses to divide by zero: no number is the answer, and no receiver could mean it. */
function dividing(name: string, operation: Operation): Operation {
  return (left, right, third) => {
    if (!right.isZero) return operation(left, right, third)
    throw new Error(`${name} must not divide by zero: its argument is 0, missing or no number`)
  }
}

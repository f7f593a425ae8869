import * as z from 'zod'

/** Most values of one list (`in`, `nin`). */
const LIST_VALUES_MAX = 200
/** Longest text that a rule compares with, in characters. */
const OPERAND_CHARS_MAX = 1000

/** The operators of conditions, and of filters beside `min` and `max`. */
export const OPERATORS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'nin',
  'contains',
  'startsWith',
  'endsWith',
  'exists',
] as const
export type Operator = (typeof OPERATORS)[number]

/** A value to compare with. Objects and lists are never compared as a whole. */
export type Scalar = string | number | boolean | null

/** One validated comparison; the value's type follows the operator. */
export type Comparison = { operator: Operator; value: Scalar | Scalar[] }

const TEXT = `a string of at most ${OPERAND_CHARS_MAX} characters`
const SCALAR = `must be ${TEXT}, a number, true, false or null`
const ORDERED = `must be a number, or ${TEXT}: numbers compare with numbers, strings with strings, so ISO 8601 dates too`

/** A string, number, boolean or null to compare with. */
export const scalarSchema = z
  .union([z.string().max(OPERAND_CHARS_MAX, SCALAR), z.number(), z.boolean(), z.null()], SCALAR)
  .meta({ id: 'Scalar', description: 'A value that rules compare with' })

/** The values of `in` and `nin`. */
export const scalarListSchema = z
  .array(scalarSchema, `must be a list of 1-${LIST_VALUES_MAX} values`)
  .min(1, `must be a list of 1-${LIST_VALUES_MAX} values`)
  .max(LIST_VALUES_MAX, `must be a list of 1-${LIST_VALUES_MAX} values`)

const orderedSchema = z.union([z.string().max(OPERAND_CHARS_MAX, ORDERED), z.number()], ORDERED)
const affixSchema = z.string(`must be ${TEXT}`).max(OPERAND_CHARS_MAX, `must be ${TEXT}`)

/** The schema of each operator's value. */
export const OPERAND_SCHEMAS = {
  eq: scalarSchema,
  ne: scalarSchema,
  gt: orderedSchema,
  gte: orderedSchema,
  lt: orderedSchema,
  lte: orderedSchema,
  in: scalarListSchema,
  nin: scalarListSchema,
  contains: scalarSchema,
  startsWith: affixSchema,
  endsWith: affixSchema,
  exists: z.boolean('must be true or false'),
} as const satisfies Record<Operator, z.ZodType<Scalar | Scalar[]>>

export function isOperator(name: unknown): name is Operator {
  return OPERATORS.some((operator) => operator === name)
}

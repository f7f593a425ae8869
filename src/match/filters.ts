import * as z from 'zod'
import { namedRecord } from '../base/json/named-record.ts'
import { isRecord } from '../base/json/value.ts'
import { fieldPathSchema } from '../model/event-view.ts'
import { compileExpression } from './cel/expression.ts'
import { EXPRESSION_CHARS_MAX, EXPRESSIONS_MAX } from './cel/parse.ts'
import { compileComparisons } from './comparison.ts'
import {
  type Comparison,
  isOperator,
  OPERAND_SCHEMAS,
  OPERATORS,
  type Operator,
  type Scalar,
  scalarListSchema,
  scalarSchema,
} from './operator.ts'
import type { Rule } from './verdict.ts'

/** Most entries of one subscription's `filters`. */
const FILTER_ENTRIES_MAX = 50

/**
 * The comparisons of one path: a value it equals, a list it is in, or bounds and operators that
 * must all hold.
 */
export type FilterEntry =
  | Scalar
  | Scalar[]
  | ({ [operator in Operator]?: Scalar | Scalar[] } & { min?: Scalar; max?: Scalar })

/** A subscription's `filters`: entries by path, or CEL expressions. All must hold. */
export type Filters = Record<string, FilterEntry> | string[]

const WORDS = ['min', 'max', ...OPERATORS] as const

const filterEntrySchema = z.custom<FilterEntry>().superRefine((entry, context) => {
  const add = (schema: z.ZodType, value: unknown, path: PropertyKey[]) => {
    for (const issue of schema.safeParse(value).error?.issues ?? []) {
      context.issues.push({ ...issue, path: [...path, ...issue.path] } as z.core.$ZodRawIssue)
    }
  }
  const refuse = (message: string, path: PropertyKey[]) => context.addIssue({ code: 'custom', path, message })
  if (Array.isArray(entry)) add(scalarListSchema, entry, [])
  else if (!isRecord(entry)) add(scalarSchema, entry, [])
  else {
    const words = Object.entries(entry)
    if (words.length === 0) refuse(`must name at least one of ${WORDS.join(', ')}`, [])
    for (const [word, value] of words) {
      const operator = operatorOf(word)
      if (operator === null) refuse(`must be one of ${WORDS.join(', ')}`, [word])
      else add(OPERAND_SCHEMAS[operator], value, [word])
    }
  }
})

/** An entry as the API document shows it. */
const entryLikeSchema = z.union([
  scalarSchema,
  scalarListSchema,
  z.strictObject({ min: OPERAND_SCHEMAS.gte, max: OPERAND_SCHEMAS.lte, ...OPERAND_SCHEMAS }).partial(),
])

const entriesSchema = namedRecord(fieldPathSchema, filterEntrySchema, {
  max: FILTER_ENTRIES_MAX,
  message: `must hold at most ${FILTER_ENTRIES_MAX} entries`,
})

const EXPRESSION = `must be a CEL expression of 1-${EXPRESSION_CHARS_MAX} characters, such as "order.total > 100"`

const expressionSchema = z
  .string(EXPRESSION)
  .min(1, EXPRESSION)
  .max(EXPRESSION_CHARS_MAX, EXPRESSION)
  .superRefine((text, context) => {
    if (text === '' || text.length > EXPRESSION_CHARS_MAX) return
    const compiled = compileExpression(text)
    if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.message })
  })

const expressionsSchema = z
  .array(expressionSchema)
  .max(EXPRESSIONS_MAX, `must hold at most ${EXPRESSIONS_MAX} expressions`)

/** Validates `filters` in either form; an expression that does not compile is refused. */
export const filtersSchema = z
  .custom<Filters>(
    (filters) => typeof filters === 'object' && filters !== null,
    'must be an object of paths and values, or a list of CEL expressions',
  )
  .superRefine((filters, context) => {
    const result = Array.isArray(filters)
      ? expressionsSchema.safeParse(filters)
      : entriesSchema.safeParse(filters)
    for (const issue of result.error?.issues ?? []) context.issues.push(issue as z.core.$ZodRawIssue)
  })
  .meta({
    id: 'Filters',
    like: z.union([z.record(z.string(), entryLikeSchema), z.array(z.string())]),
    example: { 'customer.tags': ['vip', 'enterprise'], 'invoice.total': { min: 1000 } },
  })

/** The comparisons that a filter's entry stands for. */
export function comparisonsOf(entry: FilterEntry): Comparison[] {
  if (Array.isArray(entry)) return [{ operator: 'in', value: entry }]
  if (!isRecord(entry)) return [{ operator: 'eq', value: entry as Scalar }]
  return Object.entries(entry).map(([word, value]) => ({
    operator: operatorOf(word) ?? 'eq',
    value: value as Scalar | Scalar[],
  }))
}

/** Compiles a stored entry; a string says why it no longer compiles. */
export function compileFilter(field: string, entry: FilterEntry): Rule | string {
  const issue =
    fieldPathSchema.safeParse(field).error?.issues[0] ?? filterEntrySchema.safeParse(entry).error?.issues[0]
  if (issue !== undefined) return `${issue.path.join('.')} ${issue.message}`.trim()
  return compileComparisons(field, comparisonsOf(entry))
}

/** `min` and `max` are inclusive bounds. */
function operatorOf(word: string): Operator | null {
  if (word === 'min') return 'gte'
  if (word === 'max') return 'lte'
  return isOperator(word) ? word : null
}

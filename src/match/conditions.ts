import * as z from 'zod'
import { fieldPathSchema } from '../model/event-view.ts'
import { compileComparisons } from './comparison.ts'
import {
  isOperator,
  OPERAND_SCHEMAS,
  OPERATORS,
  type Operator,
  type Scalar,
  scalarListSchema,
  scalarSchema,
} from './operator.ts'
import type { Rule } from './verdict.ts'

/** Most conditions of one subscription. */
const CONDITIONS_MAX = 50

/** One entry of a subscription's `conditions`. */
export type Condition = { field: string; operator: Operator; value: Scalar | Scalar[] }

const fieldsSchema = z.strictObject(
  {
    field: fieldPathSchema,
    operator: z.enum(OPERATORS, `must be one of ${OPERATORS.join(', ')}`),
    value: z.unknown().optional(),
  },
  'must be an object of "field", "operator" and "value"',
)

/** A condition; what its `value` may be depends on its `operator`. */
const conditionSchema = z
  .custom<Condition>()
  .superRefine((condition, context) => {
    const fields = fieldsSchema.safeParse(condition)
    for (const issue of fields.error?.issues ?? []) context.issues.push(issue as z.core.$ZodRawIssue)
    const operator: unknown = Object(condition).operator
    if (!isOperator(operator)) return
    for (const issue of OPERAND_SCHEMAS[operator].safeParse(condition.value).error?.issues ?? []) {
      context.issues.push({ ...issue, path: ['value', ...issue.path] } as z.core.$ZodRawIssue)
    }
  })
  .meta({
    id: 'Condition',
    like: z.strictObject({
      field: z.string(),
      operator: z.enum(OPERATORS),
      value: z
        .union([scalarSchema, scalarListSchema])
        .describe('What to compare with: a list for in and nin, true or false for exists'),
    }),
  })

/** Validates a subscription's `conditions`. */
export const conditionsSchema = z
  .array(conditionSchema, 'must be a list of conditions')
  .max(CONDITIONS_MAX, `must hold at most ${CONDITIONS_MAX} conditions`)
  .meta({ example: [{ field: 'data.object.total', operator: 'gt', value: 1000 }] })

/** `AND`, the default, wants all conditions to hold, `OR` one of them. */
export const conditionLogicSchema = z.enum(['AND', 'OR'], 'must be "AND" or "OR"')
export type ConditionLogic = z.infer<typeof conditionLogicSchema>

/** Compiles a stored condition; a string says why it no longer compiles. */
export function compileCondition(condition: Condition): Rule | string {
  const [issue] = conditionSchema.safeParse(condition).error?.issues ?? []
  if (issue !== undefined) return `${issue.path.join('.')} ${issue.message}`.trim()
  return compileComparisons(condition.field, [condition])
}

import { conditionsSchema } from '../../../../src/match/conditions.ts'
import { filtersSchema } from '../../../../src/match/filters.ts'
import { type KnownType, ruleWarnings } from '../../../../src/match/lint/warnings.ts'
import type { Rules } from '../../../../src/match/rules.ts'

/** Rules as a request gives them. */
export type Given = { filters?: unknown; conditions?: unknown; conditionLogic?: 'AND' | 'OR' }

function rulesOf({ filters, conditions, conditionLogic = 'AND' }: Given): Rules {
  return {
    filters: filters === undefined ? null : filtersSchema.parse(filters),
    conditions: conditions === undefined ? null : conditionsSchema.parse(conditions),
    conditionLogic,
  }
}

/** The warnings of valid rules, as `path: message`; schemas by event type. */
export const warningsOf = (given: Given, events: string[], schemas: Record<string, unknown> = {}) => {
  const known = Object.entries(schemas).map(([type, schema]): [string, KnownType] => [
    type,
    { schema, example: null },
  ])
  return ruleWarnings(rulesOf(given), events, new Map(known)).map(
    ({ path, message }) => `${path}: ${message}`,
  )
}

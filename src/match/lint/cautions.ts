import type { ASTNode } from '@marcbachmann/cel-js'
import type { Problem } from '../../model/errors.ts'
import { type EventView, isEventId, namesOf } from '../../model/event-view.ts'
import { compileExpression } from '../cel/expression.ts'
import { parseExpression, partsOf } from '../cel/parse.ts'
import { comparisonsOf } from '../filters.ts'
import type { Comparison } from '../operator.ts'
import type { Rules } from '../rules.ts'
import { StepBudget } from '../step-budget.ts'

const NOTHING_AT_ALL: EventView = {
  id: null,
  event: '',
  timestamp: '',
  livemode: true,
  api_version: '',
  data: {},
  context: {},
}

/**
 * Warns of rules that can hold and hardly do what they say: on the event's own id, with integers
 * that doubles round, or expressions that read nothing of the event. Expects validated rules.
 */
export function cautionsOf({ filters, conditions }: Rules): Problem[] {
  const byPath =
    filters === null || Array.isArray(filters)
      ? []
      : Object.entries(filters).flatMap(([field, entry]) =>
          ofComparisons(`filters.${field}`, field, comparisonsOf(entry)),
        )
  const texts = Array.isArray(filters) ? filters : []
  return [
    ...byPath,
    ...texts.flatMap((text, index) => ofExpression(`filters[${index}]`, text)),
    ...(conditions ?? []).flatMap((condition, index) =>
      ofComparisons(`conditions[${index}]`, condition.field, [condition]),
    ),
  ]
}

function ofComparisons(path: string, field: string, comparisons: readonly Comparison[]): Problem[] {
  const numbers = comparisons.flatMap(({ value }) => value)
  return [
    ...(isEventId(namesOf(field)) ? [aboutId(path, field)] : []),
    ...numbers.filter(isRounded).map((number) => aboutRounding(path, String(number))),
  ]
}

function ofExpression(path: string, text: string): Problem[] {
  const compiled = compileExpression(text)
  const parsed = parseExpression(text)
  if (!compiled.ok || !('tree' in parsed)) return []
  const { reads, rule } = compiled.expression
  const id = reads.find(({ names }) => isEventId(names))
  const verdict = rule.holds(NOTHING_AT_ALL, new StepBudget()) ? 'every event' : 'no event'
  return [
    ...(reads.length === 0
      ? [{ path, message: `names no path of the event, so that it holds for ${verdict}` }]
      : []),
    ...(id === undefined ? [] : [aboutId(path, id.names.join('.'))]),
    ...[...integersIn(parsed.tree)].filter(isRounded).map((number) => aboutRounding(path, String(number))),
  ]
}

function aboutId(path: string, field: string): Problem {
  const message = `${field} is the event's own id, which is missing unless the publisher gave one: others are given after matching. For an id in the payload write data.id or data.object.id`
  return { path, message }
}

function aboutRounding(path: string, number: string): Problem {
  const message = `${number} is beyond 2^53, where integers are compared rounded: publish such numbers as texts to tell them apart`
  return { path, message }
}

function* integersIn(node: ASTNode): Generator<unknown> {
  if (node.op === 'value') yield typeof node.args === 'bigint' ? Number(node.args) : null
  for (const part of partsOf(node)) yield* integersIn(part)
}

function isRounded(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
}

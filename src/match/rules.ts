import { z } from 'zod'
import { isRecord } from '../base/json/value.ts'
import type { EventView } from '../model/event-view.ts'
import { compileExpression } from './cel/expression.ts'
import { EXPRESSION_CHARS_MAX } from './cel/parse.ts'
import { type Condition, type ConditionLogic, compileCondition, conditionLogicSchema } from './conditions.ts'
import { compileFilter, type FilterEntry, type Filters } from './filters.ts'
import { EXHAUSTED, STEPS_MAX, type StepBudget } from './step-budget.ts'
import type { Refused, Rule, RuleRefusal, RuleVerdict } from './verdict.ts'

export type { RuleRefusal, RuleVerdict } from './verdict.ts'

/**
 * The demands of a subscription beside the event's type. All filters must hold, and the conditions
 * as their logic says.
 */
export type Rules = {
  filters: Filters | null
  conditions: Condition[] | null
  conditionLogic: ConditionLogic
}

/**
 * Reads stored rules by their shape only: they were validated when saved, and `compileRules` looks
 * again.
 */
export const storedRulesSchema: z.ZodType<Rules> = z.object({
  filters: z
    .custom<Filters>((filters) => typeof filters === 'object')
    .nullable()
    .default(null),
  conditions: z.custom<Condition[]>(Array.isArray).nullable().default(null),
  conditionLogic: conditionLogicSchema.default('AND'),
})

/** Tells whether an event passes. Never throws; bounded by a count of steps, the same for every event. */
export type CompiledRules = (view: EventView) => RuleVerdict

/** A verdict whose refusals are found when they are read. */
class Refusal {
  readonly holds = false
  readonly #find: () => RuleRefusal[]
  #found: RuleRefusal[] | undefined

  constructor(find: () => RuleRefusal[]) {
    this.#find = find
  }

  get refusals(): RuleRefusal[] {
    this.#found ??= this.#find()
    return this.#found
  }
}

type NamedRule = { name: string; rule: Rule }

const HOLDS: RuleVerdict = { holds: true }

/**
 * Compiles rules. Never throws: a stored rule that no longer compiles never holds and says why.
 * Refusals are worked out when they are read, since publishing only needs the verdict.
 */
export function compileRules(rules: Rules): CompiledRules {
  const filters = filterRules(rules.filters)
  const conditions = (rules.conditions ?? []).map((condition, index) =>
    named(`conditions[${index}]`, () => compileCondition(condition)),
  )
  const isAny = rules.conditionLogic === 'OR' && conditions.length > 0
  const required = isAny ? filters : [...filters, ...conditions]
  const alternatives = isAny ? conditions : []
  if (required.length === 0 && !isAny) return () => HOLDS
  return (view) => {
    const budget = { left: STEPS_MAX }
    const passes = allHold(required, view, budget) && (!isAny || !noneHolds(alternatives, view, budget))
    return passes ? HOLDS : new Refusal(() => allRefusals(required, alternatives, view))
  }
}

function filterRules(filters: Filters | null): NamedRule[] {
  if (Array.isArray(filters)) {
    return filters.map((text, index) => named(`filters[${index}]`, () => compileText(text)))
  }
  if (filters !== null && !isRecord(filters)) return [named('filters', () => 'must be an object or a list')]
  return Object.entries<FilterEntry>(filters ?? {}).map(([field, entry]) =>
    named(`filters.${field}`, () => compileFilter(field, entry)),
  )
}

function compileText(text: unknown): Rule | string {
  if (typeof text !== 'string' || text.length > EXPRESSION_CHARS_MAX) return 'must be a CEL expression'
  const compiled = compileExpression(text)
  return compiled.ok ? compiled.expression.rule : compiled.message
}

function named(name: string, compile: () => Rule | string): NamedRule {
  const compiled = compile()
  if (typeof compiled !== 'string') return { name, rule: compiled }
  const refused: Refused = {
    reason: 'not_compiled',
    message: `the stored rule no longer compiles: ${compiled}`,
  }
  return { name, rule: { holds: () => false, explain: () => refused } }
}

function allHold(rules: readonly NamedRule[], view: EventView, budget: StepBudget): boolean {
  for (const { rule } of rules) if (!holds(rule, view, budget)) return false
  return true
}

function noneHolds(rules: readonly NamedRule[], view: EventView, budget: StepBudget): boolean {
  for (const { rule } of rules) if (holds(rule, view, budget)) return false
  return true
}

/** A rule that overflows the stack must not keep the event from all other subscriptions. */
function holds(rule: Rule, view: EventView, budget: StepBudget): boolean {
  try {
    return rule.holds(view, budget)
  } catch {
    return false
  }
}

/** The alternatives' refusals only count when none of them holds. */
function allRefusals(required: readonly NamedRule[], alternatives: readonly NamedRule[], view: EventView) {
  const budget = { left: STEPS_MAX }
  const refusals = refusalsOf(required, view, budget)
  const others = refusalsOf(alternatives, view, budget)
  return others.length < alternatives.length ? refusals : [...refusals, ...others]
}

/** Explains every rule that refuses, each with a budget of its own: finding words takes steps too. */
function refusalsOf(rules: readonly NamedRule[], view: EventView, budget: StepBudget): RuleRefusal[] {
  return rules
    .filter(({ rule }) => !holds(rule, view, budget))
    .map(({ name, rule }) => ({ rule: name, ...explain(rule, view) }))
}

function explain(rule: Rule, view: EventView): Refused {
  try {
    return rule.explain(view, { left: STEPS_MAX }) ?? EXHAUSTED
  } catch {
    return { reason: 'failed', message: 'the event is nested too deeply for this rule' }
  }
}

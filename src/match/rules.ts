import * as z from 'zod'
import { isRecord } from '../base/json/value.ts'
import type { EventView } from '../model/event-view.ts'
import { compileExpression } from './cel/expression.ts'
import { EXPRESSION_CHARS_MAX } from './cel/parse.ts'
import { type Condition, type ConditionLogic, compileCondition, conditionLogicSchema } from './conditions.ts'
import { compileFilter, type FilterEntry, type Filters } from './filters.ts'
import { SharedSteps } from './shared-steps.ts'
import { exhausted, type StepBudget } from './step-budget.ts'
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

/**
 * Tells if an event passes. Never throws; bounded by a count of steps, the same for every event, and
 * by those that all verdicts of a request share.
 */
export type CompiledRules = (view: EventView, shared?: SharedSteps) => RuleVerdict

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
  return (view, shared = new SharedSteps()) => {
    const budget = shared.open()
    const passes = allHold(required, view, budget) && (!isAny || !noneHolds(alternatives, view, budget))
    shared.close(budget)
    if (passes) return HOLDS
    const spent = budget.left < 0 ? exhausted(budget) : null
    return new Refusal(() => allRefusals({ required, alternatives }, { view, shared, spent }))
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

/** An event to explain refusals of; `spent` is the reason where the verdict ran out of steps. */
type Explained = { view: EventView; shared: SharedSteps; spent: Refused | null }

/** The alternatives' refusals only count when none of them holds. */
function allRefusals(
  { required, alternatives }: { required: readonly NamedRule[]; alternatives: readonly NamedRule[] },
  explained: Explained,
): RuleRefusal[] {
  const budget = explained.shared.open()
  const refusals = refusalsOf(required, explained, budget)
  const others = refusalsOf(alternatives, explained, budget)
  explained.shared.close(budget)
  const all = others.length < alternatives.length ? refusals : [...refusals, ...others]
  const { spent } = explained
  if (all.length > 0 || spent === null) return all
  // Some walks are remembered by now, so that rules may hold for which there were no steps before.
  return [...required, ...alternatives].slice(-1).map(({ name }) => ({ rule: name, ...spent }))
}

/** Explains every rule that refuses, each with a budget of its own: finding words takes steps too. */
function refusalsOf(
  rules: readonly NamedRule[],
  { view, shared }: Explained,
  budget: StepBudget,
): RuleRefusal[] {
  return rules
    .filter(({ rule }) => !holds(rule, view, budget))
    .map(({ name, rule }) => ({ rule: name, ...explain(rule, view, shared) }))
}

function explain(rule: Rule, view: EventView, shared: SharedSteps): Refused {
  const budget = shared.open()
  try {
    return rule.explain(view, budget) ?? exhausted(budget)
  } catch {
    return { reason: 'failed', message: 'the event is nested too deeply for this rule' }
  } finally {
    shared.close(budget)
  }
}

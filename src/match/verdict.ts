import type { EventView } from '../model/event-view.ts'

/** Why one rule refused an event. `failed`: it could not be evaluated to the end; `not_compiled`: it can never hold. */
export type RefusalReason = 'missing' | 'wrong_type' | 'not_satisfied' | 'failed' | 'not_compiled'

/** One rule that refused an event: which (`filters.invoice.total`, `filters[1]`, `conditions[0]`), and a sentence why. */
export type RuleRefusal = { rule: string; reason: RefusalReason; message: string }

/** Whether an event passes a subscription's rules; when it does not, every rule that stands in the way. */
export type RuleVerdict = { holds: true } | { holds: false; refusals: RuleRefusal[] }

/** What a refused rule says, before it is known where in the subscription it stands. */
export type Refused = { reason: RefusalReason; message: string }

/** One compiled rule: whether it holds, which is asked for every event, and why not, which hardly anybody asks. */
export type Rule = {
  holds(view: EventView, budget: StepBudget): boolean
  /** Null when the rule holds after all. */
  explain(view: EventView, budget: StepBudget): Refused | null
}

/**
 * Most steps that the rules of one subscription together may take for one event. A step is an element that an operator
 * visits, a node of an expression evaluated for an element, or a hundred characters searched. Counted, since a Worker's
 * clock stands still while it computes; a step takes about 20 ns.
 */
export const STEPS_MAX = 100_000

/** The steps that are left; below zero they are spent. */
export type StepBudget = { left: number }

/** Takes steps from the budget before they are made; false when there are not enough, and then for good. */
export function spend(budget: StepBudget, steps: number): boolean {
  if (budget.left < 0) return false
  budget.left -= steps
  return budget.left >= 0
}

/** What searching a text of so many characters costs, in steps. */
export function stepsOfText(chars: number): number {
  return 1 + Math.floor(chars / 100)
}

/** The refusal of a rule that found the budget spent. */
export const EXHAUSTED: Refused = {
  reason: 'failed',
  message: `the event is too large for the rules: they would take more than ${STEPS_MAX} steps together`,
}

const SHOWN_CHARS_MAX = 100

/** A value in a message: texts cut to 100 characters, lists and objects only named. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (Array.isArray(value))
    return value.length === 1 ? 'a list of 1 element' : `a list of ${value.length} elements`
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** A text cut to 100 characters, never within a surrogate pair. */
export function cut(text: string): string {
  if (text.length <= SHOWN_CHARS_MAX) return text
  return `${text.slice(0, SHOWN_CHARS_MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

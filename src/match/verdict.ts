import type { EventView } from '../model/event-view.ts'
import type { StepBudget } from './step-budget.ts'

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

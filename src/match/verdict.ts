import type { EventView } from '../model/event-view.ts'
import type { StepBudget } from './step-budget.ts'

/**
 * The reason why a rule refused an event. `failed` means that it could not be evaluated to the end,
 * `too_complex` that it ran out of steps, `not_compiled` that it can never hold.
 */
export type RefusalReason =
  | 'missing'
  | 'wrong_type'
  | 'not_satisfied'
  | 'failed'
  | 'too_complex'
  | 'not_compiled'

/** One rule that refused an event, named as `filters.invoice.total`, `filters[1]` or `conditions[0]`. */
export type RuleRefusal = { rule: string; reason: RefusalReason; message: string }

/** The verdict of all rules of a subscription; a refusal lists every rule that stands in the way. */
export type RuleVerdict = { holds: true } | { holds: false; refusals: RuleRefusal[] }

/** A refusal, before it is known where in the subscription its rule stands. */
export type Refused = { reason: RefusalReason; message: string }

/** One compiled rule. `holds` runs for every event; `explain` runs only when a refusal is read. */
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

import type { Refused } from './verdict.ts'

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

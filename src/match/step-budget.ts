import type { Refused } from './verdict.ts'

/**
 * Bounds the steps that all rules of one subscription may take for one event. A step is an element
 * visited, an expression's node evaluated or 100 characters searched; about 20 ns. Steps are
 * counted, not timed: a Worker's clock stands still while it computes.
 */
export const STEPS_MAX = 100_000

/** The steps that are left; below zero they are spent. */
export type StepBudget = { left: number }

/**
 * Takes steps from the budget before they are made; false when there are not enough, and then for
 * good.
 */
export function spend(budget: StepBudget, steps: number): boolean {
  if (budget.left < 0) return false
  budget.left -= steps
  return budget.left >= 0
}

/** The steps that searching a text of so many characters costs. */
export function stepsOfText(chars: number): number {
  return 1 + Math.floor(chars / 100)
}

/** The refusal of a rule that found the budget spent. */
export const EXHAUSTED: Refused = {
  reason: 'failed',
  message: `the event is too large for the rules: they would take more than ${STEPS_MAX} steps together`,
}

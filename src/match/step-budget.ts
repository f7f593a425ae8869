import type { Refused } from './verdict.ts'

/**
 * Bounds the steps that all rules of one subscription may take for one event. Steps are counted,
 * not timed: a Worker's clock stands still while it computes.
 */
export const STEPS_MAX = 100_000

/**
 * Steps that a subscription's rules may always take for one event, however little its request has
 * left: an event must reach subscriptions with simple rules, however much the rules of others cost.
 */
export const STEPS_ALWAYS = 50

/**
 * Prices in steps, measured on large events, where memory is cold: a step is about 20 ns of work.
 * Visiting an element, applying a name to a value and evaluating a part of an expression are 1.
 */
export const PRICE = {
  /** Finding the places where a path may begin, and remembering its values. */
  path: 8,
  /** Finding the values of a path that was walked for the event before. */
  pathAgain: 2,
  /** Times a part of an expression, where it is not repeated for elements: thousands of rules fit in no cache. */
  onceFactor: 2,
  /** Handing one element of a list to an expression. */
  element: 2,
  /** A verdict by itself: it is made for each subscription that might want the event. */
  verdict: 5,
  /** Reading a text as a number, or writing a number as a text. */
  number: 6,
  /** Reading a text as a timestamp. */
  timestamp: 20,
} as const

/** Characters that the engine searches or hashes in one step. */
const SEARCHED_PER_STEP = 100
/** Characters that a loop of ours, or the engine's slower functions, look at in one step. */
const SCANNED_PER_STEP = 16
/** Characters that are compared in one step, at worst those of a narrow text with those of a wide one. */
const COMPARED_PER_STEP = 32

/** More than any rules may take, where there is no request to share steps with. */
export const UNSHARED = 2 ** 30 - 1

/** The steps that one verdict may still take. */
export class StepBudget {
  /** Below zero once there were not enough, and then for good. */
  left: number
  /** True when they ran out because those of the whole request did. */
  isShareSpent = false
  /** The steps that were really walked. */
  walked = 0
  readonly #max: number
  readonly #walkedMax: number

  /** @param walkedMax steps that the request has left; those an earlier verdict walked cost it nothing */
  constructor(max = STEPS_MAX, walkedMax = UNSHARED) {
    this.left = max
    this.#max = max
    this.#walkedMax = walkedMax
  }

  /** The most that can still be spent at once. */
  get affordable(): number {
    return Math.min(this.left, this.#walkedMax - this.walked)
  }

  /** The steps that were counted, those walked before included. */
  get counted(): number {
    return this.#max - this.left
  }

  /** Takes steps before they are made; false when there are not enough. */
  spend(steps: number): boolean {
    return this.#take(steps, steps)
  }

  /**
   * Takes the steps of a walk that was made before, so that a verdict does not depend on what other
   * subscriptions asked.
   */
  spendAgain(steps: number): boolean {
    return this.#take(steps, PRICE.pathAgain)
  }

  #take(steps: number, walked: number): boolean {
    if (this.left < 0) return false
    const isWalkable = this.walked + walked <= this.#walkedMax
    if (steps > this.left || !isWalkable) {
      this.isShareSpent = steps <= this.left
      this.left = -1
      return false
    }
    this.left -= steps
    this.walked += walked
    return true
  }
}

/** The steps of searching or hashing a text of so many characters. */
export function stepsOfText(chars: number): number {
  return 1 + Math.floor(chars / SEARCHED_PER_STEP)
}

/** The steps of looking at each of so many characters. */
export function stepsOfScan(chars: number): number {
  return 1 + Math.floor(chars / SCANNED_PER_STEP)
}

/** The steps of comparing texts that may be equal in so many characters. */
export function stepsOfComparing(chars: number): number {
  return Math.floor(chars / COMPARED_PER_STEP)
}

/** The refusal of a rule that found its budget spent. */
export function exhausted({ isShareSpent }: Pick<StepBudget, 'isShareSpent'>): Refused {
  return isShareSpent ? SHARE_SPENT : RULES_SPENT
}

const RULES_SPENT: Refused = {
  reason: 'too_complex',
  message: `the event is too large for the rules: they would take more than ${STEPS_MAX} steps together`,
}

/** The refusal of a rule for which the budget of the whole request was spent. */
export const SHARE_SPENT: Refused = {
  reason: 'too_complex',
  message: `the budget of the request is spent: the rules of all its subscriptions and events together take too many steps, and these more than the ${STEPS_ALWAYS} that are always there`,
}

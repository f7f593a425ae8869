import { PRICE, STEPS_ALWAYS, STEPS_MAX, StepBudget, UNSHARED } from './step-budget.ts'

/** The steps that the verdicts about one event share, beside each one's own. */
export class SharedSteps {
  /** Verdicts that would have needed more than was left. */
  refused = 0
  /** Steps that the verdicts counted, those of walks that were made before included. */
  counted = 0
  #left: number

  constructor(left = UNSHARED) {
    this.#left = left
  }

  /** Below zero where subscriptions took the steps that they always have. */
  get left(): number {
    return this.#left
  }

  /** Opens the budget of one verdict, which `close` settles. */
  open(stepsMax = STEPS_MAX): StepBudget {
    return new StepBudget(stepsMax, Math.max(this.#left, STEPS_ALWAYS))
  }

  close(budget: StepBudget): void {
    this.#left -= budget.walked + PRICE.verdict
    this.counted += budget.counted
    if (budget.isShareSpent) this.refused++
  }

  /** Lets something be walked that is no verdict, for at most so many steps. */
  walk<T>(stepsMax: number, use: (budget: StepBudget) => T): T {
    const budget = this.open(stepsMax)
    const result = use(budget)
    this.#left -= budget.walked
    return result
  }
}

/**
 * Deals the steps of one request out to its parts, each an equal share of what is left: a part that
 * needs less leaves more to those behind it.
 */
export class RequestSteps {
  /** Steps that were walked so far. */
  walked = 0
  #left: number
  #parts: number

  constructor(steps: number, parts: number) {
    this.#left = steps
    this.#parts = parts
  }

  /** Lets one part use its share. */
  share<T>(use: (shared: SharedSteps) => T): T {
    const granted = Math.max(0, Math.floor(this.#left / Math.max(1, this.#parts--)))
    const shared = new SharedSteps(granted)
    const result = use(shared)
    this.walked += granted - shared.left
    this.#left -= granted - shared.left
    return result
  }
}

import { PRICE, STEPS_ALWAYS, STEPS_MAX, StepBudget, UNSHARED } from './step-budget.ts'

/** Steps after which the verdicts about one event let others have their turn: 10 ms. */
const STEPS_PER_TURN = 500_000

/** The steps that the verdicts about one event share, beside each one's own. */
export class SharedSteps {
  /** Verdicts that would have needed more than was left. */
  refused = 0
  /** Steps that the verdicts counted, those of walks that were made before included. */
  counted = 0
  readonly #granted: number
  #left: number
  #turnWalked = 0

  constructor(left = UNSHARED) {
    this.#granted = left
    this.#left = left
  }

  /** Below zero where subscriptions took the steps that they always have. */
  get left(): number {
    return this.#left
  }

  /** Steps that were walked so far. */
  get walked(): number {
    return this.#granted - this.#left
  }

  /** True once so many steps were walked since it was so last that others should have their turn. */
  takesTurn(): boolean {
    if (this.walked - this.#turnWalked < STEPS_PER_TURN) return false
    this.#turnWalked = this.walked
    return true
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
    const shared = this.open()
    const result = use(shared)
    this.close(shared)
    return result
  }

  /** Opens the share of one part, which `close` settles. */
  open(): SharedSteps {
    return new SharedSteps(Math.max(0, Math.floor(this.#left / Math.max(1, this.#parts--))))
  }

  close({ walked }: SharedSteps): void {
    this.walked += walked
    this.#left -= walked
  }
}

import { RawNumber } from '../../base/json/raw-number.ts'

/** Largest template, in characters of its JSON text. */
export const TEMPLATE_CHARS_MAX = 65_536
/** Deepest nesting of a template. */
export const TEMPLATE_DEPTH_MAX = 20
/** Most leaves (strings, numbers, booleans, nulls) of one template. */
export const TEMPLATE_LEAVES_MAX = 500
/** Deepest nesting of `if`, `for`, `case` and the like in one string. */
export const TAG_DEPTH_MAX = 20
/** Most iterations of all loops of one render together, and most numbers of one range. */
export const ITERATIONS_MAX = 10_000
/** Longest output of one render, in characters beyond the length of the event's own text. */
export const OUTPUT_CHARS_MAX = 1_000_000
/** Most characters, or eighths of a value, that filters, comparisons and variables touch in one render. */
const WORK_MAX = 10_000_000
/** Most steps of evaluation in one render: an output or a comparison takes a few. */
export const STEPS_MAX = 1_000_000

/** The work of a value beside its characters. */
const NODE_WORK = 8
/** Characters compared in the time in which one is copied. */
const COMPARISONS_PER_WORK = 64

/** Work of all renderings of one workspace in one claim, at about 7 ns: 10 s, as much as a claim should take. */
const SHARED_WORK_MAX = 1_500_000_000
/** Work that a rendering may always do, however little is left: 14 ms, a thousand times that of usual templates. */
export const WORK_ALWAYS = 2_000_000
/** The work of one step, in such a sum: measured at 0.3 µs. */
const STEP_WORK = 40

/** Work of one render after which others have their turn: 4 ms, three times that where it walks through lists. */
const WORK_PER_TURN = 500_000

/** The work that the renderings of one workspace in one claim share, beside the bounds of each one. */
export class SharedWork {
  left: number

  constructor(left = SHARED_WORK_MAX) {
    this.left = left
  }
}

/** A render that asks for more than its budget. The message says which bound it met. */
export class BudgetError extends Error {}

/**
 * Counts the work of one render. Nothing is timed: a Worker's clock stands still while it computes.
 * Serves as liquidjs' two limiters, of which the one for time checks nothing.
 */
export class Budget {
  readonly #outputMax: number
  #iterations = 0
  #output = 0
  #work = 0
  #steps = 0
  readonly #shared: SharedWork | null
  readonly #sumMax: number
  #sum = 0
  #turnEndsAt = WORK_PER_TURN

  constructor(eventChars: number, shared: SharedWork | null = null) {
    this.#outputMax = OUTPUT_CHARS_MAX + eventChars
    this.#shared = shared
    this.#sumMax = shared === null ? Number.POSITIVE_INFINITY : Math.max(shared.left, WORK_ALWAYS)
  }

  check(): void {}

  use(count: number): void {
    if (!(count > 0)) return
    this.#work += count
    this.#share(count)
    if (this.#work > WORK_MAX) {
      throw new BudgetError(
        `must do less work: filters and variables handle too much text or too many values`,
      )
    }
  }

  /** Pays for each value that a name is applied to. */
  visit(values: number): void {
    this.use(NODE_WORK * values)
  }

  step(): void {
    this.#share(STEP_WORK)
    if (++this.#steps > STEPS_MAX) {
      throw new BudgetError(`must do less work: it takes more than ${STEPS_MAX} steps`)
    }
  }

  /** True once in each turn's work: then others should go on. */
  endsTurn(): boolean {
    if (this.#sum < this.#turnEndsAt) return false
    this.#turnEndsAt = this.#sum + WORK_PER_TURN
    return true
  }

  iterate(): void {
    if (++this.#iterations > ITERATIONS_MAX) {
      throw new BudgetError(`must loop at most ${ITERATIONS_MAX} times in all`)
    }
  }

  emit(chars: number): void {
    this.#output += chars
    if (this.#output > this.#outputMax) {
      throw new BudgetError(`must give at most ${OUTPUT_CHARS_MAX} characters more than the event has`)
    }
  }

  /**
   * Pays for walking a value before it is walked, and returns the price: lists that hold the same
   * list again and again are small in memory and endless to walk.
   */
  weigh(value: unknown): number {
    const price = typeof value === 'string' ? value.length + NODE_WORK : NODE_WORK
    this.use(price)
    if (typeof value !== 'object' || value === null || value instanceof RawNumber) return price
    let total = price
    if (Array.isArray(value)) {
      for (const element of value) total += this.weigh(element)
      return total
    }
    for (const [name, member] of Object.entries(value)) {
      // Names are printed too, and one may be as long as the event.
      this.use(name.length)
      total += name.length + this.weigh(member)
    }
    return total
  }

  /** Pays for a search: the engine's own compares up to the whole needle at every place. */
  search(text: unknown, needle: unknown): void {
    this.use((this.weigh(text) * this.weigh(needle)) / COMPARISONS_PER_WORK)
  }

  #share(work: number): void {
    this.#sum += work
    if (this.#shared !== null) this.#shared.left -= work
    if (this.#sum > this.#sumMax) {
      throw new BudgetError('must do less work: this and other templates of its claim take too much together')
    }
  }
}

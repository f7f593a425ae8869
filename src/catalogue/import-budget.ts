import type { Problem } from '../model/errors.ts'
import { exampleProblems } from './catalogue.ts'
import { CHECK_STEPS_MAX } from './schema/check.ts'

/**
 * Parts of schemas and examples that one import may read: a part is a value, or two characters of a
 * text, so at least two bytes. A part that many webhooks refer to counts for each that needs a copy.
 * Twice what a catalogue holds; each takes about half a microsecond, its schema's check included.
 */
const PARTS_MAX = 4_000_000
/** Steps that all checks of an import's examples may take, each about a microsecond. */
const CHECK_STEPS_PER_IMPORT_MAX = 5 * CHECK_STEPS_MAX

/** A check's step takes as long as so many parts. */
const PARTS_PER_CHECK_STEP = 2
/** Work after which others have their turn, in parts: 10 ms. */
const PARTS_PER_TURN = 20_000

/** Said of a type for which an import has nothing left. */
export const IMPORT_SPENT = 'the import takes too much work: import it by itself'

/** The work of one import, be it a list of types or a document. */
export class ImportBudget {
  #parts = PARTS_MAX
  #checkSteps = CHECK_STEPS_PER_IMPORT_MAX
  #turnLeft = PARTS_PER_TURN

  get isSpent(): boolean {
    return this.#parts <= 0
  }

  /** Pays for parts that were read. */
  read(parts: number): void {
    this.#parts -= parts
    this.#turnLeft -= parts
  }

  /** True once so much was done since it was so last that others should have their turn. */
  takesTurn(): boolean {
    if (this.#turnLeft > 0) return false
    this.#turnLeft = PARTS_PER_TURN
    return true
  }

  /** Finds where an example does not match its schema; one that is too much for the budget does not. */
  exampleProblems(schema: unknown, example: unknown): Problem[] {
    const allowed = Math.max(0, Math.min(this.#checkSteps, CHECK_STEPS_MAX))
    const budget = { steps: allowed }
    const problems = exampleProblems(schema, example, budget)
    const taken = allowed - Math.max(0, budget.steps)
    this.#checkSteps -= taken
    this.#turnLeft -= PARTS_PER_CHECK_STEP * taken
    return problems
  }
}

/** Counts the parts of a value, and stops beyond `most`. */
export function countParts(value: unknown, most: number): number {
  if (typeof value === 'string') return 1 + (value.length >> 1)
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  if (Array.isArray(value)) {
    for (const element of value) {
      if (count > most) return count
      count += countParts(element, most - count)
    }
    return count
  }
  // Not a list of its members, which may be long: the walk may end at the first.
  for (const name in value) {
    if (count > most) return count
    count += (name.length >> 1) + countParts(Reflect.get(value, name), most - count)
  }
  return count
}

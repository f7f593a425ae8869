import { shown } from '../verdict.ts'
import { type Code, type Run, SPENT, Trouble } from './values.ts'

/** Visits one element; undefined goes on, any other value ends the comprehension with that value. */
type Visit = (run: Run) => unknown

/**
 * Compiles `exists`, `all`, `exists_one`, `filter` or `map`. Over an object it visits the members'
 * names. As in CEL, trouble with one element does not matter to `exists` and `all` once another
 * element decides.
 *
 * @param stepsEach the steps that one element costs
 */
export function comprehension(name: string, range: Code, parts: readonly Code[], stepsEach: number): Code {
  return (run) => {
    const elements = elementsOf(range(run), run)
    if (elements instanceof Trouble) return elements
    const { visit, end } = fold(name, parts)
    const outer = run.element
    for (const element of elements) {
      if (!run.budget.spend(stepsEach)) return SPENT
      run.element = element
      const done = visit(run)
      if (done !== undefined) {
        run.element = outer
        return done
      }
    }
    run.element = outer
    return end()
  }
}

function elementsOf(range: unknown, run: Run): readonly unknown[] | Trouble {
  if (Array.isArray(range) || range instanceof Trouble) return range
  if (typeof range !== 'object' || range === null || range instanceof Date)
    return new Trouble('wrong_type', () => `${shown(range)} is neither a list nor an object`)
  // Names cannot be counted before they are listed: one object may overdraw the budget once.
  if (!run.budget.spend(0)) return SPENT
  const names = Object.keys(range)
  return run.budget.spend(names.length) ? names : SPENT
}

function fold(name: string, [first, second]: readonly Code[]): { visit: Visit; end: () => unknown } {
  const predicate = first ?? (() => true)
  switch (name) {
    case 'exists':
      return quantifier(predicate, true)
    case 'all':
      return quantifier(predicate, false)
    case 'exists_one': {
      let count = 0
      return { visit: when(predicate, () => void count++), end: () => count === 1 }
    }
    default: {
      const values: unknown[] = []
      const transform = name === 'filter' ? (run: Run) => run.element : (second ?? predicate)
      const add: Visit = (run) => {
        const value = transform(run)
        if (value instanceof Trouble) return value
        values.push(value)
        return undefined
      }
      const isPlainMap = name === 'map' && second === undefined
      return { visit: isPlainMap ? add : when(predicate, add), end: () => values }
    }
  }
}

function quantifier(predicate: Code, deciding: boolean): { visit: Visit; end: () => unknown } {
  let trouble: Trouble | null = null
  const visit: Visit = (run) => {
    const value = booleanOf(predicate(run))
    if (value instanceof Trouble) trouble ??= value
    else if (value === deciding) return deciding
    return undefined
  }
  return { visit, end: () => trouble ?? !deciding }
}

/** Visits the elements for which a predicate holds; trouble with the predicate ends the walk. */
function when(predicate: Code, visit: Visit): Visit {
  return (run) => {
    const value = booleanOf(predicate(run))
    if (value === true) return visit(run)
    return value === false ? undefined : value
  }
}

function booleanOf(value: unknown): boolean | Trouble {
  if (typeof value === 'boolean' || value instanceof Trouble) return value
  return new Trouble('wrong_type', () => `${shown(value)} is neither true nor false`)
}

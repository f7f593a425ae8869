import { BoundedMap } from './concurrency/bounded-map.ts'

/** Longer texts are rare, and would make the bound by number say little of the memory. */
const CHARS_MAX = 1_000

/**
 * Makes a pure function of short texts that is not computed again for the newest `max` of them. Callers share the
 * results, which must not be changed.
 */
export function remembered<Result>(max: number, compute: (text: string) => Result): (text: string) => Result {
  const results = new BoundedMap<string, { result: Result }>(max)
  return (text) => {
    const known = results.peek(text)
    if (known !== undefined) return known.result
    const result = compute(text)
    if (text.length <= CHARS_MAX) results.set(text, { result })
    return result
  }
}

import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Set by `npm run proof`; see vitest.config.ts. */
    isFullCount: boolean
  }
}

/** Tells a proof, which runs every case, from `npm test`, which runs some of every kind. */
export const isFullCount: boolean = inject('isFullCount')

/** How often to repeat, or how long to last: in full in a proof. */
export function atFullCount<T>(full: T, { short }: { short: T }): T {
  return isFullCount ? full : short
}

/** A read changes nothing: one whose answer is lost is one that fails. */
const isRead = (name: string) => /^(D1 SELECT|R2: (get|list)$)/.test(name)

/**
 * The calls of a scenario that are to fail, by name and number: every single one in a proof, else one of each name. It is
 * the first one where the call does not take place, the last one where its answer is lost, and then none that only reads.
 */
export function callsToFail(
  names: readonly string[],
  mode: 'before' | 'after',
): { name: string; k: number }[] {
  const calls = names.map((name, k) => ({ name, k }))
  if (isFullCount) return calls
  return mode === 'before'
    ? calls.filter(({ name, k }) => names.indexOf(name) === k)
    : calls.filter(({ name, k }) => names.lastIndexOf(name) === k && !isRead(name))
}

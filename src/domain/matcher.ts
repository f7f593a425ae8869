import { patternMatches } from './event-type.ts'

/** What matching needs to know of one subscription. */
export type Matchable = { no: number; active: boolean; events: readonly string[] }

/**
 * A compiled set of subscriptions: answers which of them want an event type. Exact types and prefixes are looked up
 * in maps, so the cost grows with the type's segments and the matches, not with the number of subscriptions.
 */
export type Matcher = (type: string) => readonly number[]

/**
 * Compiles subscriptions into a matcher. Its answers hold subscription numbers in ascending order, each once;
 * a subscription that wants the event but is disabled is given as its negative number.
 */
export function compileMatcher(subscriptions: readonly Matchable[]): Matcher {
  const byStem = new Map<string, number[]>()
  for (const subscription of [...subscriptions].sort((a, b) => a.no - b.no)) {
    const signedNo = subscription.active ? subscription.no : -subscription.no
    for (const pattern of new Set(subscription.events)) push(byStem, pattern, signedNo)
  }
  return (type) => lookUp(byStem, type)
}

function push(byStem: Map<string, number[]>, pattern: string, signedNo: number): void {
  const list = byStem.get(pattern)
  if (list === undefined) byStem.set(pattern, [signedNo])
  else list.push(signedNo)
}

function lookUp(byStem: Map<string, number[]>, type: string): readonly number[] {
  const lists: number[][] = []
  const add = (pattern: string) => {
    const list = byStem.get(pattern)
    if (list !== undefined && patternMatches(pattern, type)) lists.push(list)
  }
  add('*')
  add(type)
  for (let dot = type.indexOf('.'); dot !== -1; dot = type.indexOf('.', dot + 1))
    add(`${type.slice(0, dot)}.*`)
  const [first] = lists
  if (first === undefined) return []
  if (lists.length === 1) return first
  return [...new Set(lists.flat())].sort((a, b) => Math.abs(a) - Math.abs(b))
}

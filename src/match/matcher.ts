import { atOnce } from '../base/concurrency/yielder.ts'
import { patternMatches } from '../model/event-type.ts'
import type { EventView } from '../model/event-view.ts'
import type { CompiledRules } from './rules.ts'
import { SharedSteps } from './shared-steps.ts'
import { compileValueIndex, type RequiredValue, type Requiring, type ValueIndex } from './value-index.ts'

/** A subscription as matching needs it. */
export type Matchable = { no: number; active: boolean; events: readonly string[]; narrowed: Narrowed | null }

/** The demands of a subscription beside the event's type; null members demand nothing. */
export type Narrowed = {
  livemode: boolean | null
  apiVersion: string | null
  rules: CompiledRules | null
  /** The values that `rules` require; they lead to the subscription without asking its rules. */
  required?: readonly RequiredValue[]
}

/** An event to match; `view` is called at most once, and only when a rule must look inside. */
export type Matched = { type: string; livemode: boolean; apiVersion: string; view: () => EventView }

/**
 * Answers which subscriptions want an event. Types, prefixes and required values are looked up in
 * maps, so the cost grows with the type's segments, the paths that rules name and the candidates,
 * not with the number of subscriptions. A subscription whose rules run out of steps does not want it;
 * `shared` are those that all rules have together for this event.
 */
export type Matcher = {
  (event: Matched, shared?: SharedSteps): readonly number[]
  /** The same in pieces of bounded work, between which others may have their turn. */
  inTurns: (event: Matched, shared?: SharedSteps) => Generator<void, readonly number[], void>
}

/** Bounds the memory that the index takes for one subscription: its patterns times its values. */
const INDEX_ENTRIES_MAX = 64

/** The subscriptions that name one pattern: those that have to be asked, and an index of the others. */
type Stem = { asked: number[]; index: ValueIndex | null }

/**
 * Compiles subscriptions into a matcher. Its answers hold subscription numbers in ascending order,
 * each once; a subscription that wants the event but is disabled is given as its negative number.
 */
export function compileMatcher(subscriptions: readonly Matchable[]): Matcher {
  const members = new Map<string, Requiring[]>()
  const narrowed = new Map<number, Narrowed>()
  for (const subscription of [...subscriptions].sort((a, b) => a.no - b.no)) {
    const signedNo = subscription.active ? subscription.no : -subscription.no
    const patterns = new Set(subscription.events)
    const member = { signedNo, required: indexable(subscription.narrowed?.required ?? [], patterns.size) }
    for (const pattern of patterns) push(members, pattern, member)
    if (subscription.narrowed !== null) narrowed.set(signedNo, subscription.narrowed)
  }
  const stems = new Map([...members].map(([pattern, list]) => [pattern, stemOf(list)]))
  function* inTurns(event: Matched, shared = new SharedSteps()) {
    let known: EventView | undefined
    const view = () => {
      known ??= event.view()
      return known
    }
    const candidates = lookUp(stems, event.type, (index) => index(view(), shared))
    if (narrowed.size === 0) return candidates
    const wanted: number[] = []
    for (const signedNo of candidates) {
      const asked = narrowed.get(signedNo)
      if (asked === undefined || isWanted(asked, event, (rules) => rules(view(), shared).holds))
        wanted.push(signedNo)
      if (shared.takesTurn()) yield
    }
    return wanted
  }
  return Object.assign((event: Matched, shared?: SharedSteps) => atOnce(inTurns(event, shared)), { inTurns })
}

function isWanted(asked: Narrowed, event: Matched, holds: (rules: CompiledRules) => boolean): boolean {
  const { livemode, apiVersion, rules } = asked
  if (livemode !== null && livemode !== event.livemode) return false
  if (apiVersion !== null && apiVersion !== event.apiVersion) return false
  return rules === null || holds(rules)
}

function indexable(required: readonly RequiredValue[], patterns: number): RequiredValue[] {
  return required.filter(({ values }) => values.length * patterns <= INDEX_ENTRIES_MAX)
}

function stemOf(members: readonly Requiring[]): Stem {
  const requiring = members.filter(({ required }) => required.length > 0)
  return {
    asked: members.filter(({ required }) => required.length === 0).map(({ signedNo }) => signedNo),
    index: requiring.length === 0 ? null : compileValueIndex(requiring),
  }
}

function push(members: Map<string, Requiring[]>, pattern: string, member: Requiring): void {
  const list = members.get(pattern)
  if (list === undefined) members.set(pattern, [member])
  else list.push(member)
}

function lookUp(
  stems: ReadonlyMap<string, Stem>,
  type: string,
  ask: (index: ValueIndex) => readonly (readonly number[])[],
): readonly number[] {
  const lists: (readonly number[])[] = []
  const add = (pattern: string) => {
    const stem = stems.get(pattern)
    if (stem === undefined || !patternMatches(pattern, type)) return
    if (stem.asked.length > 0) lists.push(stem.asked)
    if (stem.index !== null) lists.push(...ask(stem.index))
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

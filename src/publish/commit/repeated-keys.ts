import type { Prepared, PublishOutcome } from '../prepared-event.ts'

/**
 * Splits off the events of one request that name a key again: its first event decides about them.
 */
export function splitRepeatedKeys(items: readonly Prepared[]): { firsts: Prepared[]; repeats: Prepared[] } {
  const seen = new Set<string>()
  const firsts: Prepared[] = []
  const repeats: Prepared[] = []
  for (const item of items) {
    const isRepeat = item.event.keys.some((key) => seen.has(key))
    for (const key of item.event.keys) seen.add(key)
    const kind = isRepeat ? repeats : firsts
    kind.push(item)
  }
  return { firsts, repeats }
}

/**
 * The outcome of an event that names the key of one of `firsts`: a duplicate, or a conflict. Null
 * while that one has none.
 */
export function outcomeOfRepeat(
  { event }: Prepared,
  firsts: readonly Prepared[],
  outcomes: ReadonlyMap<number, PublishOutcome>,
): PublishOutcome | null {
  const first = firsts.find((other) => other.event.keys.some((key) => event.keys.includes(key)))
  const outcome = first === undefined ? undefined : outcomes.get(first.at)
  if (first === undefined || outcome === undefined) return null
  if (outcome.kind !== 'accepted' && outcome.kind !== 'duplicate') return null
  if (first.event.hash === event.hash) return { kind: 'duplicate', id: outcome.id, matched: outcome.matched }
  const isOwnId = first.event.ownId !== null && first.event.ownId === event.ownId
  return { kind: 'conflict', key: isOwnId ? 'id' : 'Idempotency-Key' }
}

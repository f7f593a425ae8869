/** The `Idempotency-Key` of a request that publishes several events, as one row holds it for all of them. */
export type RequestKey = {
  /** The row's key. A slash keeps it apart from all that a caller can choose. */
  key: string
  /** What was published at each place of the request. */
  contents: string
}

/** The place of an event in a request that has one key for all. */
export type RequestPlace = { key: string; at: number }

/** An event that may share a key with others. */
type Sharing = { hash: string | null; ownId: string | null; request?: RequestPlace | null }

/** An event that a request's row names: its content's hash, and how many of the row's events come before it. */
type Named = { hash: string; index: number }

/** Characters of a content's hash that are kept of it: 96 bits. */
export const KEPT_HASH_CHARS = 16
/** What stands at the places of a request whose events were refused, in place of a hash: no base64 has dots. */
export const NO_CONTENT = '.'
const BLANK = NO_CONTENT.repeat(KEPT_HASH_CHARS)

/** Fewer events have a row each: the statements of a request's own row would cost more. */
const EVENTS_MIN = 4

/** The name of the row of a request's key. */
export function requestRowKey(idempotencyKey: string): string {
  return `k:${idempotencyKey}/`
}

/** The key that all of some events can share; null for events that are to have keys of their own. */
export function sharedKey(events: readonly Sharing[]): RequestKey | null {
  const key = events[0]?.request?.key
  if (key === undefined || events.length < EVENTS_MIN) return null
  const contents: string[] = []
  for (const { request, hash, ownId } of events) {
    // An own id is a key beside it, by which each event alone is accepted or not.
    if (request == null || request.key !== key || hash === null || ownId !== null) return null
    while (contents.length < request.at) contents.push(BLANK)
    contents.push(hash.slice(0, KEPT_HASH_CHARS))
  }
  return { key, contents: contents.join('') }
}

/** The events that a row names, by their places; null at a place without one. */
export function namedEvents(contents: string): (Named | null)[] {
  const named: (Named | null)[] = []
  let index = 0
  for (let at = 0; at < contents.length; at += KEPT_HASH_CHARS) {
    const hash = contents.slice(at, at + KEPT_HASH_CHARS)
    named.push(hash === BLANK ? null : { hash, index: index++ })
  }
  return named
}

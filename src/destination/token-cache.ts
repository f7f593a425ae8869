import type { IssuedToken, TokenAnswer } from './token-request.ts'

/** Most subscriptions whose tokens an isolate keeps. */
const ENTRIES_MAX = 2_000

type Held = IssuedToken & { version: number; renewedAtMs: number | null }
export type Flight = { sinceMs: number; answer: Promise<TokenAnswer> }

/** A map that forgets its oldest entry rather than grow beyond bounds. */
class BoundedMap<V> extends Map<number, V> {
  override set(key: number, value: V): this {
    const [oldest] = this.keys()
    if (this.size >= ENTRIES_MAX && !this.has(key) && oldest !== undefined) this.delete(oldest)
    return super.set(key, value)
  }
}

/** The tokens of one isolate by subscription: those it holds, recent failures, requests under way. */
export class TokenCache {
  readonly held = new BoundedMap<Held>()
  readonly failures = new BoundedMap<{ version: number; untilMs: number; message: string }>()
  readonly signed = new BoundedMap<{ version: number; untilMs: number; token: string }>()
  /** Requests under way by subscription and version; renewals of a refused token have keys of their own. */
  readonly flights = new Map<string, Flight>()
}

import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import type { IssuedToken, TokenAnswer } from './token-request.ts'

/** Most subscriptions whose tokens an isolate keeps. */
const ENTRIES_MAX = 2_000

type Held = IssuedToken & { version: number; renewedAtMs: number | null }
type Failure = { version: number; untilMs: number; message: string }
type SignedToken = { version: number; untilMs: number; token: string }
export type Flight = { sinceMs: number; answer: Promise<TokenAnswer> }

/** The tokens of one isolate by subscription: those it holds, recent failures, requests under way. */
export class TokenCache {
  readonly held = new BoundedMap<number, Held>(ENTRIES_MAX)
  readonly failures = new BoundedMap<number, Failure>(ENTRIES_MAX)
  readonly signed = new BoundedMap<number, SignedToken>(ENTRIES_MAX)
  /** Requests under way by subscription and version; renewals of a refused token have keys of their own. */
  readonly flights = new Map<string, Flight>()
}

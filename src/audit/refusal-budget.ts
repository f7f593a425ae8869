import { BoundedMap } from '../base/concurrency/bounded-map.ts'

const SUBJECTS_MAX = 1_000
const MINUTE_MS = 60_000

/** Rows that are written at once, and how many of them come back a minute. */
export type Bounds = { burst: number; perMinute: number }

type Budget = { left: number; sinceMs: number; omitted: number }

/**
 * Bounds what refused calls write, per subject and isolate: who is refused costs nothing to send, and must not fill the
 * database. What is left out is counted, and the next row says how much it was.
 */
export class RefusalBudget {
  readonly #bounds: Bounds
  readonly #budgets = new BoundedMap<string, Budget>(SUBJECTS_MAX)

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Takes the place of one row, and answers how many were left out before it; null where there is none. */
  take(subject: string, nowMs: number): number | null {
    const { burst, perMinute } = this.#bounds
    const budget = this.#budgets.get(subject) ?? { left: burst, sinceMs: nowMs, omitted: 0 }
    const earned = Math.floor(((nowMs - budget.sinceMs) * perMinute) / MINUTE_MS)
    const left = Math.min(burst, budget.left + earned)
    const sinceMs = earned > 0 ? nowMs : budget.sinceMs
    const isTaken = left > 0
    this.#budgets.set(subject, {
      left: isTaken ? left - 1 : 0,
      sinceMs,
      omitted: isTaken ? 0 : budget.omitted + 1,
    })
    return isTaken ? budget.omitted : null
  }

  /** Counts as left out what another bound has counted before it was taken here in vain. */
  omit(subject: string, count: number): void {
    const budget = this.#budgets.get(subject)
    if (budget !== undefined) this.#budgets.set(subject, { ...budget, omitted: budget.omitted + count })
  }
}

/** Refusals of one log. */
const OF_LOG: Bounds = { burst: 30, perMinute: 30 }
/** Keys that are not valid: of one of them, and of all of a workspace. */
const OF_FAILED_KEY: Bounds = { burst: 1, perMinute: 1 }
const OF_FAILED_KEYS: Bounds = { burst: 10, perMinute: 2 }

/**
 * The budgets of one isolate. Keys that are not valid have their own: who knows the id of a key can try it as often as
 * they like, and must neither fill a workspace's log nor keep the refusals of its members out of it.
 */
export class RefusalBudgets {
  readonly #ofLog = new RefusalBudget(OF_LOG)
  readonly #ofFailedKey = new RefusalBudget(OF_FAILED_KEY)
  readonly #ofFailedKeys = new RefusalBudget(OF_FAILED_KEYS)

  /** Takes the place of a refusal in a log, as `RefusalBudget.take` does. */
  take(chain: string, nowMs: number): number | null {
    return this.#ofLog.take(chain, nowMs)
  }

  /** The same for a key that is not valid: a row a minute for each, which says how often it was tried since. */
  takeFailedKey(chain: string, keyId: string, nowMs: number): number | null {
    const ofKey = this.#ofFailedKey.take(keyId, nowMs)
    if (ofKey === null) return null
    const ofAll = this.#ofFailedKeys.take(chain, nowMs)
    if (ofAll !== null) return ofKey + ofAll
    this.#ofFailedKeys.omit(chain, ofKey)
    return null
  }
}

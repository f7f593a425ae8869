import { BoundedMap } from '../base/concurrency/bounded-map.ts'

const CHAINS_MAX = 1_000
/** Refusals that are written at once, and how many of them come back a minute. */
const BURST = 30

type Budget = { left: number; sinceMs: number; omitted: number }

/**
 * Bounds what refused calls write, per chain and isolate: who is refused costs nothing to send, and must not fill the
 * database. What is left out is counted, and the next row says how much it was.
 */
export class RefusalBudget {
  readonly #budgets = new BoundedMap<string, Budget>(CHAINS_MAX)

  /** Takes the place of one row, and answers how many were left out before it; null where there is none. */
  take(chain: string, nowMs: number): number | null {
    const budget = this.#budgets.get(chain) ?? { left: BURST, sinceMs: nowMs, omitted: 0 }
    const earned = Math.floor(((nowMs - budget.sinceMs) * BURST) / 60_000)
    const left = Math.min(BURST, budget.left + earned)
    const sinceMs = earned > 0 ? nowMs : budget.sinceMs
    const isTaken = left > 0
    this.#budgets.set(chain, {
      left: isTaken ? left - 1 : 0,
      sinceMs,
      omitted: isTaken ? 0 : budget.omitted + 1,
    })
    return isTaken ? budget.omitted : null
  }
}

import type { SlotCounts } from './slots.ts'

/** Seconds over which all isolates' use is compared with the limit. */
const WINDOWS_SECONDS = [2, 4] as const
const LONGEST_WINDOW_SECONDS = 4
/** An isolate that has not reported for so long is not used. */
const SILENT_SECONDS = 4
const KEPT_SECONDS = SILENT_SECONDS + LONGEST_WINDOW_SECONDS + 2
/** The least that an isolate is given of what is due to it, while others still have it. */
const LEAST_PART = 0.25

/** What an isolate has used, by the second; every second up to one is complete. */
type Used = { slots: Map<number, number>; completeUntil: number }

/**
 * The use of one rate over all isolates. As long as it stays within the limit each may use all of it;
 * beyond, the limit is shared as the uses are. Counts are of whole seconds, so that who never exceeds
 * the limit in any second is never shared.
 */
export class SharedRate {
  readonly #byIsolate = new Map<string, Used>()
  /** The parts given out last, of isolates that share. */
  readonly #shares = new Map<string, number>()

  /** Takes an isolate's counts; the same counts again change nothing. */
  report(isolate: string, counts: SlotCounts, nowSecond: number): void {
    const slots = this.#byIsolate.get(isolate)?.slots ?? new Map<number, number>()
    for (const [second, count] of counts) slots.set(second, count)
    this.#byIsolate.set(isolate, { slots, completeUntil: nowSecond - 1 })
    this.#forget(nowSecond - KEPT_SECONDS)
  }

  /** The part of the limit that an isolate may use, 0-1. */
  shareOf(isolate: string, limit: number, nowSecond: number): number {
    const last = this.#lastComplete(nowSecond)
    if (!WINDOWS_SECONDS.some((seconds) => this.#total(last, seconds) > limit * seconds)) {
      this.#shares.delete(isolate)
      return 1
    }
    const total = this.#total(last, LONGEST_WINDOW_SECONDS)
    const own = this.#usedBy(isolate, last, LONGEST_WINDOW_SECONDS)
    // One that has just begun has no use to be compared yet.
    const due = own > 0 ? own / total : 1 / (this.#byIsolate.size + 1)
    const share = Math.max(LEAST_PART * due, Math.min(due, this.#leftBeside(isolate, last)))
    this.#shares.set(isolate, share)
    return share
  }

  /** The newest second that every isolate in use has reported. */
  #lastComplete(nowSecond: number): number {
    const complete = [...this.#byIsolate.values()].map(({ completeUntil }) => completeUntil)
    return Math.min(nowSecond - 1, ...complete.filter((second) => second >= nowSecond - SILENT_SECONDS))
  }

  /** The part that the others have not been given. They learn of another one with their next report. */
  #leftBeside(isolate: string, last: number): number {
    let left = 1
    for (const [id, share] of this.#shares) {
      if (id !== isolate && this.#usedBy(id, last, LONGEST_WINDOW_SECONDS) > 0) left -= share
    }
    return left
  }

  #total(last: number, seconds: number): number {
    let total = 0
    for (const isolate of this.#byIsolate.keys()) total += this.#usedBy(isolate, last, seconds)
    return total
  }

  #usedBy(isolate: string, last: number, seconds: number): number {
    const slots = this.#byIsolate.get(isolate)?.slots
    let used = 0
    for (let second = last - seconds + 1; second <= last; second++) used += slots?.get(second) ?? 0
    return used
  }

  #forget(untilSecond: number): void {
    for (const [isolate, { slots, completeUntil }] of this.#byIsolate) {
      for (const second of slots.keys()) if (second <= untilSecond) slots.delete(second)
      if (slots.size > 0 || completeUntil > untilSecond) continue
      this.#byIsolate.delete(isolate)
      this.#shares.delete(isolate)
    }
  }
}

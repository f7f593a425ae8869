/** When requests may start: `requests` of them, from `firstAtMs` on, `everyMs` apart (0: all at once). */
export type StartTimes = { requests: number; firstAtMs: number; everyMs: number }

/** How much later than its time a request may start: more would bunch requests that are to be apart. */
const LATE_MS = 250

/** Lets requests start at the times that a pacer has granted, each time once; those that pass unused are lost. */
export class StartGate {
  readonly #times: StartTimes
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  #next = 0
  #used = 0

  constructor(times: StartTimes, now: () => number, sleep: (ms: number) => Promise<void>) {
    this.#times = times
    this.#now = now
    this.#sleep = sleep
  }

  /** Requests that have been let through. */
  get used(): number {
    return this.#used
  }

  /** Requests that may still be let through: the times that have passed are lost. */
  get left(): number {
    return Math.max(0, this.#times.requests - this.#soonest())
  }

  /** Waits for the next time; false when none is left. */
  async pass(): Promise<boolean> {
    const { requests, firstAtMs, everyMs } = this.#times
    for (;;) {
      this.#next = this.#soonest()
      if (this.#next >= requests) return false
      const atMs = firstAtMs + this.#next++ * everyMs
      const waitMs = atMs - this.#now()
      if (waitMs > 0) await this.#sleep(waitMs)
      // All who slept wake up at once when the process has been held up.
      if (everyMs > 0 && this.#now() - atMs > LATE_MS) continue
      this.#used++
      return true
    }
  }

  #soonest(): number {
    const { firstAtMs, everyMs } = this.#times
    if (everyMs === 0) return this.#next
    return Math.max(this.#next, Math.ceil((this.#now() - LATE_MS - firstAtMs) / everyMs))
  }
}

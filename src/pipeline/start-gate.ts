/** When requests may start: `requests` of them, from `firstAtMs` on, `everyMs` apart (0: all at once). */
export type StartTimes = { requests: number; firstAtMs: number; everyMs: number }

/**
 * How much later than its time a request may start: more would bunch requests that are to be apart, less would lose the
 * times that pass while a claim is made. Between these bounds it is the time between two requests.
 */
const LATE_MS_MIN = 200
const LATE_MS_MAX = 1_000

/** A request that has been let through: asked again when it can start, it says whether it still may. */
export type Pass = () => boolean

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

  /** Waits for the next time; null when none is left. */
  async pass(): Promise<Pass | null> {
    const { requests, firstAtMs, everyMs } = this.#times
    for (;;) {
      this.#next = this.#soonest()
      if (this.#next >= requests) return null
      const atMs = firstAtMs + this.#next++ * everyMs
      const waitMs = atMs - this.#now()
      if (waitMs > 0) await this.#sleep(waitMs)
      // All who slept wake up at once when the process has been held up.
      const isInTime = () => this.#now() - atMs <= this.#lateMs
      if (!isInTime()) continue
      this.#used++
      return isInTime
    }
  }

  #soonest(): number {
    const { firstAtMs, everyMs } = this.#times
    if (everyMs === 0) return this.#next
    return Math.max(this.#next, Math.ceil((this.#now() - this.#lateMs - firstAtMs) / everyMs))
  }

  get #lateMs(): number {
    const { everyMs } = this.#times
    if (everyMs === 0) return Number.POSITIVE_INFINITY
    return Math.min(Math.max(everyMs, LATE_MS_MIN), LATE_MS_MAX)
  }
}

/** The starts of a grant: `requests` of them, from `firstAtMs` on, `everyMs` apart (0: all at once). */
export type GrantTimes = {
  requests: number
  firstAtMs: number
  everyMs: number
  /** At most so many requests at once; null: any number. */
  permits?: number | null
  /** No request starts after this time. */
  untilMs?: number
  /** The gate stalls when no permit was released for so long; left out: never. */
  stallMs?: number
}

/**
 * Bounds of the lateness of a start; between them it is the time between two requests. More would bunch
 * requests that are to be apart, less would lose the times that pass while a claim is made.
 */
const LATE_MS_MIN = 200
const LATE_MS_MAX = 1_000

/** Leave for one request. */
export type Permit = {
  /** To be called right before the start; false when its time has passed. */
  isInTime: () => boolean
  /** To be called once, when the request has ended or does not start. */
  release: () => void
}

/**
 * Admits requests at the times that a pacer has granted, each time once, as far as permits are free.
 *
 * - open: `admit` waits for a permit, then for the next time; times that pass unused are lost.
 * - stalled: from open when, while requests wait, none has ended for `stallMs` or `untilMs` has passed.
 *   Those that wait are refused and `left` is 0; a permit that is released still admits a newcomer.
 * - closed: after `untilMs`, and when all times are given out or lost. `admit` answers null.
 *
 * Any delivery may call `admit` at any time, and must release its permit once; `drained` never rejects.
 */
export class GrantGate {
  readonly #times: GrantTimes
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  #next = 0
  #used = 0
  #running = 0
  /** Calls of `admit` without an answer. */
  #asking = 0
  readonly #forPermit: ((isAdmitted: boolean) => void)[] = []
  /** The time at which a permit was last taken or released. */
  #movedAtMs = 0
  #isWatching = false
  #isStalled = false
  #onDrained: (() => void)[] = []

  constructor(times: GrantTimes, now: () => number, sleep: (ms: number) => Promise<void>) {
    this.#times = times
    this.#now = now
    this.#sleep = sleep
  }

  /** Requests that were admitted, also those that have ended. */
  get used(): number {
    return this.#used
  }

  /** Requests that may still be admitted. */
  get left(): number {
    return this.#isClosed() || this.#isStalled ? 0 : Math.max(0, this.#times.requests - this.#soonest())
  }

  /** Permits that are taken. */
  get running(): number {
    return this.#running
  }

  /** Waits for a permit and for the next time; null when none is left. */
  async admit(): Promise<Permit | null> {
    this.#asking++
    try {
      if (!(await this.#permit())) return null
      const isInTime = await this.#time()
      if (isInTime === null) this.#end()
      return isInTime === null ? null : { isInTime, release: () => this.#end() }
    } finally {
      this.#asking--
      if (this.#asking === 0) for (const resolve of this.#onDrained.splice(0)) resolve()
    }
  }

  /** Resolves when no call of `admit` is without an answer. */
  async drained(): Promise<void> {
    if (this.#asking > 0) await new Promise<void>((resolve) => this.#onDrained.push(resolve))
  }

  async #permit(): Promise<boolean> {
    const { permits = null } = this.#times
    if (permits !== null && this.#running >= permits) {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      this.#forPermit.push(resolve)
      // It never rejects.
      void this.#watch()
      return await promise
    }
    this.#running++
    this.#movedAtMs = this.#now()
    return true
  }

  /** Hands a permit on to the first that waits for one. */
  #end(): void {
    this.#movedAtMs = this.#now()
    const next = this.#forPermit.shift()
    if (next === undefined) this.#running--
    else next(true)
  }

  /** Stalls the gate when permits are waited for in vain. Never rejects. */
  async #watch(): Promise<void> {
    const { stallMs, untilMs = Number.POSITIVE_INFINITY } = this.#times
    if (stallMs === undefined || this.#isWatching) return
    this.#isWatching = true
    while (this.#forPermit.length > 0) {
      const endsAtMs = Math.min(this.#movedAtMs + stallMs, untilMs)
      const waitMs = endsAtMs - this.#now()
      if (waitMs >= 0) await this.#sleep(waitMs + 1)
      else {
        this.#isStalled = true
        for (const resolve of this.#forPermit.splice(0)) resolve(false)
      }
    }
    this.#isWatching = false
  }

  async #time(): Promise<Permit['isInTime'] | null> {
    const { requests, firstAtMs, everyMs } = this.#times
    for (;;) {
      this.#next = this.#soonest()
      if (this.#next >= requests || this.#isClosed()) return null
      const atMs = firstAtMs + this.#next++ * everyMs
      const waitMs = atMs - this.#now()
      if (waitMs > 0) await this.#sleep(waitMs)
      // All sleepers wake up at once when the process was held up.
      const isInTime = () => this.#now() - atMs <= this.#lateMs
      if (!isInTime()) continue
      this.#used++
      return isInTime
    }
  }

  #isClosed(): boolean {
    return this.#now() > (this.#times.untilMs ?? Number.POSITIVE_INFINITY)
  }

  /** The number of the next time that is neither given out nor lost. */
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

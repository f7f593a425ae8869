/** When requests may start: `requests` of them, from `firstAtMs` on, `everyMs` apart (0: all at once). */
export type StartTimes = {
  requests: number
  firstAtMs: number
  everyMs: number
  /** At most so many at once; null for any number. */
  places?: number | null
  /** No request starts after this time. */
  untilMs?: number
  /** Whoever waits for a place gives up when none has become free for so long; left out: never. */
  stallMs?: number
}

/**
 * How much later than its time a request may start: more would bunch requests that are to be apart, less would lose the
 * times that pass while a claim is made. Between these bounds it is the time between two requests.
 */
const LATE_MS_MIN = 200
const LATE_MS_MAX = 1_000

/** A request that has been let through. */
export type Permit = {
  /** Asked when it can start: whether it still may. */
  isInTime: () => boolean
  /** To be called once when it has ended, or does not start. */
  release: () => void
}

/** Lets requests start at the times that a pacer has granted, each time once; those that pass unused are lost. */
export class GrantGate {
  readonly #times: StartTimes
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  #next = 0
  #used = 0
  #running = 0
  /** Those who have asked for a pass and have no answer yet. */
  #asking = 0
  readonly #forPlace: ((isPlace: boolean) => void)[] = []
  /** When a place was last taken or handed on. */
  #movedAtMs = 0
  #isWatching = false
  #isStalled = false
  #onDrained: (() => void)[] = []

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
    return this.#isClosed() || this.#isStalled ? 0 : Math.max(0, this.#times.requests - this.#soonest())
  }

  /** Requests that have started and not ended. */
  get running(): number {
    return this.#running
  }

  /** Waits for a place and for the next time; null when none is left. */
  async admit(): Promise<Permit | null> {
    this.#asking++
    try {
      if (!(await this.#place())) return null
      const isInTime = await this.#time()
      if (isInTime === null) this.#end()
      return isInTime === null ? null : { isInTime, release: () => this.#end() }
    } finally {
      this.#asking--
      if (this.#asking === 0) for (const resolve of this.#onDrained.splice(0)) resolve()
    }
  }

  /** Resolves when nobody waits for a pass: what has not started is not there, or never will. */
  async drained(): Promise<void> {
    if (this.#asking > 0) await new Promise<void>((resolve) => this.#onDrained.push(resolve))
  }

  async #place(): Promise<boolean> {
    const { places = null } = this.#times
    if (places !== null && this.#running >= places) {
      // Whoever ends hands its place on.
      const { promise, resolve } = Promise.withResolvers<boolean>()
      this.#forPlace.push(resolve)
      void this.#watch()
      return await promise
    }
    this.#running++
    this.#movedAtMs = this.#now()
    return true
  }

  #end(): void {
    this.#movedAtMs = this.#now()
    const next = this.#forPlace.shift()
    if (next === undefined) this.#running--
    else next(true)
  }

  /** Sends away whoever waits for places that do not become free. Never rejects. */
  async #watch(): Promise<void> {
    const { stallMs, untilMs = Number.POSITIVE_INFINITY } = this.#times
    if (stallMs === undefined || this.#isWatching) return
    this.#isWatching = true
    while (this.#forPlace.length > 0) {
      const endsAtMs = Math.min(this.#movedAtMs + stallMs, untilMs)
      const waitMs = endsAtMs - this.#now()
      if (waitMs >= 0) await this.#sleep(waitMs + 1)
      else {
        this.#isStalled = true
        for (const resolve of this.#forPlace.splice(0)) resolve(false)
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
      // All who slept wake up at once when the process has been held up.
      const isInTime = () => this.#now() - atMs <= this.#lateMs
      if (!isInTime()) continue
      this.#used++
      return isInTime
    }
  }

  #isClosed(): boolean {
    return this.#now() > (this.#times.untilMs ?? Number.POSITIVE_INFINITY)
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

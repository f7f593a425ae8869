import type { StartWindow } from '../../../pacing/late-starts.ts'

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

/** A request is on its way so long after its start. */
const SENT_MS = 5

/** Leave for one request. */
export type Permit = {
  /** To be called right before the start; false when its time has passed. */
  tryStart: () => boolean
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
  /** Every time before this one is given out or lost. */
  #next = 0
  /** Later times that were given out before their turn. */
  readonly #reserved = new Set<number>()
  #window: StartWindow | null = null
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
    if (this.#isClosed() || this.#isStalled) return 0
    const soonest = this.#soonest()
    const reserved = [...this.#reserved].filter((no) => no >= soonest)
    return Math.max(0, this.#times.requests - soonest - reserved.length)
  }

  /** Permits that are taken. */
  get running(): number {
    return this.#running
  }

  /** From now on starts are kept apart in a window too. */
  keepTo(window: StartWindow): void {
    this.#window = window
  }

  /** Waits for a permit and for the next time, or the first from `notBeforeMs` on; null when none is left. */
  async admit(notBeforeMs = 0): Promise<Permit | null> {
    this.#asking++
    try {
      if (notBeforeMs > this.#now()) return await this.#admitAhead(notBeforeMs)
      if (!(await this.#permit())) return null
      const tryStart = await this.#time(notBeforeMs)
      if (tryStart === null) this.#end()
      return tryStart === null ? null : { tryStart, release: () => this.#end() }
    } finally {
      this.#asking--
      if (this.#asking === 0) for (const resolve of this.#onDrained.splice(0)) resolve()
    }
  }

  /** Takes a time before a permit, which others may use until then. */
  async #admitAhead(notBeforeMs: number): Promise<Permit | null> {
    const tryStart = await this.#time(notBeforeMs)
    if (tryStart === null || !(await this.#permit())) return null
    return { tryStart, release: () => this.#end() }
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

  async #time(notBeforeMs: number): Promise<Permit['tryStart'] | null> {
    for (;;) {
      const no = this.#take(notBeforeMs)
      if (no === null) return null
      const atMs = this.#times.firstAtMs + no * this.#times.everyMs
      if (atMs > this.#now() || this.#window !== null) await this.#sleepUntil(atMs)
      // All sleepers wake up at once when the process was held up.
      if (this.#now() - atMs > this.#lateMs) continue
      this.#used++
      return () => this.#tryStart(atMs)
    }
  }

  /** Gives out a time; null when none is left. */
  #take(notBeforeMs: number): number | null {
    const { requests, firstAtMs, everyMs } = this.#times
    this.#next = this.#soonest()
    while (this.#reserved.delete(this.#next)) this.#next++
    const from = everyMs === 0 ? 0 : Math.ceil((notBeforeMs - firstAtMs) / everyMs)
    let no = Math.max(this.#next, from)
    while (this.#reserved.has(no)) no++
    if (no >= requests || this.#isClosed()) return null
    if (no > this.#next) this.#reserved.add(no)
    else this.#next++
    return no
  }

  /** Sleeps until a time has come, and longer where earlier starts were late. */
  async #sleepUntil(atMs: number): Promise<void> {
    let untilMs = atMs
    for (;;) {
      const nowMs = this.#now()
      if (untilMs > nowMs) await this.#sleep(untilMs - nowMs)
      const earliestMs = this.#window?.earliestMs(atMs, this.#now()) ?? atMs
      // Others may have started late meanwhile.
      if (earliestMs <= untilMs) return
      untilMs = earliestMs
    }
  }

  #tryStart(atMs: number): boolean {
    const nowMs = this.#now()
    if (nowMs - atMs > this.#lateMs) return false
    if (this.#window !== null) void this.#record(this.#window, atMs)
    return true
  }

  /** Records a start, and once more when its bytes are on their way: a standstill delays them. Never rejects. */
  async #record(window: StartWindow, atMs: number): Promise<void> {
    window.record(atMs, this.#now())
    await this.#sleep(SENT_MS)
    window.record(atMs, this.#now() - SENT_MS)
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

/** A timer that comes later than this shows that the isolate stood still. */
const STALL_MS_MIN = 1_000
const TICK_MS = 250
/** Timers that come this much too late show that the isolate has more to do than it can. */
const LAG_MS_MIN = 100
/** A late timer tells of the present for so long. */
const LAG_TELLS_MS = 2 * TICK_MS

/**
 * Measures the time in which an isolate stood still: it was stopped, or something computed. Times taken across such a
 * span say nothing of the other end. Tells as well when the isolate is busy. Meters only while it is watched.
 */
export class StallMeter {
  readonly #now: () => number
  #watchers = 0
  #lastMs = 0
  #totalMs = 0
  #laggedAtMs = Number.NEGATIVE_INFINITY

  /** `now` must be the real clock: a clock moved by hand is no stall. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Begins to watch; call the answer once at the end. The timer belongs to the caller's invocation. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#lastMs = this.#now()
    let dueMs = this.#now() + TICK_MS
    const timer = setInterval(() => {
      const nowMs = this.#now()
      if (nowMs - dueMs >= LAG_MS_MIN) this.#laggedAtMs = nowMs
      dueMs = nowMs + TICK_MS
      this.#tick()
    }, TICK_MS)
    return () => {
      clearInterval(timer)
      this.#watchers--
    }
  }

  /** Milliseconds of standstill so far, the one that has just ended included. */
  totalMs(): number {
    this.#tick()
    return this.#totalMs
  }

  /** True while the isolate is kept from its timers by what it has to compute: more work side by side only adds to it. */
  isBusy(): boolean {
    return this.#now() - this.#laggedAtMs <= LAG_TELLS_MS
  }

  #tick(): void {
    const nowMs = this.#now()
    const gapMs = nowMs - this.#lastMs
    if (this.#watchers > 0 && gapMs >= STALL_MS_MIN) this.#totalMs += gapMs - TICK_MS
    this.#lastMs = nowMs
  }
}

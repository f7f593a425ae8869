/** A timer that comes later than this shows that the isolate stood still. */
const STALL_MS_MIN = 1_000
const TICK_MS = 250

/**
 * Measures the time in which an isolate stood still: it was stopped, or something computed. Times taken across such a
 * span say nothing of the other end. Meters only while it is watched.
 */
export class StallMeter {
  readonly #now: () => number
  #watchers = 0
  #lastMs = 0
  #totalMs = 0

  /** `now` must be the real clock: a clock moved by hand is no stall. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Begins to watch; call the answer once at the end. The timer belongs to the caller's invocation. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#lastMs = this.#now()
    const timer = setInterval(() => this.#tick(), TICK_MS)
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

  #tick(): void {
    const nowMs = this.#now()
    const gapMs = nowMs - this.#lastMs
    if (this.#watchers > 0 && gapMs >= STALL_MS_MIN) this.#totalMs += gapMs - TICK_MS
    this.#lastMs = nowMs
  }
}

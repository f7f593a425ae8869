import type { Log } from './log.ts'

const SECOND_MS = 1000

/** What a line that was not written would have counted. */
type Withheld = { published?: number; delivered?: number; latencyMs?: number }

/**
 * Bounds the lines of what went well to so many a second in this isolate, since a line costs about as much as a delivery.
 * Beyond them it counts, and says once a second in `lines.withheld` what the lines would have said together.
 */
export class LineBudget {
  readonly #perSecondMax: number
  readonly #log: Log
  readonly #now: () => number
  #secondFromMs = 0
  #written = 0
  #withheld = noneWithheld()

  /** Null bounds nothing. */
  constructor(perSecondMax: number | null, { log, now }: { log: Log; now: () => number }) {
    this.#perSecondMax = perSecondMax ?? Number.POSITIVE_INFINITY
    this.#log = log
    this.#now = now
  }

  /** Takes one line; false where this second has had its lines, and `withhold` is to be told. */
  take(): boolean {
    if (this.#perSecondMax === Number.POSITIVE_INFINITY) return true
    const nowMs = this.#now()
    if (Math.abs(nowMs - this.#secondFromMs) >= SECOND_MS) {
      this.flush()
      this.#secondFromMs = nowMs
      this.#written = 0
    }
    this.#written++
    return this.#written <= this.#perSecondMax
  }

  withhold({ published = 0, delivered = 0, latencyMs = 0 }: Withheld): void {
    const sums = this.#withheld
    sums.lines++
    sums.published += published
    sums.delivered += delivered
    if (delivered === 0) return
    sums.requests++
    sums.latencySumMs += latencyMs
    sums.latencyMaxMs = Math.max(sums.latencyMaxMs, latencyMs)
  }

  /** Says what was counted and not said yet. Called by every sweep too, for the last of a burst. */
  flush(): void {
    if (this.#withheld.lines === 0) return
    this.#log('lines.withheld', this.#withheld)
    this.#withheld = noneWithheld()
  }
}

function noneWithheld() {
  return { lines: 0, published: 0, delivered: 0, requests: 0, latencySumMs: 0, latencyMaxMs: 0 }
}

/** Requests that one party may be asked at once: at the beginning, and at most. */
export type AdaptiveBounds = { initial: number; max: number }

/** The end of a request: answered after a time, refused for lack of capacity, or neither. */
export type RequestEnd = { kind: 'answered'; latencyMs: number } | { kind: 'overloaded' } | { kind: 'other' }

/** Answers up to this multiple of the quickest, and this much beyond, show no queue at the other end. */
const UNQUEUED_FACTOR = 2
const UNQUEUED_MS = 50

/**
 * Bounds the requests in flight to one party by what it can bear: one more for each answer that did not have to queue
 * there, half as many when it is overloaded. Requests begun before a halving do not halve again.
 */
export class AdaptiveLimit {
  readonly #max: number
  #limit: number
  #inFlight = 0
  #quickestMs = Number.POSITIVE_INFINITY
  #halvedAtMs = Number.NEGATIVE_INFINITY
  readonly #waiting: (() => void)[] = []

  constructor({ initial, max }: AdaptiveBounds) {
    this.#max = Math.max(1, max)
    this.#limit = Math.max(1, Math.min(initial, this.#max))
  }

  /** Requests that may be in flight at once. */
  get limit(): number {
    return Math.min(this.#limit, this.#max)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Requests that wait for a permit. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Resolves when a request may start; each is followed by one `end`. First come, first served. */
  async acquire(): Promise<void> {
    if (this.#inFlight < this.limit && this.#waiting.length === 0) {
      this.#inFlight++
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await promise
  }

  /** Ends a request that began at a time, and lets others start. */
  end(end: RequestEnd, startedAtMs: number, nowMs: number): void {
    this.#inFlight--
    this.#learn(end, startedAtMs, nowMs)
    while (this.#waiting.length > 0 && this.#inFlight < this.limit) {
      this.#inFlight++
      this.#waiting.shift()?.()
    }
  }

  #learn(end: RequestEnd, startedAtMs: number, nowMs: number): void {
    switch (end.kind) {
      case 'answered':
        this.#quickestMs = Math.min(this.#quickestMs, end.latencyMs)
        if (end.latencyMs <= UNQUEUED_FACTOR * this.#quickestMs + UNQUEUED_MS) {
          this.#limit = Math.min(this.#max, this.#limit + 1)
        }
        return
      case 'overloaded':
        if (startedAtMs <= this.#halvedAtMs) return
        this.#halvedAtMs = nowMs
        this.#limit = Math.max(1, Math.floor(this.#limit / 2))
        return
      case 'other':
        return
    }
  }
}

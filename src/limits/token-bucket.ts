/**
 * A rate: holds as much as a second brings, and one more, so that parts of one are not lost while it
 * waits. Uses that never exceed the rate in any one second are never refused; over a longer time no
 * more than the rate gets through.
 */
export class TokenBucket {
  #perSecond: number
  #tokens: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#tokens = Math.max(1, perSecond)
    this.#atMs = nowMs
  }

  get perSecond(): number {
    return this.#perSecond
  }

  /** Goes on at another rate; a second's use may still come at once. */
  setRate(perSecond: number, nowMs: number): void {
    if (perSecond === this.#perSecond) return
    this.#refill(nowMs)
    this.#perSecond = perSecond
    this.#tokens = Math.min(this.#tokens, capacityOf(perSecond))
  }

  /** Uses that would pass now. */
  left(nowMs: number): number {
    this.#refill(nowMs)
    // Sums of fractions may miss a whole number by a trace.
    const whole = Math.floor(this.#tokens + 1e-6)
    return Math.max(0, Math.min(whole, Math.max(1, Math.floor(this.#perSecond))))
  }

  use(count: number, nowMs: number): void {
    this.#refill(nowMs)
    this.#tokens -= count
  }

  /** Time until one more use passes; 0 where one would now. */
  waitMs(nowMs: number): number {
    if (this.left(nowMs) >= 1) return 0
    return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000)
  }

  /** A clock that was set back brings nothing, and takes nothing away. */
  #refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000
    this.#tokens = Math.min(capacityOf(this.#perSecond), this.#tokens + seconds * this.#perSecond)
    this.#atMs = nowMs
  }
}

function capacityOf(perSecond: number): number {
  return perSecond + 1
}

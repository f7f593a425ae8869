/** Counts of one whole second each, by the second since 1970. */
export type SlotCounts = [second: number, count: number][]

/** The second since 1970 that a time lies in. */
export function secondOf(nowMs: number): number {
  return Math.floor(nowMs / 1000)
}

/** Counts uses by the second, until they have been reported. */
export class Slots {
  readonly #counts = new Map<number, number>()
  readonly #secondsMax: number

  constructor(secondsMax: number) {
    this.#secondsMax = secondsMax
  }

  add(count: number, second: number): void {
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + count)
    if (this.#counts.size <= this.#secondsMax) return
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
  }

  /** The counts of seconds that are over: nothing more is added to them. */
  before(second: number): SlotCounts {
    return [...this.#counts].filter(([each]) => each < second)
  }

  /** The sum over all seconds after one. */
  sumAfter(second: number): number {
    return [...this.#counts].reduce((sum, [each, count]) => (each > second ? sum + count : sum), 0)
  }

  /** Forgets what has been reported. */
  dropUntil(second: number): void {
    for (const each of this.#counts.keys()) if (each <= second) this.#counts.delete(each)
  }
}

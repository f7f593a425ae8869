import { setTimeout as pause } from 'node:timers/promises'

/** Past its time a row may still read what was counted; then it is given up. */
const GRACE_MS = 90_000

export type Wait = {
  /** Says how far it had come, when it is cut. */
  readonly what: () => string
  readonly withinMs?: number
  readonly everyMs?: number
}

/** The time that a row may take. Its waits end with it, and it keeps what was cut. */
export class TimeBudget {
  readonly cuts: string[] = []
  readonly #maxMs: number
  readonly #startedAtMs = performance.now()
  readonly #abort = new AbortController()

  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  /** Aborts what is under way when the row is given up or has ended. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get leftMs(): number {
    return Math.max(0, this.#startedAtMs + this.#maxMs - performance.now())
  }

  get isOver(): boolean {
    return this.leftMs === 0
  }

  /** Waits until the check holds. Answers false, and notes the cut, when its time or the row's is over. */
  async until(check: () => Promise<boolean>, wait: Wait): Promise<boolean> {
    const startedAtMs = performance.now()
    const waitMs = Math.min(wait.withinMs ?? Number.POSITIVE_INFINITY, this.leftMs)
    while (!(await check())) {
      const tookMs = performance.now() - startedAtMs
      if (tookMs >= waitMs) {
        this.cut(`cut after ${(tookMs / 1000).toFixed(0)} s: ${wait.what()}`)
        return false
      }
      await pause(wait.everyMs ?? 100, undefined, { signal: this.signal })
    }
    return true
  }

  cut(what: string): void {
    this.cuts.push(what)
  }

  /** Pauses, no longer than the row may take. */
  async pause(ms: number): Promise<void> {
    await pause(Math.max(0, Math.min(ms, this.leftMs)), undefined, { signal: this.signal })
  }

  /** Runs a row, and gives it up when it outlives its time by the grace. */
  async bound<T>(run: () => Promise<T>): Promise<T> {
    const timer = new AbortController()
    const givenUp = pause(this.#maxMs + GRACE_MS, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`given up after ${(this.#maxMs + GRACE_MS) / 1000} s`)
    })
    const running = run()
    // The loser of the race settles later, when its result is no longer of use.
    running.catch(() => {})
    givenUp.catch(() => {})
    try {
      return await Promise.race([running, givenUp])
    } finally {
      timer.abort()
      this.#abort.abort()
    }
  }
}

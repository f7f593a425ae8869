import { sleep } from '../time.ts'

/** Where the process lives on after all, what was held back goes on. */
const HELD_MS_MAX = 60_000
const LOOK_AGAIN_MS = 20

/** Lets what has begun come to its end, and nothing else begin, before a process is ended. */
export class Drain {
  readonly #now: () => number
  #underWay = 0
  #movedAtMs = Number.NEGATIVE_INFINITY
  #closedAtMs = Number.NEGATIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
  }

  /** True while nothing new is to begin. */
  get isClosed(): boolean {
    return this.#now() - this.#closedAtMs < HELD_MS_MAX
  }

  /** Runs work that must not begin any more: it is held back until the process has been ended. */
  async begin<T>(work: () => Promise<T>): Promise<T> {
    if (this.isClosed) await sleep(HELD_MS_MAX)
    return await this.finish(work)
  }

  /** Runs work that belongs to what has begun. */
  async finish<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++
    try {
      return await work()
    } finally {
      this.#underWay--
      this.#movedAtMs = this.#now()
    }
  }

  /** Lets nothing begin any more; resolves when all has been at its end for `calmMs`, or after `waitMs`. */
  async close({ waitMs, calmMs }: { waitMs: number; calmMs: number }): Promise<void> {
    this.#closedAtMs = this.#now()
    const isOver = () => this.#underWay === 0 && this.#now() - this.#movedAtMs >= calmMs
    while (!isOver() && this.#now() - this.#closedAtMs < waitMs) await sleep(LOOK_AGAIN_MS)
  }
}

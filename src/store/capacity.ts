import { type Fill, fillOf } from './fill-level.ts'

export type FillDeps = {
  db: D1Database
  now: () => number
  maxBytes: number
  background: (work: Promise<unknown>) => void
}

/** How long a size that was read counts. */
const READ_AFTER_MS = 10_000

/**
 * How full the database is, by the size that D1 reports with every answer. One per isolate; asks at most every ten
 * seconds, and lets only the first of its callers wait for the answer.
 */
export class FillWatch {
  #bytes: number | null = null
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | null = null

  /** How full the database was when it was last asked. Empty where it does not answer: then a publish fails by itself. */
  async fill(deps: FillDeps): Promise<Fill> {
    const nowMs = deps.now()
    if (this.#asking === null && nowMs - this.#askedAtMs >= READ_AFTER_MS) {
      this.#askedAtMs = nowMs
      this.#asking = this.#ask(deps.db)
      deps.background(this.#asking)
    }
    if (this.#bytes === null && this.#asking !== null) await this.#asking
    return fillOf(this.#bytes ?? 0, deps.maxBytes)
  }

  async #ask(db: D1Database): Promise<void> {
    try {
      const { meta } = await db.prepare('SELECT 1').run()
      this.#bytes = meta.size_after
    } catch {
      // What was last known stands.
    } finally {
      this.#asking = null
    }
  }
}

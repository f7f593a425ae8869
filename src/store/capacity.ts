import { DATABASE_BYTES_MAX } from './database-limit.ts'

/** From this percentage on the operator is warned. */
const CAPACITY_WARN_PERCENT = 80

/**
 * From this percentage on events are refused, so that those accepted can be delivered and recorded.
 */
const CAPACITY_FULL_PERCENT = 95

/** Fill level of the database. */
export type Capacity = { percent: number; state: 'ok' | 'warn' | 'full' }

/**
 * Reads the fill level from the `size_after` that D1 reports with every write. The size leaves out
 * pages that a purge has emptied, so it falls again.
 *
 * @returns whole percent, cut, 0–100
 */
export function capacityOf(bytes: number, maxBytes: number = DATABASE_BYTES_MAX): Capacity {
  const percent = Math.min(Math.floor((bytes * 100) / maxBytes), 100)
  const state = percent >= CAPACITY_FULL_PERCENT ? 'full' : percent >= CAPACITY_WARN_PERCENT ? 'warn' : 'ok'
  return { percent, state }
}

/** The message for the operator, or for a refused publisher; null while there is nothing to say. */
export function capacityMessage({ percent, state }: Capacity): string | null {
  switch (state) {
    case 'ok':
      return null
    case 'warn':
      return `the database is ${percent} % full; at ${CAPACITY_FULL_PERCENT} % no more events are accepted: shorten the retention or purge`
    case 'full':
      return `the database is ${percent} % full and accepts no more events until some are purged; deliveries go on`
  }
}

type CapacityDeps = {
  db: D1Database
  now: () => number
  maxBytes: number
  background: (work: Promise<unknown>) => void
}

/** Age up to which a size that was read counts. */
const READ_AFTER_MS = 10_000

/**
 * Watches the size of the database, one per isolate. It asks D1 at most every ten seconds and lets
 * only its first caller wait for the answer.
 */
export class CapacityWatch {
  #bytes: number | null = null
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | null = null

  /**
   * The fill level by the last answer. Empty while D1 does not answer: then a publish fails by
   * itself.
   */
  async read(deps: CapacityDeps): Promise<Capacity> {
    const nowMs = deps.now()
    if (this.#asking === null && nowMs - this.#askedAtMs >= READ_AFTER_MS) {
      this.#askedAtMs = nowMs
      this.#asking = this.#ask(deps.db)
      deps.background(this.#asking)
    }
    if (this.#bytes === null && this.#asking !== null) await this.#asking
    return capacityOf(this.#bytes ?? 0, deps.maxBytes)
  }

  async #ask(db: D1Database): Promise<void> {
    try {
      const { meta } = await db.prepare('SELECT 1').run()
      this.#bytes = meta.size_after
    } catch {
      // The last known size stays valid.
    } finally {
      this.#asking = null
    }
  }
}

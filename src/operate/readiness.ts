import { checkStore, isMigrated, migratedAtMs } from './readiness.sql.ts'

/** The state in which a relay can serve, or what it lacks. Sweeps may be overdue while everything else works. */
export type Health =
  | { kind: 'not_migrated' }
  | { kind: 'sweep_overdue'; sweepAgeMs: number }
  | { kind: 'ok'; sweepAgeMs: number | null }

/** The cron of the sweep comes every minute, that of the purge every two: several missed ones are no coincidence. */
const JOB_AGE_MAX_MS = { sweep: 180_000, purge: 600_000 } as const

/** True for a periodic job that should have run again by now; false where it is not known since when. */
export function isJobOverdue(job: keyof typeof JOB_AGE_MAX_MS, ageMs: number | null): boolean {
  return ageMs !== null && ageMs > JOB_AGE_MAX_MS[job]
}

/** Tells whether an isolate can serve. Migrations are never taken back, so that they are looked up until they are there. */
export class Readiness {
  readonly #db: D1Database
  #isMigrated = false

  constructor(db: D1Database) {
    this.#db = db
  }

  /** Rejects where the database does not answer. */
  async check(nowMs: number): Promise<Health> {
    if (!this.#isMigrated) this.#isMigrated = await isMigrated(this.#db)
    if (!this.#isMigrated) return { kind: 'not_migrated' }
    const sinceMs = (await checkStore(this.#db)) ?? (await migratedAtMs(this.#db))
    const sweepAgeMs = sinceMs === null ? null : Math.max(0, nowMs - sinceMs)
    return sweepAgeMs !== null && isJobOverdue('sweep', sweepAgeMs)
      ? { kind: 'sweep_overdue', sweepAgeMs }
      : { kind: 'ok', sweepAgeMs }
  }
}

import { checkStore, isMigrated } from './readiness.sql.ts'

/** Tells whether an isolate can serve. Migrations are never taken back, so that they are looked up until they are there. */
export class Readiness {
  readonly #db: D1Database
  #isMigrated = false

  constructor(db: D1Database) {
    this.#db = db
  }

  /** False while the database lacks migrations. Rejects where it does not answer. */
  async check(): Promise<boolean> {
    if (this.#isMigrated) await checkStore(this.#db)
    else this.#isMigrated = await isMigrated(this.#db)
    return this.#isMigrated
  }
}

import type { Lease, OutboxRow, OutboxStore, Rejected } from './row.ts'
import type { Statements } from './statements.ts'

export type Rows = readonly unknown[]
export type Value = string | number

/** Runs statements in one kind of database. */
export type Database = {
  /** Runs one that answers rows. */
  query(text: string, values: readonly Value[]): Promise<Rows>
  /** Runs one that answers none. */
  execute(text: string, values: readonly Value[]): Promise<unknown>
}

/** The table in a database of SQL. */
export class SqlStore implements OutboxStore {
  readonly #db: Database
  readonly #sql: Statements

  constructor(db: Database, sql: Statements) {
    this.#db = db
    this.#sql = sql
  }

  async createTables(): Promise<void> {
    for (const text of this.#sql.create) {
      // Of two processes that create a table at once one may fail, though the table is there then.
      await this.#db.execute(text, []).catch(() => this.#db.execute(text, []))
    }
  }

  async lease({ owner, nowMs, untilMs }: Lease): Promise<boolean> {
    return (await this.#db.query(this.#sql.lease, [owner, untilMs, nowMs])).length > 0
  }

  async release(owner: string): Promise<void> {
    await this.#db.execute(this.#sql.release, [owner])
  }

  async oldest(rowsMax: number): Promise<OutboxRow[]> {
    const rows = (await this.#db.query(this.#sql.oldest, [rowsMax])) as OutboxRow[]
    // Postgres answers a BIGINT as text.
    return rows.map(({ no, id, body }) => ({ no: Number(no), id: String(id), body: String(body) }))
  }

  async remove(nos: readonly number[]): Promise<void> {
    await this.#db.execute(this.#sql.remove, [JSON.stringify(nos)])
  }

  async reject({ no, reason }: Rejected): Promise<void> {
    await this.#db.execute(this.#sql.reject, [reason, no])
  }
}

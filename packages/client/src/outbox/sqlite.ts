import type { OutboxRow, OutboxStore } from './row.ts'
import { type Statements, sqliteStatements } from './statements.ts'

type Value = string | number
type Rows = readonly unknown[]

/** A database of `better-sqlite3` or `node:sqlite`. */
export type SqliteLike = {
  prepare(text: string): { all(...values: Value[]): Rows; run(...values: Value[]): unknown }
}

/** The table in SQLite. Its statements are synchronous, and wait for other processes as long as `busy_timeout` says. */
export class SqliteStore implements OutboxStore {
  readonly #db: SqliteLike
  readonly #sql: Statements

  constructor(db: SqliteLike, table: string) {
    this.#db = db
    this.#sql = sqliteStatements(table)
  }

  async createTables(): Promise<void> {
    for (const text of this.#sql.create) this.#db.prepare(text).run()
  }

  async lease({
    owner,
    nowMs,
    untilMs,
  }: {
    owner: string
    nowMs: number
    untilMs: number
  }): Promise<boolean> {
    return this.#db.prepare(this.#sql.lease).all(owner, untilMs, nowMs).length > 0
  }

  async release(owner: string): Promise<void> {
    this.#db.prepare(this.#sql.release).run(owner)
  }

  async oldest(rowsMax: number): Promise<OutboxRow[]> {
    return this.#db.prepare(this.#sql.oldest).all(rowsMax) as OutboxRow[]
  }

  async remove(nos: readonly number[]): Promise<void> {
    this.#db.prepare(this.#sql.remove(nos.length)).run(...nos)
  }

  async reject({ no, reason }: { no: number; reason: string }): Promise<void> {
    this.#db.prepare(this.#sql.reject).run(reason, no)
  }
}

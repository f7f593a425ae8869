import type { OutboxRow, OutboxStore } from './row.ts'
import { postgresStatements, type Statements } from './statements.ts'

type Rows = readonly Record<string, unknown>[]

/** A pool or a client of `pg`. */
export type PgLike = { query(text: string, values: unknown[]): Promise<{ rows: Rows }> }

/** What `postgres` gives: `sql`, or the `sql` of `sql.begin`. */
export type PostgresJsLike = { unsafe(text: string, values: never[]): PromiseLike<Rows> }

/** A pool, client or transaction of either library. */
export type PostgresLike = PgLike | PostgresJsLike

/** Runs a statement on a pool, or within the transaction that a client is in. */
export async function queryPostgres(db: PostgresLike, text: string, values: unknown[]): Promise<Rows> {
  if ('unsafe' in db) return await db.unsafe(text, values as never[])
  return (await db.query(text, values)).rows
}

/** The table in Postgres. */
export class PostgresStore implements OutboxStore {
  readonly #db: PostgresLike
  readonly #sql: Statements

  constructor(db: PostgresLike, table: string) {
    this.#db = db
    this.#sql = postgresStatements(table)
  }

  async createTables(): Promise<void> {
    for (const text of this.#sql.create) {
      // Of two processes that create a table at once one fails, though the table is there then.
      await this.#run(text, []).catch(() => this.#run(text, []))
    }
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
    return (await this.#run(this.#sql.lease, [owner, untilMs, nowMs])).length > 0
  }

  async release(owner: string): Promise<void> {
    await this.#run(this.#sql.release, [owner])
  }

  async oldest(rowsMax: number): Promise<OutboxRow[]> {
    const rows = await this.#run(this.#sql.oldest, [rowsMax])
    return rows.map(({ no, id, body }) => ({ no: Number(no), id: String(id), body: String(body) }))
  }

  async remove(nos: readonly number[]): Promise<void> {
    await this.#run(this.#sql.remove(nos.length), [...nos])
  }

  async reject({ no, reason }: { no: number; reason: string }): Promise<void> {
    await this.#run(this.#sql.reject, [reason, no])
  }

  async #run(text: string, values: unknown[]): Promise<Rows> {
    return await queryPostgres(this.#db, text, values)
  }
}

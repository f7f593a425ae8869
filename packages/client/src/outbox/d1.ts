import type { OutboxRow, OutboxStore } from './row.ts'
import { type Statements, sqliteStatements } from './statements.ts'

type Value = string | number

/** A statement of D1. */
export type D1StatementLike<S = unknown> = {
  bind(...values: Value[]): S & { run(): Promise<unknown>; all(): Promise<{ results: readonly unknown[] }> }
}

/** A D1 database. */
export type D1Like<S = unknown> = { prepare(text: string): D1StatementLike<S> }

/** The table in D1. */
export class D1Store implements OutboxStore {
  readonly #db: D1Like
  readonly #sql: Statements

  constructor(db: D1Like, table: string) {
    this.#db = db
    this.#sql = sqliteStatements(table)
  }

  async createTables(): Promise<void> {
    for (const text of this.#sql.create) await this.#db.prepare(text).bind().run()
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
    const { results } = await this.#db.prepare(this.#sql.lease).bind(owner, untilMs, nowMs).all()
    return results.length > 0
  }

  async release(owner: string): Promise<void> {
    await this.#db.prepare(this.#sql.release).bind(owner).run()
  }

  async oldest(rowsMax: number): Promise<OutboxRow[]> {
    const { results } = await this.#db.prepare(this.#sql.oldest).bind(rowsMax).all()
    return results as OutboxRow[]
  }

  async remove(nos: readonly number[]): Promise<void> {
    await this.#db
      .prepare(this.#sql.remove(nos.length))
      .bind(...nos)
      .run()
  }

  async reject({ no, reason }: { no: number; reason: string }): Promise<void> {
    await this.#db.prepare(this.#sql.reject).bind(reason, no).run()
  }
}

import { SqlStore, type Value } from './sql-store.ts'
import { sqliteStatements } from './statements.ts'

/** A statement of D1. */
export type D1StatementLike<S = unknown> = {
  bind(...values: Value[]): S & { run(): Promise<unknown>; all(): Promise<{ results: readonly unknown[] }> }
}

/** A D1 database. */
export type D1Like<S = unknown> = { prepare(text: string): D1StatementLike<S> }

/** The table in D1. */
export function d1Store(db: D1Like, table: string): SqlStore {
  const query = async (text: string, values: readonly Value[]) => {
    const { results } = await db
      .prepare(text)
      .bind(...values)
      .all()
    return results
  }
  const execute = (text: string, values: readonly Value[]) =>
    db
      .prepare(text)
      .bind(...values)
      .run()
  return new SqlStore({ query, execute }, sqliteStatements(table))
}

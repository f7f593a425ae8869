import { type Rows, SqlStore, type Value } from './sql-store.ts'
import { sqliteStatements } from './statements.ts'

/** A database of `better-sqlite3` or `node:sqlite`. */
export type SqliteLike = {
  prepare(text: string): { all(...values: Value[]): Rows; run(...values: Value[]): unknown }
}

/** The table in SQLite. Its statements are synchronous, and wait for other processes as long as `busy_timeout` says. */
export function sqliteStore(db: SqliteLike, table: string): SqlStore {
  const query = async (text: string, values: readonly Value[]) => db.prepare(text).all(...values)
  // `better-sqlite3` refuses `all` where there are no rows to answer.
  const execute = async (text: string, values: readonly Value[]) => db.prepare(text).run(...values)
  return new SqlStore({ query, execute }, sqliteStatements(table))
}

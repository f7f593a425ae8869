import { SqlStore, type Value } from './sql-store.ts'
import { postgresStatements } from './statements.ts'

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
export function postgresStore(db: PostgresLike, table: string): SqlStore {
  const run = async (text: string, values: readonly Value[]) => await queryPostgres(db, text, [...values])
  return new SqlStore({ query: run, execute: run }, postgresStatements(table))
}

/** Statements of a dialect; `param(1)` is its first parameter. */
export type Statements = {
  create: readonly string[]
  insert: string
  lease: string
  release: string
  oldest: string
  reject: string
  /** Removes rows by a JSON list of their numbers: D1 binds 100 parameters at most. */
  remove: string
}

type Dialect = { no: string; param: (no: number) => string; listed: string }

const SQLITE: Dialect = {
  no: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  param: () => '?',
  listed: 'SELECT value FROM json_each(?)',
}
const POSTGRES: Dialect = {
  no: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  param: (no) => `$${no}`,
  // A parameter of type json would be encoded a second time by `postgres`.
  listed: 'SELECT value::bigint FROM json_array_elements_text($1::text::json)',
}

/** A table's name, with its schema or without. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,40}(?:\.[A-Za-z_][A-Za-z0-9_]{0,40})?$/

export const sqliteStatements = (table: string) => statements(table, SQLITE)
export const postgresStatements = (table: string) => statements(table, POSTGRES)

/** @throws TypeError for a name that would have to be quoted */
function statements(table: string, { no, param, listed }: Dialect): Statements {
  if (!NAME.test(table)) throw new TypeError('table must be a name of letters, digits and _')
  const leases = `${table}_lease`
  return {
    create: [
      `CREATE TABLE IF NOT EXISTS ${table} (no ${no}, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, rejected TEXT)`,
      `CREATE TABLE IF NOT EXISTS ${leases} (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms BIGINT NOT NULL)`,
    ],
    insert: `INSERT INTO ${table} (id, body) VALUES (${param(1)}, ${param(2)})`,
    lease: `INSERT INTO ${leases} (name, owner, until_ms) VALUES ('publish', ${param(1)}, ${param(2)})
      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms
      WHERE ${leases.split('.').at(-1)}.until_ms <= ${param(3)} OR ${leases.split('.').at(-1)}.owner = excluded.owner
      RETURNING owner`,
    release: `DELETE FROM ${leases} WHERE owner = ${param(1)}`,
    oldest: `SELECT no, id, body FROM ${table} WHERE rejected IS NULL ORDER BY no LIMIT ${param(1)}`,
    reject: `UPDATE ${table} SET rejected = ${param(1)} WHERE no = ${param(2)}`,
    remove: `DELETE FROM ${table} WHERE no IN (${listed})`,
  }
}

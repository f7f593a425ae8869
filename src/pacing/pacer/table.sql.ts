/** Statements that bring a pacer's tables from one version to the next; append only. */
const MIGRATIONS: readonly string[] = [
  'CREATE TABLE pacer (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL) STRICT',
]

/** A pacer's own storage: one row with its state. */
export class PacerTable {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /**
   * Brings the tables up to date; to be called inside a transaction. Tables of a newer version are
   * dropped, since a pacer must not fail when a deploy is rolled back; returns true when that happened.
   */
  migrate(): boolean {
    this.#sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT')
    const found = this.#version()
    const isNewer = found > MIGRATIONS.length
    if (isNewer) this.#drop()
    const version = isNewer ? 0 : found
    if (version === MIGRATIONS.length) return isNewer
    for (const statement of MIGRATIONS.slice(version)) this.#sql.exec(statement)
    this.#sql.exec('DELETE FROM schema_version')
    this.#sql.exec('INSERT INTO schema_version (version) VALUES (?1)', MIGRATIONS.length)
    return isNewer
  }

  /** The stored text; null: nothing has been stored. */
  read(): string | null {
    const [row] = this.#sql.exec<{ state: string }>('SELECT state FROM pacer WHERE id = 1').toArray()
    return row?.state ?? null
  }

  /** Writes one row. */
  write(state: string): void {
    this.#sql.exec(
      'INSERT INTO pacer (id, state) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET state = excluded.state',
      state,
    )
  }

  #version(): number {
    const [row] = this.#sql.exec<{ version: number }>('SELECT version FROM schema_version').toArray()
    return row?.version ?? 0
  }

  #drop(): void {
    const tables = this.#sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
      )
      .toArray()
    for (const { name } of tables) this.#sql.exec(`DROP TABLE "${name}"`)
  }
}

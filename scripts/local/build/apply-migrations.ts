import type { Miniflare } from 'miniflare'
import type { Migration } from './make-build.ts'

export type Database = Awaited<ReturnType<Miniflare['getD1Database']>>

/** The table `wrangler d1 migrations apply` keeps, so that either tool sees what the other has applied. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies migrations that were not applied yet, each in one transaction; returns their names. */
export async function applyMigrations(db: Database, migrations: readonly Migration[]): Promise<string[]> {
  await db.prepare(CREATE_TABLE).run()
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map((row) => row.name))
  const pending = migrations.filter(({ name }) => !applied.has(name))
  for (const { name, statements } of pending) {
    await db.batch([
      ...statements.map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?1)').bind(name),
    ])
  }
  return pending.map(({ name }) => name)
}

import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Miniflare } from 'miniflare'
import { unstable_splitSqlQuery as splitSqlQuery } from 'wrangler'
import { ROOT } from './root.ts'

type Database = Awaited<ReturnType<Miniflare['getD1Database']>>

/** The table `wrangler d1 migrations apply` keeps, so that either tool sees what the other has applied. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies the files of migrations/ that were not applied yet, each in one transaction; returns their names. */
export async function applyMigrations(db: Database): Promise<string[]> {
  const folder = path.join(ROOT, 'migrations')
  await db.prepare(CREATE_TABLE).run()
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map((row) => row.name))
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const pending = files.filter((name) => !applied.has(name))
  for (const name of pending) {
    const sql = await readFile(path.join(folder, name), 'utf8')
    await db.batch([
      ...splitSqlQuery(sql).map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?1)').bind(name),
    ])
  }
  return pending
}

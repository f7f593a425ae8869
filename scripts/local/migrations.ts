import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { unstable_splitSqlQuery as splitSqlQuery } from 'wrangler'
import { ROOT } from './root.ts'
import { databases } from './worker-options.ts'

type Database = Awaited<ReturnType<Miniflare['getD1Database']>>

const FOLDER = path.join(ROOT, 'migrations')

/** The table `wrangler d1 migrations apply` keeps, so that either tool sees what the other has applied. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies migrations with a runtime that has nothing but the database; it is over before the relay listens. */
export async function migrateBefore(resourcePersistencePath: string): Promise<string[]> {
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      resourcePersistencePath,
      workers: [{ name: 'migrations', modules: true, script: 'export default {}', ...databases() }],
    }),
  )
  try {
    return await applyMigrations(await mf.getD1Database('DB'))
  } finally {
    await mf.dispose()
  }
}

/** Names of the migrations, in their order. */
export async function migrationNames(): Promise<string[]> {
  const names = await readdir(FOLDER)
  return names.filter((name) => name.endsWith('.sql')).sort()
}

/** Applies the files of migrations/ that were not applied yet, each in one transaction; returns their names. */
export async function applyMigrations(db: Database): Promise<string[]> {
  await db.prepare(CREATE_TABLE).run()
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map((row) => row.name))
  const pending = (await migrationNames()).filter((name) => !applied.has(name))
  for (const name of pending) {
    const sql = await readFile(path.join(FOLDER, name), 'utf8')
    await db.batch([
      ...splitSqlQuery(sql).map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?1)').bind(name),
    ])
  }
  return pending
}

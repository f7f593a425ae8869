import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { namesOf } from './build/build.ts'
import type { Build, Migration } from './build/make-build.ts'
import type { StateDir } from './state.ts'

type Database = Awaited<ReturnType<Miniflare['getD1Database']>>

/** The table `wrangler d1 migrations apply` keeps, so that either tool sees what the other has applied. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies migrations that this state's record does not name; a runtime for them costs a third of a second. */
export async function migratePending(state: StateDir, build: Build): Promise<string[]> {
  const names = namesOf(build)
  const recorded = state.migrations()
  if (names.every((name) => recorded.includes(name))) return []
  const applied = await migrateBefore(state.dataPath, build)
  state.recordMigrations(names)
  return applied
}

/** Applies migrations with a runtime that has nothing but the database; it is over before the relay listens. */
export async function migrateBefore(
  resourcePersistencePath: string,
  { worker, migrations }: Build,
): Promise<string[]> {
  const d1Databases = worker.d1Databases ?? {}
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      resourcePersistencePath,
      workers: [{ name: 'migrations', modules: true, script: 'export default {}', d1Databases }],
    }),
  )
  try {
    return await applyMigrations(await mf.getD1Database('DB'), migrations)
  } finally {
    await mf.dispose()
  }
}

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

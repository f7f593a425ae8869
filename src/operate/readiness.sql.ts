import { describeError } from '../base/log.ts'

/** The newest file of `migrations/`; the code asks for a database that has it. */
export const NEWEST_MIGRATION = '0023_workspace_statistics.sql'

/** Tells whether the newest migration is applied. Rejects where the database does not answer or has no tables. */
export async function isMigrated(db: D1Database): Promise<boolean> {
  try {
    const newest = await db.prepare('SELECT max(name) AS name FROM d1_migrations').first<string>('name')
    return newest !== null && newest >= NEWEST_MIGRATION
  } catch (error) {
    if (!/no such table/i.test(describeError(error))) throw error
    // A database that was set up by other means has no such table.
    await checkStore(db)
    return true
  }
}

/** Tables without which a publish or a delivery fails; naming one that is missing rejects, and reads no row. */
const TABLES = [
  'workspace',
  'event',
  'event_key',
  'subscription',
  'delivery',
  'attempt',
  'claim',
  'statistic',
  'api_key',
]

/** Reads when the last sweep ran; null where none has. Rejects where the database does not answer or lacks a table. */
export async function checkStore(db: D1Database): Promise<number | null> {
  const present = TABLES.map((table) => `(SELECT 1 FROM ${table} LIMIT 0)`).join(', ')
  const sql = `SELECT (SELECT ran_at_ms FROM job WHERE name = 'sweep') AS sweptAtMs, ${present}`
  const row = await db.prepare(sql).first<{ sweptAtMs: number | null }>()
  return row?.sweptAtMs ?? null
}

/** Reads when the newest migration was applied: sweeps are due from then on. Null where that is not recorded. */
export async function migratedAtMs(db: D1Database): Promise<number | null> {
  try {
    const text = await db.prepare('SELECT max(applied_at) AS at FROM d1_migrations').first<string>('at')
    const atMs = Date.parse(`${text}Z`)
    return Number.isNaN(atMs) ? null : atMs
  } catch (error) {
    if (!/no such table/i.test(describeError(error))) throw error
    return null
  }
}

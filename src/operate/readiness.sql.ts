import { describeError } from '../base/log.ts'

/** The newest file of `migrations/`; the code asks for a database that has it. */
export const NEWEST_MIGRATION = '0008_claim_lookups.sql'

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

/** Rejects where the database does not answer or has no tables. */
export async function checkStore(db: D1Database): Promise<void> {
  await db.prepare('SELECT no FROM workspace LIMIT 1').first()
}

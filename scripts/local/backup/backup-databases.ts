import { copyFileSync, existsSync, globSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The runtime may hold a database for the length of a commit. */
const BUSY_MS = 30_000

/** Copies a database as it is at one moment, whoever writes to it meanwhile. */
export function copyDatabase(source: string, target: string): void {
  const database = new DatabaseSync(source, { timeout: BUSY_MS })
  try {
    database.prepare('VACUUM INTO ?').run(target)
  } finally {
    database.close()
  }
}

/**
 * Adds to a copy of R2 the objects that an earlier copy has and this one has not any more, with their contents. Entries
 * without contents were removed while they were copied. Returns the number of objects.
 */
export async function mergeObjects({ into, earlier }: { into: string; earlier: string }): Promise<number> {
  for (const blob of globSync('*/blobs/*', { cwd: earlier })) {
    if (existsSync(path.join(into, blob))) continue
    mkdirSync(path.dirname(path.join(into, blob)), { recursive: true })
    copyFileSync(path.join(earlier, blob), path.join(into, blob))
  }
  const blobs = globSync('*/blobs/*', { cwd: into }).map((blob) => path.basename(blob))
  let objects = 0
  for (const name of globSync('*/*.sqlite', { cwd: into })) {
    objects += mergeEntries(path.join(into, name), path.join(earlier, name), blobs)
  }
  return objects
}

function mergeEntries(into: string, earlier: string, blobs: readonly string[]): number {
  const database = new DatabaseSync(into)
  try {
    if (!hasObjects(database)) return 0
    if (existsSync(earlier)) {
      database.prepare('ATTACH ? AS earlier').run(earlier)
      database.exec('INSERT OR IGNORE INTO _mf_objects SELECT * FROM earlier._mf_objects')
    }
    database
      .prepare(
        'DELETE FROM _mf_objects WHERE blob_id IS NOT NULL AND blob_id NOT IN (SELECT value FROM json_each(?))',
      )
      .run(JSON.stringify(blobs))
    return Number(database.prepare('SELECT count(*) AS n FROM _mf_objects').get()?.['n'] ?? 0)
  } finally {
    database.close()
  }
}

function hasObjects(database: DatabaseSync): boolean {
  return database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = '_mf_objects'`).get() !== undefined
}

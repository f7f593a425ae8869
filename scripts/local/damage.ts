import { closeSync, globSync, openSync, readSync, renameSync } from 'node:fs'
import path from 'node:path'
import { RelayStartError } from './start-error.ts'

/** Pacers hold nothing that the database does not: one that begins anew asks for it. */
const PACERS = 'do/*-Pacer/*.sqlite'
const DATABASES = ['d1/**/*.sqlite', 'r2/**/*.sqlite']

/** Puts aside pacers that cannot be read, so that they are made anew; answers how many there were. */
export async function renewPacers(dataPath: string): Promise<number> {
  const damaged = await damagedOf(dataPath, [PACERS])
  for (const file of damaged) {
    for (const part of globSync(`${file}*`)) renameSync(part, `${part}.damaged`)
    console.error(`${file} was damaged and is made anew. Nothing is lost: what waits is in the database.`)
  }
  return damaged.length
}

/** Refuses databases that are none by their first bytes, of which the runtime would say less, and later. */
export function requireDatabases(dataPath: string): void {
  const file = filesOf(dataPath, DATABASES).find((name) => !beginsAsDatabase(name))
  if (file !== undefined) throw isDamaged(file)
}

/** Says of a start that failed which file cannot be read, and what to do; answers other failures as they are. */
export async function explainFailure(error: unknown, dataPath: string): Promise<unknown> {
  if (error instanceof RelayStartError) return error
  const [file] = await damagedOf(dataPath, DATABASES)
  if (file !== undefined) return isDamaged(file)
  return isOfFiles(error) ? new RelayStartError(`The state cannot be used: ${error.message}.`) : error
}

const WAY_OUT =
  'Restore a backup into another folder and start with it as STATE_DIR (docs/operations.md), or begin anew with an empty one. Keep this folder: SQLite’s ".recover" may still read part of it.'

function isDamaged(file: string): RelayStartError {
  return new RelayStartError(`${file} is damaged. ${WAY_OUT}`)
}

const FIRST_BYTES = Buffer.from('SQLite format 3\0')

/** True for an empty file too, which a new database is. */
function beginsAsDatabase(file: string): boolean {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(FIRST_BYTES.length)
    return readSync(descriptor, bytes) === 0 || bytes.equals(FIRST_BYTES)
  } finally {
    closeSync(descriptor)
  }
}

function filesOf(dataPath: string, patterns: readonly string[]): string[] {
  return globSync([...patterns], { cwd: dataPath }).map((name) => path.join(dataPath, name))
}

/** Loaded only here: most starts do not look. */
async function damagedOf(dataPath: string, patterns: readonly string[]): Promise<string[]> {
  const files = filesOf(dataPath, patterns)
  if (files.length === 0) return []
  const { DatabaseSync } = await import('node:sqlite')
  return files.filter((file) => {
    try {
      const database = new DatabaseSync(file)
      try {
        return database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok'
      } finally {
        database.close()
      }
    } catch {
      return true
    }
  })
}

/** A file or folder that is another one's, or full, or of another kind. */
function isOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'path' in error && 'syscall' in error
}

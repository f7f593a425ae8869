import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../local/root.ts'

const FOLDER = '.posthorn-deploy'

/**
 * Secrets that were made here and not yet shown. They are on disk, for this user alone, before Cloudflare gets them: a
 * deploy that is killed in between goes on with the same ones, and none is lost.
 */
export class PendingSecrets {
  /** Read by wrangler. */
  readonly file: string

  constructor(accountId: string, worker: string, folder = path.join(ROOT, FOLDER)) {
    this.file = path.join(folder, `${accountId}.${worker}.json`)
  }

  get values(): Record<string, string> {
    return existsSync(this.file)
      ? (JSON.parse(readFileSync(this.file, 'utf8')) as Record<string, string>)
      : {}
  }

  /** Takes them from the shell, and makes those that neither it has nor a run before has made. */
  make(names: readonly string[], shell: Record<string, string | undefined>): void {
    const known = this.values
    const values = {
      ...known,
      ...Object.fromEntries(names.map((name) => [name, shell[name] || (known[name] ?? newSecret(name))])),
    }
    mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 })
    // Whole or not at all: half a file would be half a key.
    const draft = `${this.file}.${process.pid}`
    writeFileSync(draft, JSON.stringify(values), { mode: 0o600 })
    renameSync(draft, this.file)
  }

  /** Forgets them: they have been shown. */
  forget(): void {
    rmSync(this.file, { force: true })
  }
}

function newSecret(name: string): string {
  const bytes = randomBytes(32)
  return name === 'KEY_ENCRYPTION_KEY' ? bytes.toString('base64') : `admin_${bytes.toString('base64url')}`
}

/** `npm run dev`: wrangler dev with reload, on the state of `npm start`, whose database it migrates first. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { SLOTS_UNLIMITED } from '../../src/base/concurrency/slots.ts'
import { namesOf, readBuild } from '../local/build/build.ts'
import { describeMigrations, migratedOf, migrationTitle } from '../local/migrations/migrated.ts'
import { migrateBefore } from '../local/migrations/migrations.ts'
import { numberFromShell } from '../local/shell-variables.ts'
import { RelayStartError } from '../local/start-error.ts'
import { StateDir } from '../local/state.ts'
import { execWrangler } from './wrangler.ts'

try {
  const port = numberFromShell('PORT', { fallback: 8787, min: 0, max: 65_535 })
  const state = await StateDir.take(process.env.STATE_DIR || '.posthorn')
  process.once('exit', () => state.release())
  // The key first: none is made beside a database.
  const dev = devArguments(state, port)
  await migrate(state)
  await execWrangler([...dev, ...process.argv.slice(2)])
} catch (error) {
  console.error(error instanceof RelayStartError ? error.message : error)
  process.exit(1)
}

async function migrate(state: StateDir): Promise<void> {
  const build = await readBuild(path.join(state.path, 'build'))
  const names = namesOf(build)
  const migrated = migratedOf(names, await migrateBefore(state.dataPath, build))
  const newest = migrationTitle(names.at(-1) ?? '')
  console.log(`State ${state.path}, at migration ${newest}${describeMigrations(migrated)}`)
}

function devArguments(state: StateDir, port: number): string[] {
  const vars = [
    'ALLOW_PRIVATE_DESTINATIONS:true',
    `DELIVERY_SLOTS:${SLOTS_UNLIMITED}`,
    `LOG_SAMPLE:${process.env.LOG_SAMPLE ?? 'off'}`,
  ].flatMap((value) => ['--var', value])
  const where = ['--ip', '127.0.0.1', '--port', `${port}`, '--persist-to', state.path]
  return ['dev', ...where, '--env-file', secretsFile(state), '--test-scheduled', ...vars]
}

/** A file rather than arguments, which every process of the machine can read. */
function secretsFile(state: StateDir): string {
  const file = path.join(state.path, 'dev-secrets.env')
  const adminKey = process.env.ADMIN_KEY || 'posthorn_local_admin'
  const previous = state.previousKeyEncryptionKey()
  const lines = [
    `ADMIN_KEY=${adminKey}`,
    `KEY_ENCRYPTION_KEY=${state.keyEncryptionKey()}`,
    ...(previous === null ? [] : [`KEY_ENCRYPTION_KEY_PREVIOUS=${previous}`]),
    '',
  ]
  writeFileSync(file, lines.join('\n'), { mode: 0o600 })
  return file
}

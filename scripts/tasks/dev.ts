/** `npm run dev`: wrangler dev with reload, its local database migrated and its secrets made. */
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SLOTS_UNLIMITED } from '../../src/base/concurrency/slots.ts'
import { ROOT } from '../local/root.ts'
import { execWrangler, runWrangler } from './wrangler.ts'

const secretsFile = path.join(ROOT, '.dev.vars')
if (!existsSync(secretsFile)) {
  const key = randomBytes(32).toString('base64')
  writeFileSync(secretsFile, `ADMIN_KEY=posthorn_local_admin\nKEY_ENCRYPTION_KEY=${key}\n`, { mode: 0o600 })
}

runWrangler(['d1', 'migrations', 'apply', 'DB', '--local'])
const logSample = process.env.LOG_SAMPLE ?? 'off'
const vars = [
  'ALLOW_PRIVATE_DESTINATIONS:true',
  `DELIVERY_SLOTS:${SLOTS_UNLIMITED}`,
  `LOG_SAMPLE:${logSample}`,
].flatMap((value) => ['--var', value])
await execWrangler(['dev', '--ip', '127.0.0.1', '--test-scheduled', ...vars, ...process.argv.slice(2)])

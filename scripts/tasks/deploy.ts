/** `npm run deploy`: creates what is missing on Cloudflare, migrates, deploys. `--dry-run` only says what it would do. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { unstable_readConfig as readConfig } from 'wrangler'
import { ROOT } from '../local/root.ts'
import { readWrangler, runWrangler } from './wrangler.ts'

/** wrangler.toml with the database's real id, which differs from account to account and is not committed. */
const DEPLOY_CONFIG = 'wrangler.deploy.toml'

const dryRun = process.argv.includes('--dry-run')
const config = readConfig({ config: path.join(ROOT, 'wrangler.toml') }, { hideWarnings: true })

/** A list from wrangler; a failure here is most often a missing login, which wrangler explains itself. */
function list(args: string[]): string {
  const { ok, output } = readWrangler(args)
  if (!ok) throw new Error(`wrangler ${args.join(' ')} failed:\n${output}`)
  return output
}

function step(title: string): void {
  console.log(`\n— ${title}`)
}

function run(args: string[]): void {
  if (dryRun) console.log(`  wrangler ${args.join(' ')}`)
  else runWrangler(args)
}

/** Whether `name` stands as a whole word in wrangler's listing: its tables have no stable machine format. */
function mentions(listing: string, name: string): boolean {
  return new RegExp(`(^|[^\\w-])${name}($|[^\\w-])`, 'm').test(listing)
}

function databaseId(name: string): string | undefined {
  const databases = JSON.parse(list(['d1', 'list', '--json'])) as { name: string; uuid: string }[]
  return databases.find((database) => database.name === name)?.uuid
}

function ensureDatabases(): void {
  let toml = readFileSync(path.join(ROOT, 'wrangler.toml'), 'utf8')
  for (const { database_name: name, database_id: localId } of config.d1_databases) {
    if (!name || !localId)
      throw new Error('Every D1 binding in wrangler.toml needs database_name and database_id.')
    step(`D1 database ${name}`)
    if (dryRun) {
      console.log(`  wrangler d1 create ${name}   (unless it exists)`)
      continue
    }
    if (!databaseId(name)) runWrangler(['d1', 'create', name, '--update-config=false'])
    const id = databaseId(name)
    if (!id) throw new Error(`D1 database ${name} was not created.`)
    toml = toml.replace(`database_id = "${localId}"`, `database_id = "${id}"`)
  }
  if (!dryRun) writeFileSync(path.join(ROOT, DEPLOY_CONFIG), toml)
}

function ensureBuckets(): void {
  const listing = dryRun ? '' : list(['r2', 'bucket', 'list'])
  for (const { bucket_name: name } of config.r2_buckets) {
    step(`R2 bucket ${name}`)
    if (name && !mentions(listing, name)) run(['r2', 'bucket', 'create', name, '--update-config=false'])
  }
}

function ensureQueues(): void {
  const names = new Set([
    ...(config.queues.producers ?? []).map(({ queue }: { queue: string }) => queue),
    ...(config.queues.consumers ?? []).map(({ queue }: { queue: string }) => queue),
  ])
  for (const name of names) {
    step(`Queue ${name}`)
    if (dryRun || !readWrangler(['queues', 'info', name]).ok) run(['queues', 'create', name])
  }
}

/** Names of the required secrets that are not set; all of them before the first deploy. */
function missingSecrets(): string[] {
  const required: string[] = config.secrets?.required ?? []
  const { ok, output } = readWrangler(['secret', 'list', '--config', DEPLOY_CONFIG])
  return ok ? required.filter((name) => !mentions(output, name)) : required
}

function checkSecrets(): void {
  step('Secrets ADMIN_KEY and KEY_ENCRYPTION_KEY')
  const missing = dryRun ? [] : missingSecrets()
  if (missing.length === 0) return
  const commands = missing.map((name) =>
    name === 'KEY_ENCRYPTION_KEY'
      ? `  (umask 077; openssl rand -base64 32 > ~/posthorn-key-encryption-key.txt); npx wrangler secret put ${name} < ~/posthorn-key-encryption-key.txt   # keep the file safe: signing secrets are lost with it`
      : `  npx wrangler secret put ${name}`,
  )
  throw new Error(`Not set: ${missing.join(', ')}. Set them, then deploy again:\n${commands.join('\n')}`)
}

try {
  ensureDatabases()
  ensureBuckets()
  ensureQueues()
  checkSecrets()
  step('Migrations')
  run(['d1', 'migrations', 'apply', 'DB', '--remote', '--config', DEPLOY_CONFIG])
  step('Deploy')
  if (dryRun) runWrangler(['deploy', '--dry-run'])
  else runWrangler(['deploy', '--config', DEPLOY_CONFIG])
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

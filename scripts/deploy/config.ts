import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { unstable_readConfig as readConfig } from 'wrangler'
import { ROOT } from '../local/root.ts'
import { deployConfig, renamedFrom, type Target } from './config-text.ts'
import { DeployError } from './deploy-error.ts'
import type { Needs } from './plan.ts'

const CONFIG = path.join(ROOT, 'wrangler.toml')
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const NAME = /^[a-z0-9][a-z0-9-]{0,40}$/
const HOST = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/

/** The relay that wrangler.toml describes, under the name that is asked for or its own. */
export function targetOf({
  name,
  domain,
}: {
  name?: string | undefined
  domain?: string | undefined
}): Target {
  const own = ownName()
  if (name !== undefined && !NAME.test(name))
    throw new DeployError(`--name must be lower-case letters, digits and hyphens, at most 41, not "${name}".`)
  if (domain !== undefined && !HOST.test(domain))
    throw new DeployError(`--domain must be a host name such as hooks.example.com, not "${domain}".`)
  return { name: name ?? own, domain: domain ?? null }
}

/** The resources that wrangler.toml asks for, under the target's names. */
export function needsOf(target: Target): Needs {
  const config = readConfig({ config: CONFIG }, { hideWarnings: true })
  const [database] = config.d1_databases
  if (!database?.database_name) throw new DeployError('wrangler.toml needs a D1 database with database_name.')
  const rename = (name: string) => renamed(name, target.name)
  const queues = [
    ...(config.queues.producers ?? []).map(({ queue }: { queue: string }) => queue),
    ...(config.queues.consumers ?? []).flatMap(
      ({ queue, dead_letter_queue: deadLetters }: { queue: string; dead_letter_queue?: string }) =>
        deadLetters === undefined ? [queue] : [queue, deadLetters],
    ),
  ]
  const isOwn = target.name === ownName()
  return {
    worker: target.name,
    database: rename(database.database_name),
    databaseId: isOwn && UUID.test(database.database_id ?? '') ? (database.database_id ?? null) : null,
    buckets: config.r2_buckets.map(({ bucket_name: name = '' }) => rename(name)),
    queues: [...new Set(queues.map(rename))],
    secrets: config.secrets?.required ?? [],
  }
}

/** Writes the configuration that wrangler deploys with, and answers its name. It has ids of the account: it is not committed. */
export function writeDeployConfig(target: Target, databaseId: string): string {
  const file = target.name === ownName() ? 'wrangler.deploy.toml' : `wrangler.deploy.${target.name}.toml`
  writeFileSync(path.join(ROOT, file), deployConfig(readFileSync(CONFIG, 'utf8'), target, databaseId))
  return file
}

function ownName(): string {
  const [, own = 'posthorn'] = /^name = "(.+)"$/m.exec(readFileSync(CONFIG, 'utf8')) ?? []
  return own
}

function renamed(each: string, name: string): string {
  return renamedFrom(ownName(), each, name)
}

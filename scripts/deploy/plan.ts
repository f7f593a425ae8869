import type { CloudflareAccount } from './cloudflare.ts'
import { DeployError } from './deploy-error.ts'

/** The resources of a relay, by the names in wrangler.toml. */
export type Needs = {
  worker: string
  database: string
  /** The real id, where the configuration has one. */
  databaseId: string | null
  buckets: readonly string[]
  queues: readonly string[]
  secrets: readonly string[]
}

/** One thing that the relay needs, and if it is there. */
export type Need = { kind: 'D1 database' | 'R2 bucket' | 'Queue' | 'Secret'; name: string; isThere: boolean }

/** The needs of a relay as an account meets them: a deploy makes those that are not there. */
export type Plan = {
  needs: readonly Need[]
  databaseId: string | null
  isWorkerThere: boolean
}

/** The plan for an account that was not looked at: all of it is missing. */
export function planForNewAccount(needs: Needs): Plan {
  return { needs: needsOf(needs, () => false), databaseId: needs.databaseId, isWorkerThere: false }
}

/** Looks at an account; nothing is changed. */
export async function planFor(account: CloudflareAccount, needs: Needs): Promise<Plan> {
  const databaseId = needs.databaseId ?? (await account.databaseId(needs.database))
  const queues = await account.queues()
  const secrets = await account.secrets(needs.worker)
  const buckets = new Set<string>()
  for (const name of needs.buckets) if (await account.hasBucket(name)) buckets.add(name)
  const isThere: Record<Need['kind'], (name: string) => boolean> = {
    'D1 database': () => databaseId !== null,
    'R2 bucket': (name) => buckets.has(name),
    Queue: (name) => queues.has(name),
    Secret: (name) => secrets?.has(name) ?? false,
  }
  const plan = {
    needs: needsOf(needs, (kind, name) => isThere[kind](name)),
    databaseId,
    isWorkerThere: secrets !== null,
  }
  await requireKeyOfDatabase(account, plan)
  return plan
}

/** The plan as lines, in the order of the work. */
export function describePlan({ needs, isWorkerThere }: Plan, worker: string): string[] {
  const width = Math.max(...needs.map(({ kind, name }) => kind.length + name.length + 1))
  const lines = needs.map(({ kind, name, isThere }) => {
    const made = kind === 'Secret' ? 'make and set' : 'create'
    return `  ${`${kind} ${name}`.padEnd(width)}  ${isThere ? 'is there' : made}`
  })
  const last = isWorkerThere ? 'upload a new version' : 'create'
  return [
    ...lines,
    `  ${'Migrations'.padEnd(width)}  apply what is new`,
    `  ${`Worker ${worker}`.padEnd(width)}  ${last}`,
  ]
}

function needsOf(
  { database, buckets, queues, secrets }: Needs,
  isThere: (kind: Need['kind'], name: string) => boolean,
): Need[] {
  const all: [Need['kind'], readonly string[]][] = [
    ['D1 database', [database]],
    ['R2 bucket', buckets],
    ['Queue', queues],
    ['Secret', secrets],
  ]
  return all.flatMap(([kind, names]) => names.map((name) => ({ kind, name, isThere: isThere(kind, name) })))
}

const HAS_KEY_TABLE = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'key_check'"
const HAS_KEY = "SELECT 1 AS has_key FROM key_check WHERE sealed <> ''"

/** Secrets sealed under a key that is gone cannot be read: no new key is made for a database that knows one. */
async function requireKeyOfDatabase(account: CloudflareAccount, { needs, databaseId }: Plan): Promise<void> {
  const key = needs.find(({ name }) => name === 'KEY_ENCRYPTION_KEY')
  if (key === undefined || key.isThere || databaseId === null || process.env['KEY_ENCRYPTION_KEY']) return
  const [table] = await account.query(databaseId, HAS_KEY_TABLE)
  if (table === undefined) return
  const [known] = await account.query(databaseId, HAS_KEY)
  if (known === undefined) return
  throw new DeployError(
    'The database has secrets that were sealed under a KEY_ENCRYPTION_KEY, and the Worker has none: with a new one they could not be read. Run it again with KEY_ENCRYPTION_KEY set to that key in the shell. If it is lost, "Changing a secret" in docs/operations.md says how to go on under another one.',
  )
}

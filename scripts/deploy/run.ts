import type { CloudflareAccount } from './cloudflare.ts'
import { writeDeployConfig } from './config.ts'
import type { Target } from './config-text.ts'
import { DeployError } from './deploy-error.ts'
import type { PendingSecrets } from './pending-secrets.ts'
import type { Need, Plan } from './plan.ts'

/** The account, the secrets and the tools that a deploy acts through. */
export type DeployDeps = {
  account: CloudflareAccount
  secrets: PendingSecrets
  /** Runs wrangler on the terminal; throws where it fails. */
  wrangler: (args: string[]) => void
  /** Runs `wrangler deploy`, and answers the addresses that it names. */
  deploy: (args: string[]) => string[]
  say: (line: string) => void
  shell: Record<string, string | undefined>
}

/** A relay that answers: where, and the secrets that were made for it, which are shown once. */
export type Deployed = { addresses: string[]; made: Record<string, string> }

/**
 * Makes what is missing, migrates, deploys. A second run finds the steps of the first one done or not done, and none half
 * done: it may be killed anywhere and run again.
 */
export async function runDeploy(deps: DeployDeps, target: Target, plan: Plan): Promise<Deployed> {
  const missing = plan.needs.filter(({ isThere }) => !isThere)
  const unset = missing.filter(({ kind }) => kind === 'Secret').map(({ name }) => name)
  if (unset.length > 0) makeSecrets(deps, unset)
  for (const need of missing) await create(deps, need)
  const databaseId = plan.databaseId ?? (await createdDatabase(deps, plan))
  const config = writeDeployConfig(target, databaseId)
  // Before the code that needs them; the code of before does with what is added.
  deps.say('Migrations')
  deps.wrangler(['d1', 'migrations', 'apply', 'DB', '--remote', '--config', config])
  deps.say(`Worker ${target.name}`)
  const file = unset.length > 0 ? ['--secrets-file', deps.secrets.file] : []
  const addresses = deps.deploy(['deploy', '--config', config, ...file])
  return { addresses, made: deps.secrets.values }
}

/** In a build of Cloudflare's the log is kept, and so would be the secrets. */
function makeSecrets({ secrets, shell }: DeployDeps, names: readonly string[]): void {
  const ungiven = names.filter((name) => !shell[name])
  if (shell['WORKERS_CI'] && ungiven.length > 0)
    throw new DeployError(
      `Not set: ${ungiven.join(', ')}. Set them as secrets of the Worker (Settings, Variables and Secrets), then build again. For KEY_ENCRYPTION_KEY use the output of \`openssl rand -base64 32\`, and keep a copy.`,
    )
  secrets.make(names, shell)
}

async function create({ account, say }: DeployDeps, { kind, name }: Need): Promise<void> {
  switch (kind) {
    case 'D1 database':
      say(`${kind} ${name}`)
      await account.createDatabase(name)
      return
    case 'R2 bucket':
      say(`${kind} ${name}`)
      await account.createBucket(name)
      return
    case 'Queue':
      say(`${kind} ${name}`)
      await account.createQueue(name)
      return
    case 'Secret':
      // Uploaded with the Worker.
      return
  }
}

async function createdDatabase({ account }: DeployDeps, { needs }: Plan): Promise<string> {
  const { name = '' } = needs.find(({ kind }) => kind === 'D1 database') ?? {}
  const id = await account.databaseId(name)
  if (id === null)
    throw new DeployError(`D1 database ${name} was created, but is not listed yet. Run it again.`)
  return id
}

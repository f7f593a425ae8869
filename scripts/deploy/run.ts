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

/** A relay that answers: where, and the secrets that were made for it, not given, which are shown once. */
export type Deployed = { addresses: string[]; made: Record<string, string> }

/**
 * Makes what is missing, migrates, deploys. A second run finds the steps of the first one done or not done, and none half
 * done: it may be killed anywhere and run again.
 */
export async function runDeploy(deps: DeployDeps, target: Target, plan: Plan): Promise<Deployed> {
  const missing = plan.needs.filter(({ isThere }) => !isThere)
  const unset = missing.filter(({ kind }) => kind === 'Secret').map(({ name }) => name)
  if (unset.length > 0) makeSecrets(deps, unset)
  const databaseId = plan.databaseId ?? (await createDatabase(deps, plan))
  for (const need of missing) await create(deps, need)
  const config = writeDeployConfig(target, databaseId)
  // Before the code that needs them; the code of before does with what is added.
  deps.say('Migrations')
  deps.wrangler(['d1', 'migrations', 'apply', 'DB', '--remote', '--config', config])
  deps.say(`Worker ${target.name}`)
  const file = unset.length > 0 ? ['--secrets-file', deps.secrets.file] : []
  const addresses = deps.deploy(['deploy', '--config', config, ...file])
  const made = Object.entries(deps.secrets.values).filter(([name, value]) => value !== deps.shell[name])
  return { addresses, made: Object.fromEntries(made) }
}

/** The log of a build is kept, and so would be secrets that it shows. */
function makeSecrets({ secrets, shell }: DeployDeps, names: readonly string[]): void {
  const ungiven = names.filter((name) => !shell[name])
  if ((shell['CI'] || shell['WORKERS_CI']) && ungiven.length > 0)
    throw new DeployError(
      `Not set: ${ungiven.join(', ')}. The log of a build (CI or WORKERS_CI is set) would keep keys that are made here. Set them as secrets of the Worker (Settings, Variables and Secrets) or in the shell of the build, then build again. For KEY_ENCRYPTION_KEY use the output of \`openssl rand -base64 32\`, and keep a copy.`,
    )
  secrets.make(names, shell)
}

async function create({ account, say }: DeployDeps, { kind, name }: Need): Promise<void> {
  switch (kind) {
    case 'D1 database':
      // Created before all others: the configuration needs its id.
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

async function createDatabase({ account, say }: DeployDeps, { needs }: Plan): Promise<string> {
  const { name = '' } = needs.find(({ kind }) => kind === 'D1 database') ?? {}
  say(`D1 database ${name}`)
  return await account.createDatabase(name)
}

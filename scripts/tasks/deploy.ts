/**
 * `npm run deploy`: creates what is missing on Cloudflare, migrates, deploys, and shows the address and the new keys once.
 * `-- --dry-run` shows what it would do, and builds the Worker. `--name` deploys another relay beside the first.
 */
import { parseArgs } from 'node:util'
import { CloudflareAccount } from '../deploy/cloudflare.ts'
import { needsOf, targetOf } from '../deploy/config.ts'
import type { Target } from '../deploy/config-text.ts'
import { findAccess, findAccountId } from '../deploy/credentials.ts'
import { DeployError } from '../deploy/deploy-error.ts'
import { PendingSecrets } from '../deploy/pending-secrets.ts'
import { describePlan, planFor, planForNewAccount } from '../deploy/plan.ts'
import { type Deployed, runDeploy } from '../deploy/run.ts'
import { deployWithWrangler, runWrangler } from './wrangler.ts'

const USAGE = 'npm run deploy -- [--dry-run] [--name NAME] [--domain HOST]'
const say = (line: string) => console.log(line)

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        'dry-run': { type: 'boolean', default: false },
        name: { type: 'string' },
        domain: { type: 'string' },
      },
    })
    return { isDry: values['dry-run'], target: targetOf(values) }
  } catch (error) {
    if (error instanceof DeployError) throw error
    throw new DeployError(`${error instanceof Error ? error.message : error}\n${USAGE}`)
  }
}

async function showPlan(target: Target): Promise<void> {
  const access = findAccess(process.env)
  const needs = needsOf(target)
  if (access === null) {
    say('Not logged in to Cloudflare: this is the plan for an account that has nothing of it yet.\n')
    for (const line of describePlan(planForNewAccount(needs), target.name)) say(line)
  } else {
    const accountId = await findAccountId(access, process.env)
    say(`In account ${accountId}:\n`)
    const plan = await planFor(new CloudflareAccount(access, accountId), needs)
    for (const line of describePlan(plan, target.name)) say(line)
  }
  say('\nNothing was changed. The Worker as it would be uploaded:\n')
  runWrangler(['deploy', '--dry-run'])
}

async function deploy(target: Target): Promise<void> {
  const access = findAccess(process.env)
  if (access === null)
    throw new DeployError(
      'Not logged in to Cloudflare. Run: npx wrangler login (or set CLOUDFLARE_API_TOKEN)',
    )
  const accountId = await findAccountId(access, process.env)
  process.env['CLOUDFLARE_ACCOUNT_ID'] = accountId
  const account = new CloudflareAccount(access, accountId)
  const plan = await planFor(account, needsOf(target))
  for (const line of describePlan(plan, target.name)) say(line)
  say('')
  const secrets = new PendingSecrets(accountId, target.name)
  const deps = { account, secrets, wrangler: migrate, deploy: deployWithWrangler, say, shell: process.env }
  showDeployed(target, await runDeploy(deps, target, plan))
  secrets.forget()
}

/** On a terminal it would ask before migrating, which was asked for already; in a build nothing could answer. */
function migrate(args: string[]): void {
  runWrangler(args, { CI: 'true' })
}

function showDeployed({ domain }: Target, { addresses, made }: Deployed): void {
  const [named = 'the address that wrangler has named'] = addresses
  const address = domain === null ? named : `https://${domain}`
  say(`\nThe relay is at ${address}`)
  for (const [name, value] of Object.entries(made)) say(`${name}  ${value}`)
  if (Object.keys(made).length > 0)
    say('Keep these now: they are shown once, and Cloudflare shows them to nobody.')
  if ('KEY_ENCRYPTION_KEY' in made)
    say('Without KEY_ENCRYPTION_KEY the signing secrets in the database are lost.')
  say(`\n  curl ${address}/healthz`)
}

try {
  const { isDry, target } = readArguments()
  await (isDry ? showPlan(target) : deploy(target))
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

import { readWrangler } from '../tasks/wrangler.ts'
import { type ApiAccess, baseUrlOf, listAccounts } from './cloudflare.ts'
import { DeployError } from './deploy-error.ts'

type Shell = Record<string, string | undefined>
type Credentials =
  | { type: 'api_token' | 'oauth'; token: string }
  | { type: 'api_key'; key: string; email: string }

/** Access to the API with wrangler's own credentials, from the shell or its login; null where there are none. */
export function findAccess(shell: Shell): ApiAccess | null {
  const { ok, output } = readWrangler(['auth', 'token', '--json'])
  if (!ok) return null
  const credentials = JSON.parse(output) as Credentials
  return { baseUrl: baseUrlOf(shell), headers: headersOf(credentials) }
}

/** The account to deploy to: the one that the shell names, or the only one. */
export async function findAccountId(access: ApiAccess, shell: Shell): Promise<string> {
  const named = shell['CLOUDFLARE_ACCOUNT_ID']
  if (named) return named
  const accounts = await listAccounts(access)
  const [only] = accounts
  if (only !== undefined && accounts.length === 1) return only.id
  if (only === undefined)
    throw new DeployError(
      'The credentials name no account: set CLOUDFLARE_ACCOUNT_ID to the one to deploy to.',
    )
  const list = accounts.map(({ id, name }) => `  CLOUDFLARE_ACCOUNT_ID=${id}   # ${name}`).join('\n')
  throw new DeployError(`There are several accounts. Run it again with one of them:\n${list}`)
}

function headersOf(credentials: Credentials): Record<string, string> {
  if (credentials.type === 'api_key')
    return { 'X-Auth-Key': credentials.key, 'X-Auth-Email': credentials.email }
  return { Authorization: `Bearer ${credentials.token}` }
}

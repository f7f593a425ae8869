import { isRecord } from '../../../base/json/value.ts'
import { MASK } from '../../../base/secret/redaction.ts'
import { type DestinationAuth, destinationAuthSchema, secretsOf } from '../../../destination/auth.ts'
import type { Problem } from '../../../model/errors.ts'
import { findProblems } from '../../../subscription/check.ts'
import type { ApiDeps } from '../../context.ts'
import { aliasesIn, SUBSCRIPTION_ALIASES } from '../../request/aliases.ts'

/** The names that a body with the settings of a subscription may have for them. */
export const SUBSCRIPTION_NAMING = { aliases: SUBSCRIPTION_ALIASES, workspaceIdIn: '' }

/** The same for a body that holds a subscription beside other things. */
export const HELD_SUBSCRIPTION_NAMING = {
  aliases: aliasesIn('subscription', SUBSCRIPTION_ALIASES),
  workspaceIdIn: 'subscription',
}

/** Finds addresses and secrets that cannot be used in a body that its schema has refused already. */
export async function checkRefusedSettings({ destinations }: ApiDeps, body: unknown): Promise<Problem[]> {
  if (!isRecord(body)) return []
  const { url, secret, custom } = body
  return await findProblems(destinations, {
    url: typeof url === 'string' && url !== '' ? url : undefined,
    // A custom scheme may want a key of another form, and may be at fault itself.
    secret: typeof secret === 'string' && secret !== MASK && custom === undefined ? secret : undefined,
    auth: wholeAuth(body['auth']),
    custom: null,
  })
}

/** The same for a subscription in a member of the body. */
export async function checkRefusedHeldSettings(deps: ApiDeps, body: unknown): Promise<Problem[]> {
  if (!isRecord(body)) return []
  const problems = await checkRefusedSettings(deps, body['subscription'])
  return problems.map(({ path, message }) => ({ path: `subscription.${path}`, message }))
}

/** An `auth` that is fit to be checked: valid in itself, and with its credentials. */
function wholeAuth(auth: unknown): DestinationAuth | null {
  const { success, data } = destinationAuthSchema.safeParse(auth)
  return success && !secretsOf(data).includes(MASK) ? data : null
}

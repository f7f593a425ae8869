import { isRecord } from '../../../base/json/value.ts'
import { MASK } from '../../../base/secret/redaction.ts'
import { type DestinationAuth, destinationAuthSchema, secretsOf } from '../../../destination/auth.ts'
import { rulesWithin } from '../../../destination/url.ts'
import { invalidFields, type Problem, RelayError } from '../../../model/errors.ts'
import type { Invalid } from '../../../subscription/checks/address-problems.ts'
import { findProblems } from '../../../subscription/checks/check.ts'
import { findWorkspaceSettings } from '../../../workspace/settings.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { aliasesIn, SUBSCRIPTION_ALIASES } from '../../request/aliases.ts'

type Call = { deps: ApiDeps; workspaceId: string }

/** The names that a body with the settings of a subscription may have for them. */
export const SUBSCRIPTION_NAMING = { aliases: SUBSCRIPTION_ALIASES, workspaceIdIn: '' }

/** The same for a body that holds a subscription beside other things. */
export const HELD_SUBSCRIPTION_NAMING = {
  aliases: aliasesIn('subscription', SUBSCRIPTION_ALIASES),
  workspaceIdIn: 'subscription',
}

/** A host that could not be looked up may be looked up again by then. */
const RETRY_SECONDS = 5

/** Finds addresses and secrets that cannot be used in a body that its schema has refused already. */
export async function checkRefusedSettings({ deps, workspaceId }: Call, body: unknown): Promise<Problem[]> {
  if (!isRecord(body)) return []
  const { url, secret, custom } = body
  const own = await findWorkspaceSettings(deps.db, workspaceId)
  return await findProblems(rulesWithin(deps.destinations, own), {
    url: typeof url === 'string' && url !== '' ? url : undefined,
    // A custom scheme may want a key of another form, and may be at fault itself.
    secret: typeof secret === 'string' && secret !== MASK && custom === undefined ? secret : undefined,
    auth: wholeAuth(body['auth']),
    custom: null,
  })
}

/** The same for a subscription in a member of the body. */
export async function checkRefusedHeldSettings(call: Call, body: unknown): Promise<Problem[]> {
  if (!isRecord(body)) return []
  const problems = await checkRefusedSettings(call, body['subscription'])
  return problems.map(({ path, message }) => ({ path: `subscription.${path}`, message }))
}

/** An `auth` that is fit to be checked: valid in itself, and with its credentials. */
function wholeAuth(auth: unknown): DestinationAuth | null {
  const { success, data } = destinationAuthSchema.safeParse(auth)
  return success && !secretsOf(data).includes(MASK) ? data : null
}

/** The refusal of settings that cannot be accepted, or cannot be checked just now; `holder` is where they stand. */
export function unacceptable({ problems, isTemporary = false }: Invalid, holder = ''): RelayError {
  const details = problems.map(({ path, message }) => ({ path: holder + path, message }))
  if (!isTemporary) return invalidFields(details)
  const message = details.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return new RelayError('unavailable', message, { details, retryAfterSeconds: RETRY_SECONDS })
}

import { MASK } from '../../base/secret/redaction.ts'
import type { Vault } from '../../base/secret/vault.ts'
import { secretsOf } from '../../destination/auth.ts'
import { openHeaders } from '../../destination/sealed.ts'
import type { Problem } from '../../model/errors.ts'
import { promisesCredential } from '../../shape/headers.ts'
import type { UpdateSubscription } from '../input.ts'
import type { Subscription } from '../subscription.ts'

const AGAIN = 'when "url" moves to another origin: stored credentials are not sent to another address'

/**
 * Finds the stored credentials that a change of `url` would send to another origin. A caller who may change a
 * subscription but not read its credentials must not have them sent to an address of their choosing.
 */
export async function findMovedCredentials(
  vault: Vault,
  subscription: Subscription,
  change: UpdateSubscription,
): Promise<Problem[]> {
  const { settings, sealed } = subscription
  if (!movesAway(subscription, change)) return []
  const keepsAuth =
    change.auth === undefined
      ? sealed.authCipher !== null
      : change.auth !== null && secretsOf(change.auth).includes(MASK)
  const keepsHeaders = change.headers === undefined && settings.headersCipher !== null
  const headers = keepsHeaders ? await openHeaders(vault, subscription, settings.headersCipher ?? '') : {}
  return [
    ...(keepsAuth ? [{ path: 'auth', message: `must be given again, or null, ${AGAIN}` }] : []),
    ...Object.keys(headers)
      .filter(promisesCredential)
      .map((name) => ({
        path: `headers.${name}`,
        message: `must be given again, or left out of "headers", ${AGAIN}`,
      })),
  ]
}

/** True for a change that sends deliveries, and what is stored with them, to another origin. */
export function movesAway(
  { settings }: Pick<Subscription, 'settings'>,
  { url }: Pick<UpdateSubscription, 'url'>,
): boolean {
  return url !== undefined && originOf(url) !== originOf(settings.url)
}

/** The origin of a URL; a text that is no URL is refused elsewhere. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}

import { MASK } from '../../base/secret/redaction.ts'
import type { Vault } from '../../base/secret/vault.ts'
import { openHeaders } from '../../destination/sealed.ts'
import type { Problem } from '../../model/errors.ts'
import { keepMaskedHeaders } from '../../shape/headers.ts'
import type { UpdateSubscription } from '../input.ts'
import type { Subscription } from '../subscription.ts'
import { movesAway } from './moved.ts'

/**
 * The headers of a change, with the stored credential in the place of each that is masked. A caller who may not read
 * one must not have it sent to an address of their choosing.
 */
export async function openMaskedHeaders(
  vault: Vault,
  subscription: Subscription,
  change: Pick<UpdateSubscription, 'headers' | 'url'>,
): Promise<{ headers: Record<string, string> | undefined; problems: Problem[] }> {
  const { headers } = change
  if (headers === undefined || !Object.values(headers).includes(MASK)) return { headers, problems: [] }
  const { headersCipher } = subscription.settings
  const stored = headersCipher === null ? {} : await openHeaders(vault, subscription, headersCipher)
  const merged = keepMaskedHeaders(headers, stored)
  const problem = (name: string, message: string): Problem => ({ path: `headers.${name}`, message })
  return {
    headers: merged.headers,
    problems: [
      ...merged.unknown.map((name) => problem(name, UNKNOWN)),
      ...(movesAway(subscription, change) ? merged.kept.map((name) => problem(name, MOVED)) : []),
    ],
  }
}

const UNKNOWN = `must be given: nothing is stored that "${MASK}" could stand for`
const MOVED =
  'must be given again when "url" moves to another origin: the stored one is not sent to another address'

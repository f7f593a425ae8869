import type { Vault } from '../../base/secret/vault.ts'
import { generateEd25519, publicKeyOf } from '../../signature/ed25519.ts'
import { generateSecret, SECRET_KEY_BYTES } from '../../signature/secret.ts'
import type { Subscription } from '../subscription.ts'
import { isInOverlap, type SigningKeys } from './credentials.ts'

/** Keys made for one request that is shown and never sent. */
export type ThrowAwayKeys = { secret: string; previousSecret: string | null; publicKeys: string[] }

/**
 * Puts keys made for the occasion in the place of a subscription's own. A preview signs any text for any caller: its
 * receiver must not take that for a delivery.
 */
export async function withThrowAwayKeys(
  vault: Vault,
  subscription: Subscription,
  nowMs: number,
): Promise<{ subscription: Subscription; keys: ThrowAwayKeys }> {
  const { sealed } = subscription
  const inOverlap = isInOverlap(subscription, nowMs)
  const secret = newSecret()
  const previousSecret = inOverlap ? newSecret() : null
  const pairs = await newPairs(subscription, { inOverlap })
  const own = {
    ...sealed,
    secretCipher: await vault.seal(secret, subscription, 'secret'),
    previousSecretCipher:
      previousSecret === null ? null : await vault.seal(previousSecret, subscription, 'previous_secret'),
    signingKeysCipher:
      pairs === null ? null : await vault.seal(JSON.stringify(pairs), subscription, 'signing_keys'),
  }
  const publicKeys = [pairs?.current ?? [], pairs?.previous ?? []].flat().map(publicKeyOf)
  return { subscription: { ...subscription, sealed: own }, keys: { secret, previousSecret, publicKeys } }
}

/** Key pairs where the subscription has some: as many as it signs with now. */
async function newPairs(
  { settings, sealed }: Subscription,
  { inOverlap }: { inOverlap: boolean },
): Promise<SigningKeys | null> {
  if (!settings.asymmetric || sealed.signingKeysCipher === null) return null
  const [current, previous] = await Promise.all([generateEd25519(), generateEd25519()])
  return { current: current.secretKey, previous: inOverlap ? previous.secretKey : null }
}

function newSecret(): string {
  return generateSecret(crypto.getRandomValues(new Uint8Array(SECRET_KEY_BYTES)))
}

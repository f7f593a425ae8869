import type { Vault } from '../../base/secret/vault.ts'
import { type Ed25519Jwk, publicJwk, publicKeyOf } from '../../signature/ed25519.ts'
import type { Subscription } from '../subscription.ts'
import { isInOverlap, openKeys } from './credentials.ts'

/** A public key for `v1a` signatures: Standard Webhooks' `whpk_…`, and as a JSON Web Key. */
export type PublicKey = { text: string; jwk: Ed25519Jwk }

/**
 * The public keys a receiver has to accept now: the
 * current one and, during an overlap, the previous one.
 */
export async function publicKeysOf(
  vault: Vault,
  subscription: Subscription,
  nowMs: number,
): Promise<PublicKey[]> {
  const { sealed, settings } = subscription
  if (!settings.asymmetric || sealed.signingKeysCipher === null) return []
  const { current, previous } = await openKeys(vault, subscription, sealed.signingKeysCipher)
  const secrets = [current, ...(previous !== null && isInOverlap(subscription, nowMs) ? [previous] : [])]
  return await Promise.all(
    secrets.map(async (secret) => {
      const text = publicKeyOf(secret)
      return { text, jwk: await publicJwk(text) }
    }),
  )
}

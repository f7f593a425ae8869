import type { Vault } from '../../base/secret/vault.ts'
import { publicKeyOf } from '../../signature/ed25519.ts'
import type { Subscription } from '../subscription.ts'
import { isInOverlap, openKeys } from './credentials.ts'

/** Keys that a receiver verifies with, as texts. They are compared with, and never shown. */
export type VerificationKeys = { secrets: string[]; publicKeys: string[] }

/** The keys of a subscription: those that sign now, and those that the last rotation has ended. */
export async function openVerificationKeys(
  vault: Vault,
  subscription: Subscription,
  nowMs: number,
): Promise<{ valid: VerificationKeys; ended: VerificationKeys }> {
  const { secretCipher, previousSecretCipher, signingKeysCipher } = subscription.sealed
  const current = secretCipher === null ? [] : [await vault.open(secretCipher, subscription, 'secret')]
  const previous =
    previousSecretCipher === null
      ? []
      : [await vault.open(previousSecretCipher, subscription, 'previous_secret')]
  const keys = signingKeysCipher === null ? null : await openKeys(vault, subscription, signingKeysCipher)
  const currentKeys = keys === null ? [] : [publicKeyOf(keys.current)]
  const previousKeys = keys?.previous ? [publicKeyOf(keys.previous)] : []
  const ended = { secrets: previous, publicKeys: previousKeys }
  if (!isInOverlap(subscription, nowMs))
    return { valid: { secrets: current, publicKeys: currentKeys }, ended }
  const valid = {
    secrets: [...current, ...previous],
    publicKeys: [...currentKeys, ...previousKeys],
  }
  return { valid, ended: { secrets: [], publicKeys: [] } }
}

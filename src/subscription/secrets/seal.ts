import type { Vault } from '../../base/secret/vault.ts'
import type { DestinationAuth } from '../../destination/auth.ts'
import { sealAuth } from '../../destination/sealed.ts'
import { generateEd25519 } from '../../signature/ed25519.ts'
import type { SealedParts, Subscription } from '../subscription.ts'
import { openKeys, type SigningKeys } from './credentials.ts'

/** Parts to be sealed; null drops one, and undefined leaves it as it is. */
export type PartsChange = {
  secret?: string | undefined
  auth?: DestinationAuth | null | undefined
  asymmetric?: boolean | undefined
}

const NOTHING: SealedParts = {
  secretCipher: null,
  previousSecretCipher: null,
  previousSecretUntilMs: null,
  authCipher: null,
  signingKeysCipher: null,
}

/**
 * Seals the secrets of a subscription. A secret that
 * is replaced here has no overlap, see `rotateParts`.
 */
export async function sealParts(
  vault: Vault,
  { id, sealed = NOTHING }: { id: string; sealed?: SealedParts },
  { secret, auth, asymmetric }: PartsChange,
): Promise<SealedParts> {
  const parts = { ...sealed }
  if (secret !== undefined) {
    parts.secretCipher = await vault.seal(secret, id)
    parts.previousSecretCipher = null
    parts.previousSecretUntilMs = null
  }
  if (auth !== undefined) parts.authCipher = auth === null ? null : await sealAuth(vault, id, auth)
  if (asymmetric === true && parts.signingKeysCipher === null) {
    parts.signingKeysCipher = await sealKeys(vault, id, { current: await newKey(), previous: null })
  }
  return parts
}

/**
 * Seals a new secret, and a new key pair where there is one.
 * Their predecessors stay valid until `overlapUntilMs`.
 */
export async function rotateParts(
  vault: Vault,
  { id, sealed }: Pick<Subscription, 'id' | 'sealed'>,
  { secret, overlapUntilMs }: { secret: string; overlapUntilMs: number },
): Promise<SealedParts> {
  const { signingKeysCipher } = sealed
  const keys = signingKeysCipher === null ? null : await openKeys(vault, id, signingKeysCipher)
  return {
    ...sealed,
    secretCipher: await vault.seal(secret, id),
    previousSecretCipher: sealed.secretCipher,
    previousSecretUntilMs: overlapUntilMs,
    signingKeysCipher:
      keys === null ? null : await sealKeys(vault, id, { current: await newKey(), previous: keys.current }),
  }
}

async function newKey(): Promise<string> {
  return (await generateEd25519()).secretKey
}

async function sealKeys(vault: Vault, id: string, keys: SigningKeys): Promise<string> {
  return await vault.seal(JSON.stringify(keys), id)
}

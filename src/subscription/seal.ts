import type { Vault } from '../base/secret/vault.ts'
import type { DestinationAuth } from '../destination/auth.ts'
import { sealAuth } from '../destination/sealed.ts'
import { generateEd25519 } from '../signature/ed25519.ts'
import { openKeys, type SigningKeys } from './credentials.ts'
import type { SealedParts, Subscription } from './subscription.ts'

/** What is named is sealed, what is null is dropped, what is left out stays. */
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

/** Seals what of a subscription is kept encrypted. A secret that is replaced outright has no overlap: see `rotateParts`. */
export async function sealParts(
  vault: Vault,
  id: string,
  current: SealedParts | null,
  { secret, auth, asymmetric }: PartsChange,
): Promise<SealedParts> {
  const parts = { ...(current ?? NOTHING) }
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
 * The parts after a rotation: a new secret, and a new key pair where there is one; the ones before stay valid until
 * `overlapUntilMs` (design section 4).
 */
export async function rotateParts(
  vault: Vault,
  { id, sealed }: Subscription,
  secret: string,
  overlapUntilMs: number,
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

import type { SealOwner, Vault } from '../../base/secret/vault.ts'
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
  { owner, sealed = NOTHING }: { owner: SealOwner; sealed?: SealedParts },
  { secret, auth, asymmetric }: PartsChange,
): Promise<SealedParts> {
  const parts = await renewParts(vault, owner, sealed)
  if (secret !== undefined) {
    parts.secretCipher = await vault.seal(secret, owner, 'secret')
    parts.previousSecretCipher = null
    parts.previousSecretUntilMs = null
  }
  if (auth !== undefined) parts.authCipher = auth === null ? null : await sealAuth(vault, owner, auth)
  if (asymmetric === true && parts.signingKeysCipher === null) {
    parts.signingKeysCipher = await sealKeys(vault, owner, { current: await newKey(), previous: null })
  }
  return parts
}

/**
 * Seals a new secret, and a new key pair where there is one.
 * Their predecessors stay valid until `overlapUntilMs`.
 */
export async function rotateParts(
  vault: Vault,
  subscription: SealOwner & Pick<Subscription, 'sealed'>,
  { secret, overlapUntilMs }: { secret: string; overlapUntilMs: number },
): Promise<SealedParts> {
  const { sealed } = subscription
  const { secretCipher, signingKeysCipher } = sealed
  const keys = signingKeysCipher === null ? null : await openKeys(vault, subscription, signingKeysCipher)
  const previous = secretCipher === null ? null : await vault.open(secretCipher, subscription, 'secret')
  return {
    ...(await renewParts(vault, subscription, sealed)),
    secretCipher: await vault.seal(secret, subscription, 'secret'),
    previousSecretCipher:
      previous === null ? null : await vault.seal(previous, subscription, 'previous_secret'),
    previousSecretUntilMs: overlapUntilMs,
    signingKeysCipher:
      keys === null
        ? null
        : await sealKeys(vault, subscription, { current: await newKey(), previous: keys.current }),
  }
}

/**
 * Seals anew what was sealed under another key, or for its row only; null stays null. What no key opens stays as it is:
 * after the loss of a key an owner replaces one part after the other.
 */
export async function renewSeal(
  vault: Vault,
  { owner, field }: { owner: SealOwner; field: string },
  sealed: string | null,
): Promise<string | null> {
  if (sealed === null || (await vault.isCurrent(sealed))) return sealed
  const plain = await vault.open(sealed, owner, field).catch(() => null)
  return plain === null ? sealed : await vault.seal(plain, owner, field)
}

async function renewParts(vault: Vault, owner: SealOwner, sealed: SealedParts): Promise<SealedParts> {
  const renew = (field: string, part: string | null) => renewSeal(vault, { owner, field }, part)
  return {
    ...sealed,
    secretCipher: await renew('secret', sealed.secretCipher),
    previousSecretCipher: await renew('previous_secret', sealed.previousSecretCipher),
    authCipher: await renew('auth', sealed.authCipher),
    signingKeysCipher: await renew('signing_keys', sealed.signingKeysCipher),
  }
}

async function newKey(): Promise<string> {
  return (await generateEd25519()).secretKey
}

async function sealKeys(vault: Vault, owner: SealOwner, keys: SigningKeys): Promise<string> {
  return await vault.seal(JSON.stringify(keys), owner, 'signing_keys')
}

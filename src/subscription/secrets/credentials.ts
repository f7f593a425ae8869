import * as z from 'zod'
import { BoundedMap } from '../../base/concurrency/bounded-map.ts'
import type { SealOwner, Vault } from '../../base/secret/vault.ts'
import { type CompiledAddress, compileAddress } from '../../destination/address.ts'
import type { DestinationAuth } from '../../destination/auth.ts'
import { openAuth, openHeaders } from '../../destination/sealed.ts'
import { type CompiledTransform, compileTransform } from '../../shape/transform.ts'
import { importSigner, type Signer } from '../../signature/schemes.ts'
import type { Subscription } from '../subscription.ts'

/** Everything secret or compiled that a request to a subscription is made with. */
export type Credentials = {
  signer: Signer
  headers: Record<string, string>
  auth: DestinationAuth | null
  transform: CompiledTransform | null
  /** Renders what the URL and headers take from the event; null where they take nothing. */
  address: CompiledAddress | null
}

/**
 * The private keys of asymmetric signatures, sealed; the
 * previous one is valid as long as the previous secret.
 */
export const signingKeysSchema = z.object({ current: z.string(), previous: z.string().nullable() })
export type SigningKeys = z.infer<typeof signingKeysSchema>

const CREDENTIALS_MAX = 2_000

/**
 * Keeps opened credentials by subscription and version:
 * each is decrypted and compiled once per isolate.
 */
export class CredentialCache {
  readonly #opened = new BoundedMap<string, Promise<Credentials>>(CREDENTIALS_MAX)

  /** The subscription's credentials; a failure is not remembered. */
  get(vault: Vault, subscription: Subscription, nowMs: number): Promise<Credentials> {
    const inOverlap = isInOverlap(subscription, nowMs)
    const key = `${subscription.no}/${subscription.version}/${inOverlap}`
    const known = this.#opened.get(key)
    if (known !== undefined) return known
    const opened = openCredentials(vault, subscription, { inOverlap })
    this.#opened.set(key, opened)
    opened.catch(() => this.#opened.delete(key))
    return opened
  }
}

/** True while deliveries are signed with the secret before the last rotation as well. */
export function isInOverlap({ sealed }: Subscription, nowMs: number): boolean {
  return sealed.previousSecretCipher !== null && nowMs < (sealed.previousSecretUntilMs ?? 0)
}

/**
 * Opens a subscription's credentials past the cache;
 * the previous secret is among them while `inOverlap`.
 */
export async function openCredentials(
  vault: Vault,
  subscription: Subscription,
  { inOverlap }: { inOverlap: boolean },
): Promise<Credentials> {
  const { sealed, settings } = subscription
  const { headersCipher, profile, custom, transform } = settings
  const previous = inOverlap ? sealed.previousSecretCipher : null
  const { signingKeysCipher } = sealed
  const isAsymmetric = settings.asymmetric && signingKeysCipher !== null
  const keys = isAsymmetric ? await openKeys(vault, subscription, signingKeysCipher) : null
  const signer = await importSigner({
    profile,
    ...(custom !== null && { custom }),
    secret: await vault.open(sealed.secretCipher ?? '', subscription, 'secret'),
    previousSecret: previous === null ? null : await vault.open(previous, subscription, 'previous_secret'),
    ed25519: keys === null ? null : inOverlap ? keys : { ...keys, previous: null },
  })
  const headers = headersCipher === null ? {} : await openHeaders(vault, subscription, headersCipher)
  return {
    signer,
    headers,
    auth: sealed.authCipher === null ? null : await openAuth(vault, subscription, sealed.authCipher),
    transform: transform === null ? null : compileTransform(transform),
    address: compileAddress(settings.url, headers),
  }
}

/** Opens the private keys of asymmetric signatures. */
export async function openKeys(vault: Vault, owner: SealOwner, sealedKeys: string): Promise<SigningKeys> {
  return signingKeysSchema.parse(JSON.parse(await vault.open(sealedKeys, owner, 'signing_keys')))
}

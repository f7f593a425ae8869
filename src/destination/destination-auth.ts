import type { Vault } from '../base/secret/vault.ts'
import { type DestinationAuth, destinationAuthSchema } from './auth.ts'

/** Seals a subscription's `auth` as a whole; `ownerId` is the subscription's id. */
export async function sealAuth(vault: Vault, ownerId: string, auth: DestinationAuth): Promise<string> {
  return await vault.seal(JSON.stringify(auth), ownerId)
}

/** Opens a subscription's sealed `auth`; rejects when it was sealed for another owner or under another key. */
export async function openAuth(vault: Vault, ownerId: string, sealed: string): Promise<DestinationAuth> {
  return destinationAuthSchema.parse(JSON.parse(await vault.open(sealed, ownerId)))
}

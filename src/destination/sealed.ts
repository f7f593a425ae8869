import { z } from 'zod'
import type { Vault } from '../base/secret/vault.ts'
import { type DestinationAuth, destinationAuthSchema } from './auth.ts'

const headersSchema = z.record(z.string(), z.string())

/** Opens a subscription's sealed custom headers. */
export async function openHeaders(
  vault: Vault,
  subscriptionId: string,
  sealed: string,
): Promise<Record<string, string>> {
  return headersSchema.parse(JSON.parse(await vault.open(sealed, subscriptionId)))
}

/** Seals a subscription's `auth` as a whole; `ownerId` is the subscription's id. */
export async function sealAuth(vault: Vault, ownerId: string, auth: DestinationAuth): Promise<string> {
  return await vault.seal(JSON.stringify(auth), ownerId)
}

/**
 * Opens a subscription's sealed `auth`; rejects when
 * it was sealed for another owner or by another key.
 */
export async function openAuth(vault: Vault, ownerId: string, sealed: string): Promise<DestinationAuth> {
  return destinationAuthSchema.parse(JSON.parse(await vault.open(sealed, ownerId)))
}

/** Custom headers as they are stored; null for none. */
export async function sealHeaders(
  vault: Vault,
  id: string,
  headers: Record<string, string> | undefined,
): Promise<string | null> {
  if (headers === undefined || Object.keys(headers).length === 0) return null
  return await vault.seal(JSON.stringify(headers), id)
}

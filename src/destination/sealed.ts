import * as z from 'zod'
import type { SealOwner, Vault } from '../base/secret/vault.ts'
import { type DestinationAuth, destinationAuthSchema } from './auth.ts'

const headersSchema = z.record(z.string(), z.string())

/** Opens a subscription's sealed custom headers. */
export async function openHeaders(
  vault: Vault,
  owner: SealOwner,
  sealed: string,
): Promise<Record<string, string>> {
  return headersSchema.parse(JSON.parse(await vault.open(sealed, owner, 'headers')))
}

/** Seals a subscription's `auth` as a whole. */
export async function sealAuth(vault: Vault, owner: SealOwner, auth: DestinationAuth): Promise<string> {
  return await vault.seal(JSON.stringify(auth), owner, 'auth')
}

/**
 * Opens a subscription's sealed `auth`; rejects when
 * it was sealed for another owner or by another key.
 */
export async function openAuth(vault: Vault, owner: SealOwner, sealed: string): Promise<DestinationAuth> {
  return destinationAuthSchema.parse(JSON.parse(await vault.open(sealed, owner, 'auth')))
}

/** Custom headers as they are stored; null for none. */
export async function sealHeaders(
  vault: Vault,
  owner: SealOwner,
  headers: Record<string, string> | undefined,
): Promise<string | null> {
  if (headers === undefined || Object.keys(headers).length === 0) return null
  return await vault.seal(JSON.stringify(headers), owner, 'headers')
}

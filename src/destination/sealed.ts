import { z } from 'zod'
import type { Vault } from '../base/secret/vault.ts'

const headersSchema = z.record(z.string(), z.string())

/** Opens a subscription's sealed custom headers. */
export async function openHeaders(
  vault: Vault,
  subscriptionId: string,
  sealed: string,
): Promise<Record<string, string>> {
  return headersSchema.parse(JSON.parse(await vault.open(sealed, subscriptionId)))
}

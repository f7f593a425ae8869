import { env } from 'cloudflare:workers'
import { base64 } from '../../../src/base/bytes.ts'
import type { SealOwner } from '../../../src/base/secret/vault.ts'

/** Seals under the test's key as earlier versions did: the first for the row alone, in any workspace and field. */
export async function sealOfVersion(
  version: 'v1' | 'v2',
  { workspaceId, id }: SealOwner,
  { field, plain }: { field: string; plain: string },
): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
  const raw = Uint8Array.from(atob(env.KEY_ENCRYPTION_KEY), (character) => character.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const additionalData = bytes(version === 'v1' ? id : JSON.stringify([workspaceId, id, field]))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, bytes(plain))
  return `${version}.${base64(iv)}.${base64(sealed)}`
}

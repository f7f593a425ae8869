import { base64, hex } from '../bytes.ts'
/** The row that a sealed text belongs to. */
export type SealOwner = { workspaceId: string; id: string }

/**
 * Encrypts secrets at rest: AES-256-GCM with a fresh 96-bit nonce each time. Workspace, row and field are authenticated
 * with the text, so that a ciphertext opens only where it was sealed for.
 */
export type Vault = {
  seal: (plain: string, owner: SealOwner, field: string) => Promise<string>
  open: (sealed: string, owner: SealOwner, field: string) => Promise<string>
  /** A name for a text, 32 hex digits; without the key the text cannot be found by it. */
  fingerprint: (text: string) => Promise<string>
}

const VERSION = 'v2'
/** Seals of this version name the row's id only. They are opened, and replaced when their row is written. */
const OLD_VERSION = 'v1'
const NONCE_BYTES = 12
const KEY_BYTES = 32

/** Builds a vault from the base64 of 32 random bytes; throws when the key is not that. */
export function createVault(keyBase64: string): Vault {
  const key = crypto.subtle.importKey('raw', keyBytes(keyBase64), 'AES-GCM', false, ['encrypt', 'decrypt'])
  // Every use of the key rejects with it; this only keeps it from being reported as unhandled.
  key.catch(() => undefined)
  const encoder = new TextEncoder()
  return {
    seal: async (plain, owner, field) => {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: placeBytes(VERSION, owner, field) }
      const sealed = await crypto.subtle.encrypt(algorithm, await key, encoder.encode(plain))
      return `${VERSION}.${base64(nonce)}.${base64(sealed)}`
    },
    open: async (sealed, owner, field) => {
      const [version, nonce, data] = sealed.split('.')
      if ((version !== VERSION && version !== OLD_VERSION) || nonce === undefined || data === undefined)
        throw new Error('unknown sealed form')
      const additionalData = placeBytes(version, owner, field)
      const algorithm = { name: 'AES-GCM', iv: fromBase64(nonce), additionalData }
      return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, await key, fromBase64(data)))
    },
    fingerprint: async (text) => {
      const digest = await crypto.subtle.sign(
        'HMAC',
        await importFingerprintKey(keyBase64),
        encoder.encode(text),
      )
      return hex(digest.slice(0, 16))
    },
  }
}

/** True for a text that was sealed for its row only, not for its workspace and field. */
export function isOldSeal(sealed: string): boolean {
  return sealed.startsWith(`${OLD_VERSION}.`)
}

function placeBytes(version: string, { workspaceId, id }: SealOwner, field: string): Uint8Array<ArrayBuffer> {
  const place = version === OLD_VERSION ? id : JSON.stringify([workspaceId, id, field])
  return new TextEncoder().encode(place) as Uint8Array<ArrayBuffer>
}

/** Derived, because one key must not serve two algorithms (NIST SP 800-57, 5.2). */
async function importFingerprintKey(keyBase64: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', keyBytes(keyBase64), 'HKDF', false, ['deriveKey'])
  const info = new TextEncoder().encode('posthorn fingerprint')
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  return await crypto.subtle.deriveKey(algorithm, base, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

/** Tells a text that can serve as the key-encryption secret. */
export function isVaultKey(keyBase64: string): boolean {
  try {
    return fromBase64(keyBase64).length === KEY_BYTES
  } catch {
    return false
  }
}

function keyBytes(keyBase64: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(keyBase64)
  if (bytes.length !== KEY_BYTES) throw new Error('KEY_ENCRYPTION_KEY must be the base64 of 32 bytes')
  return bytes
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

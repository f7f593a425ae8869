/** A hash an HMAC may be made with, as subscriptions' settings call it. */
export type HashName = 'sha256' | 'sha1' | 'sha512'

const WEBCRYPTO_NAME: Readonly<Record<HashName, string>> = {
  sha256: 'SHA-256',
  sha1: 'SHA-1',
  sha512: 'SHA-512',
}

/** Imports an HMAC key for signing; it cannot be exported again. */
export function importHmacKey(key: Uint8Array, hash: HashName = 'sha256'): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: WEBCRYPTO_NAME[hash] }
  return crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
}

/** The HMAC of the content under a key of `importHmacKey`. */
export function hmac(key: CryptoKey, content: Uint8Array): Promise<ArrayBuffer> {
  return crypto.subtle.sign('HMAC', key, content)
}

/** Base64 of few bytes, standard alphabet, padded. */
export function base64(bytes: ArrayBuffer | Uint8Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}

/** Base64 of few bytes in the alphabet of URLs, without padding (RFC 4648 section 5). */
export function base64Url(bytes: ArrayBuffer | Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const BASE64_TEXT = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * The bytes of a base64 text in the standard alphabet, or null. Padding is complete or left out, as
 * in the receivers' libraries.
 */
export function base64Bytes(text: string): Uint8Array | null {
  if (!BASE64_TEXT.test(text)) return null
  if (text.endsWith('=') ? text.length % 4 !== 0 : text.length % 4 === 1) return null
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** Lower-case hex; by table, because this runs for every delivery. */
export function hex(bytes: ArrayBuffer): string {
  let text = ''
  for (const byte of new Uint8Array(bytes)) text += HEX_OF_BYTE[byte]
  return text
}

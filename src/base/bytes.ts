/** The most arguments of one call: a hundred thousand and more overflow the stack. */
const BYTES_PER_CALL = 8_192

/** Base64, standard alphabet, padded. */
export function base64(bytes: ArrayBuffer | Uint8Array): string {
  const all = new Uint8Array(bytes)
  let text = ''
  for (let at = 0; at < all.length; at += BYTES_PER_CALL)
    text += String.fromCharCode(...all.subarray(at, at + BYTES_PER_CALL))
  return btoa(text)
}

/** Base64 in the alphabet of URLs, without padding (RFC 4648 section 5). */
export function base64Url(bytes: ArrayBuffer | Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const BASE64_TEXT = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * The bytes of a base64 text of the standard alphabet, or null for any other text. Padding is
 * complete or left out, as in receivers' libraries.
 */
export function base64Bytes(text: string): Uint8Array | null {
  if (!BASE64_TEXT.test(text)) return null
  if (text.endsWith('=') ? text.length % 4 !== 0 : text.length % 4 === 1) return null
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

const BASE64_URL_TEXT = /^[A-Za-z0-9_-]*$/

/** The bytes of a text that `base64Url` has written, or null for any other. */
export function base64UrlBytes(text: string): Uint8Array | null {
  return BASE64_URL_TEXT.test(text) ? base64Bytes(text.replaceAll('-', '+').replaceAll('_', '/')) : null
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

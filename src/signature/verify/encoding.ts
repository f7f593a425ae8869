/** The spelling of a signature's bytes. */
export type Encoding = 'hex' | 'base64' | 'base64url'

const HEX = /^(?:[0-9a-f]{2})+$/
const STANDARD_BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const URL_BASE64 = /^[A-Za-z0-9_-]+={0,2}$/

/**
 * The bytes of a signature, or `null`. Each value has one spelling (lower-case hex, no stray bits
 * at the end of base64), so that a changed character is a changed signature; only base64's padding
 * may be left out.
 */
export function signatureBytes(text: string, encoding: Encoding): Uint8Array | null {
  if (encoding === 'hex') return hexBytes(text)
  if (!(encoding === 'base64' ? STANDARD_BASE64 : URL_BASE64).test(text)) return null
  const unpadded = text.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/')
  if (unpadded.length % 4 === 1) return null
  if (text.endsWith('=') && text.length % 4 !== 0) return null
  const binary = atob(unpadded)
  if (btoa(binary).replace(/=+$/, '') !== unpadded) return null
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

function hexBytes(text: string): Uint8Array | null {
  if (!HEX.test(text)) return null
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
  )
}

import type { ReceivedHeaders } from './headers.ts'
import type { Refusal } from './result.ts'

/** WebCrypto's names of the hashes an HMAC may use. */
export type HmacHash = 'SHA-1' | 'SHA-256' | 'SHA-512'

/** A request's claims, taken apart by its scheme and not checked yet. */
export type Claim = {
  ok: true
  /** The bytes that must have been signed. */
  content: Uint8Array
  hmac: readonly Uint8Array[]
  hash: HmacHash
  /** @throws RangeError for a secret that is no key of this scheme */
  keyBytes: (secret: string) => Uint8Array
  ed25519: readonly Uint8Array[]
  /** Signed, or `null`. */
  id: string | null
  /** Signed, or `null`. */
  timestampSeconds: number | null
}

/** Reads one scheme's claim from the headers and the body. */
export type ReadClaim = (headers: ReceivedHeaders, body: Uint8Array) => Claim | Refusal

/**
 * Most signatures of one request that are compared; a rotation needs two. More would let a stranger
 * buy an HMAC of the whole body with a few bytes of a header.
 */
export const SIGNATURES_MAX = 16

/**
 * Printable ASCII without the dot, which divides the signed parts, and without space and comma,
 * which join two headers into one.
 */
const ID = /^[\x21-\x2b\x2d\x2f-\x7e]+$/

/** True for a text that may be the id in signed content. */
export function isSignedId(text: string): boolean {
  return ID.test(text)
}

const encoder = new TextEncoder()

/** Joins texts and bytes. */
export function concat(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const chunks = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

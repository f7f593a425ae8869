import { base64, base64Bytes, base64Url, base64UrlBytes } from '../base/bytes.ts'
import { type SignedMessage, signedContent } from './sign.ts'

/** Marks a secret key and a public key of Standard Webhooks' asymmetric signatures. */
const ED25519_SECRET_PREFIX = 'whsk_'
const ED25519_PUBLIC_PREFIX = 'whpk_'

/** A key pair: `whsk_` + base64 of seed and public key (64 bytes), `whpk_` + base64 of the public key. */
type Ed25519KeyPair = { secretKey: string; publicKey: string }

/** A public key as a JWKS lists it (RFC 8037); `kid` is its thumbprint (RFC 7638). */
export type Ed25519Jwk = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string }

const keyOf: unique symbol = Symbol('signing key')

/** A secret key made ready to sign. Shows nothing when printed. */
export type V1aKey = { readonly [keyOf]: CryptoKey }

const KEY_BYTES = 32
/**
 * The bytes before the seed in PKCS #8 (RFC 8410 section 7), the one form that WebCrypto takes
 * without the public key.
 */
const PKCS8_HEAD = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]

/** A new key pair. */
export async function generateEd25519(): Promise<Ed25519KeyPair> {
  const seed = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const publicBytes = await derivePublic(seed)
  return {
    secretKey: ED25519_SECRET_PREFIX + base64(Uint8Array.of(...seed, ...publicBytes)),
    publicKey: ED25519_PUBLIC_PREFIX + base64(publicBytes),
  }
}

/**
 * The `whpk_…` of a `whsk_…`, as it is written in it.
 *
 * @throws RangeError when the text is not a secret key
 */
export function publicKeyOf(secretKey: string): string {
  return ED25519_PUBLIC_PREFIX + base64(secretParts(secretKey).publicBytes)
}

/**
 * A `whpk_…` as a JWK.
 *
 * @throws RangeError when the text is not a public key
 */
export async function publicJwk(publicKey: string): Promise<Ed25519Jwk> {
  const x = base64Url(keyBytes(publicKey, ED25519_PUBLIC_PREFIX, KEY_BYTES))
  const thumbprint = new TextEncoder().encode(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)
  return { kty: 'OKP', crv: 'Ed25519', x, kid: base64Url(await crypto.subtle.digest('SHA-256', thumbprint)) }
}

/**
 * Imports a `whsk_…`, not extractable.
 *
 * @throws RangeError when the text is not a secret key, or its halves do not belong together: every
 * signature would be refused under the public key that is shown
 */
export async function importV1aKey(secretKey: string): Promise<V1aKey> {
  const { seed, publicBytes } = secretParts(secretKey)
  if (base64(await derivePublic(seed)) !== base64(publicBytes)) {
    throw new RangeError('the secret key does not belong to the public key behind it')
  }
  return { [keyOf]: await importSeed(seed, false) }
}

/**
 * The Standard Webhooks v1a signature, `v1a,<base64>`, over `{id}.{timestamp}.{body}`.
 *
 * @throws RangeError for an id or a timestamp that would make the signed content ambiguous
 */
export async function signV1a(key: V1aKey, message: SignedMessage): Promise<string> {
  return v1aOf(key, signedContent(message))
}

/** `v1a,<base64>`: the signature of Standard Webhooks' signed content. */
export async function v1aOf(key: V1aKey, content: Uint8Array): Promise<string> {
  return `v1a,${base64(await crypto.subtle.sign('Ed25519', key[keyOf], content))}`
}

/** WebCrypto computes a public key only on the way out of an extractable private one. */
async function derivePublic(seed: Uint8Array): Promise<Uint8Array> {
  const jwk = await crypto.subtle.exportKey('jwk', await importSeed(seed, true))
  const x = jwk instanceof ArrayBuffer ? undefined : jwk.x
  const bytes = base64UrlBytes(x ?? '')
  if (bytes?.length !== KEY_BYTES) throw new Error('WebCrypto gave no public key for an Ed25519 key')
  return bytes
}

function importSeed(seed: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  const pkcs8 = Uint8Array.of(...PKCS8_HEAD, ...seed)
  return crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, extractable, ['sign'])
}

function secretParts(secretKey: string): { seed: Uint8Array; publicBytes: Uint8Array } {
  const bytes = keyBytes(secretKey, ED25519_SECRET_PREFIX, 2 * KEY_BYTES)
  return { seed: bytes.subarray(0, KEY_BYTES), publicBytes: bytes.subarray(KEY_BYTES) }
}

function keyBytes(text: string, prefix: string, length: number): Uint8Array {
  const bytes = text.startsWith(prefix) ? base64Bytes(text.slice(prefix.length)) : null
  if (bytes?.length !== length) throw new RangeError(`a key is "${prefix}" and the base64 of ${length} bytes`)
  return bytes
}

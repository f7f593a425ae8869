import { rawKeyBytes, standardKeyBytes } from './secret.ts'

const HMAC_SHA256 = { name: 'HMAC', hash: 'SHA-256' }
const encoder = new TextEncoder()

const keysOf: unique symbol = Symbol('signing keys')

/** A secret made ready to sign: import it once, keep it, and use it for every delivery. Shows nothing when printed. */
export type SigningKeys = { readonly [keysOf]: { readonly standard: CryptoKey; readonly raw: CryptoKey } }

/** What is signed. `id` is ASCII without a dot; `timestampSeconds` is the attempt's, in whole unix seconds. */
export type SignedMessage = { id: string; timestampSeconds: number; body: Uint8Array }

/** The headers of the `standard` profile, spelt as they are sent. */
export type StandardHeaders = {
  'webhook-id': string
  'webhook-timestamp': string
  'webhook-signature': string
  'X-Signature': string
}

/**
 * Imports a secret's keys, neither of them extractable.
 *
 * @throws RangeError for a secret that `checkSecret` refuses for its base64
 */
export async function importSigningKeys(secret: string): Promise<SigningKeys> {
  const [standard, raw] = await Promise.all([
    importKey(standardKeyBytes(secret)),
    importKey(rawKeyBytes(secret)),
  ])
  return { [keysOf]: { standard, raw } }
}

/**
 * Signs one delivery for the `standard` profile: Standard Webhooks v1 over `{id}.{timestamp}.{body}`, and the hex
 * HMAC-SHA256 of the body alone (seed 002).
 *
 * @throws RangeError for an id or a timestamp that would make the signed content ambiguous
 */
export async function signStandard(keys: SigningKeys, message: SignedMessage): Promise<StandardHeaders> {
  const { standard, raw } = keys[keysOf]
  const [contentDigest, bodyDigest] = await Promise.all([
    crypto.subtle.sign('HMAC', standard, signedContent(message)),
    crypto.subtle.sign('HMAC', raw, message.body),
  ])
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestampSeconds),
    'webhook-signature': `v1,${base64(contentDigest)}`,
    'X-Signature': `sha256=${hex(bodyDigest)}`,
  }
}

/**
 * The Standard Webhooks v1 signature, `v1,<base64>`, over `{id}.{timestamp}.{body}`.
 *
 * @throws RangeError for an id or a timestamp that would make the signed content ambiguous
 */
export async function signV1(keys: SigningKeys, message: SignedMessage): Promise<string> {
  return `v1,${base64(await crypto.subtle.sign('HMAC', keys[keysOf].standard, signedContent(message)))}`
}

/** Lower-case hex HMAC-SHA256 of the bytes under the secret's UTF-8, as all the seeds' schemes have it. */
export async function hexHmac(keys: SigningKeys, content: Uint8Array): Promise<string> {
  return hex(await crypto.subtle.sign('HMAC', keys[keysOf].raw, content))
}

function signedContent({ id, timestampSeconds, body }: SignedMessage): Uint8Array {
  // The dot divides the parts: with one in the id, "a.1" + "2" and "a" + "1.2" would have the same signature.
  if (id === '' || id.includes('.')) throw new RangeError('a signed id is not empty and holds no dot')
  if (!Number.isSafeInteger(timestampSeconds)) throw new RangeError('a signed timestamp is in whole seconds')
  const prefix = `${id}.${timestampSeconds}.`
  const content = new Uint8Array(prefix.length + body.length)
  if (encoder.encodeInto(prefix, content.subarray(0, prefix.length)).read !== prefix.length) {
    throw new RangeError('a signed id is ASCII')
  }
  content.set(body, prefix.length)
  return content
}

function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, HMAC_SHA256, false, ['sign'])
}

function base64(digest: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** By table, because this runs for every delivery. */
function hex(digest: ArrayBuffer): string {
  let text = ''
  for (const byte of new Uint8Array(digest)) text += HEX_OF_BYTE[byte]
  return text
}

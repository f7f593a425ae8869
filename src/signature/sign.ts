import { base64, hex } from '../base/bytes.ts'
import { hmac, importHmacKey } from './hash.ts'
import { rawKeyBytes, standardKeyBytes } from './secret.ts'

const encoder = new TextEncoder()

const keysOf: unique symbol = Symbol('signing keys')

/** A secret made ready to sign; import it once and keep it. It shows nothing when printed. */
export type SigningKeys = { readonly [keysOf]: { readonly standard: CryptoKey; readonly raw: CryptoKey } }

/** A message to sign. `id` is ASCII without a dot; `timestampSeconds` is the attempt's time. */
export type SignedMessage = { id: string; timestampSeconds: number; body: Uint8Array }

/** The headers of the `standard` profile, spelt as they are sent. */
type StandardHeaders = {
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
    importHmacKey(standardKeyBytes(secret)),
    importHmacKey(rawKeyBytes(secret)),
  ])
  return { [keysOf]: { standard, raw } }
}

/**
 * Signs for the `standard` profile: Standard Webhooks v1 over `{id}.{timestamp}.{body}`, and the
 * hex HMAC-SHA256 of the body alone.
 *
 * @throws RangeError for an id or a timestamp that would make the signed content ambiguous
 */
export async function signStandard(keys: SigningKeys, message: SignedMessage): Promise<StandardHeaders> {
  const [signature, bodySignature] = await Promise.all([signV1(keys, message), hexHmac(keys, message.body)])
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestampSeconds),
    'webhook-signature': signature,
    'X-Signature': `sha256=${bodySignature}`,
  }
}

/**
 * The Standard Webhooks v1 signature, `v1,<base64>`, over `{id}.{timestamp}.{body}`.
 *
 * @throws RangeError for an id or a timestamp that would make the signed content ambiguous
 */
export async function signV1(keys: SigningKeys, message: SignedMessage): Promise<string> {
  return await v1Of(keys[keysOf].standard, signedContent(message))
}

/** `v1,<base64>`: the signature of Standard Webhooks' signed content under an HMAC key. */
export async function v1Of(key: CryptoKey, content: Uint8Array): Promise<string> {
  return `v1,${base64(await hmac(key, content))}`
}

/** Lower-case hex HMAC-SHA256 of the bytes under the secret's UTF-8. */
export async function hexHmac(keys: SigningKeys, content: Uint8Array): Promise<string> {
  return hex(await hmac(keys[keysOf].raw, content))
}

/**
 * The bytes that Standard Webhooks signs: `{id}.{timestamp}.{body}`.
 *
 * @throws RangeError for an id or a timestamp that would make it ambiguous
 */
export function signedContent(message: SignedMessage): Uint8Array {
  requireSignable(message)
  const { id, timestampSeconds, body } = message
  const prefix = `${id}.${timestampSeconds}.`
  const content = new Uint8Array(prefix.length + body.length)
  encoder.encodeInto(prefix, content)
  content.set(body, prefix.length)
  return content
}

/** Printable ASCII but the dot, so that an id takes one byte a character and can stand in a header. */
const SIGNABLE_ID = /^[\x21-\x2d\x2f-\x7e]+$/

/**
 * Refuses ids and times that no profile may sign. The dot divides the signed parts: with one in the
 * id, "a.1" + "2" and "a" + "1.2" would have the same signature.
 *
 * @throws RangeError
 */
export function requireSignable({ id, timestampSeconds }: { id: string; timestampSeconds: number }): void {
  if (!SIGNABLE_ID.test(id)) throw new RangeError('a signed id is printable ASCII and holds no dot')
  if (!Number.isSafeInteger(timestampSeconds)) throw new RangeError('a signed timestamp is in whole seconds')
}

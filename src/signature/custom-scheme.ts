import { base64, base64Url, hex } from '../base/bytes.ts'
import { type HashName, hmac, importHmacKey } from './hash.ts'
import { base64KeyBytes, type KeyForm, rawKeyBytes } from './secret.ts'
import { requireSignable, type SignedMessage } from './sign.ts'

/** A message as profiles sign it; `event` is its type. */
export type DeliveryMessage = SignedMessage & { event: string }

/** Gives the headers of one delivery. */
export type HeaderSigner = (message: DeliveryMessage) => Promise<Record<string, string>>

/** A signature in one header, in the words of a subscription's `custom` settings. */
export type CustomScheme = {
  signature: {
    header: string
    algorithm: HashName
    encoding: 'hex' | 'base64' | 'base64url'
    /** The signed text, over {id} {timestamp} {event} {body}; {body} occurs once. */
    content: string
    /** The header's value, over {signature} {timestamp}. */
    value: string
    key: KeyForm
  }
  timestampHeader?: string | undefined
  idHeader?: string | undefined
  eventHeader?: string | undefined
}

/** A secret and, while it is still valid, the one before it. */
export type Secrets = { current: string; previous: string | null }

/**
 * Imports the keys of a scheme, not extractable, and makes its signer. With two secrets the header
 * stays on the previous one, the only one that all receivers know, and `-Next` carries the current
 * one's signature.
 *
 * @param overlapValue the header's value while there are two secrets, for headers that can hold
 * several signatures: over {signature} (previous), {next} (current) and {timestamp}
 * @throws RangeError for a secret that `checkSecret` refuses for its base64
 */
export async function importScheme(
  scheme: CustomScheme,
  secrets: Secrets,
  overlapValue: string | null = null,
): Promise<HeaderSigner> {
  const { signature } = scheme
  const [oldest, newest] = await Promise.all(
    (secrets.previous === null ? [secrets.current] : [secrets.previous, secrets.current]).map((secret) =>
      importHmacKey(
        signature.key === 'base64' ? base64KeyBytes(secret) : rawKeyBytes(secret),
        signature.algorithm,
      ),
    ),
  )
  if (oldest === undefined) throw new Error('a scheme signs with at least one key')
  const textOf = async (key: CryptoKey, content: Uint8Array) =>
    ENCODERS[signature.encoding](await hmac(key, content))
  return async (message) => {
    requireSignable(message)
    const content = contentOf(signature.content, message)
    const [text, next] = await Promise.all([
      textOf(oldest, content),
      newest === undefined ? null : textOf(newest, content),
    ])
    const values = { signature: text, timestamp: String(message.timestampSeconds) }
    const headers = plainHeaders(scheme, message)
    if (next !== null && overlapValue !== null) {
      headers[signature.header] = fill(overlapValue, { ...values, next })
      return headers
    }
    headers[signature.header] = fill(signature.value, values)
    if (next !== null)
      headers[`${signature.header}-Next`] = fill(signature.value, { ...values, signature: next })
    return headers
  }
}

const ENCODERS = { hex, base64, base64url: base64Url }

function plainHeaders(scheme: CustomScheme, message: DeliveryMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  if (scheme.idHeader !== undefined) headers[scheme.idHeader] = message.id
  if (scheme.timestampHeader !== undefined) headers[scheme.timestampHeader] = String(message.timestampSeconds)
  if (scheme.eventHeader !== undefined) headers[scheme.eventHeader] = message.event
  return headers
}

const BODY = '{body}'

function contentOf(template: string, { id, timestampSeconds, event, body }: DeliveryMessage): Uint8Array {
  if (template === BODY) return body
  const values = { id, timestamp: String(timestampSeconds), event }
  const at = template.indexOf(BODY)
  const before = new TextEncoder().encode(fill(template.slice(0, at), values))
  const after = new TextEncoder().encode(fill(template.slice(at + BODY.length), values))
  const content = new Uint8Array(before.length + body.length + after.length)
  content.set(before)
  content.set(body, before.length)
  content.set(after, before.length + body.length)
  return content
}

/** Replaces `{name}` by its value in one pass, so that a value is never read as a template. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{([a-z]+)\}/g, (whole, name: string) => values[name] ?? whole)
}

import { base64KeyBytes, rawKeyBytes } from '../secret.ts'
import { type Claim, concat, type HmacHash, isSignedId, type ReadClaim } from './claim.ts'
import { type Encoding, signatureBytes } from './encoding.ts'
import { hasHeader, type ReceivedHeaders, soleValue } from './headers.ts'
import { parsePayload, payloadId, textMember } from './payload.ts'
import { type Refusal, refuse } from './result.ts'
import { soleAndNext } from './schemes.ts'
import { parseTimestamp } from './timing.ts'

/** A subscription's `custom`, as the relay's API takes and shows it; with the same defaults. */
export type CustomProfile = {
  signature: {
    header: string
    /** Default `sha256`. */
    algorithm?: 'sha256' | 'sha1' | 'sha512' | undefined
    /** Default `hex`. */
    encoding?: 'hex' | 'base64' | 'base64url' | undefined
    /** The signed text, over {id} {timestamp} {event} {body}; default `{body}`. */
    content?: string | undefined
    /** The header's value, over {signature} {timestamp}; default `{signature}`. */
    value?: string | undefined
    /** The reading of a secret as a key; default `text`, its UTF-8. */
    key?: 'text' | 'base64' | undefined
  }
  timestampHeader?: string | null | undefined
  idHeader?: string | null | undefined
  eventHeader?: string | null | undefined
  /** The form of the payload, which makes no difference to the signature. */
  payload?: string | undefined
}

const HASHES: Readonly<Record<string, { hash: HmacHash; bytes: number }>> = {
  sha256: { hash: 'SHA-256', bytes: 32 },
  sha1: { hash: 'SHA-1', bytes: 20 },
  sha512: { hash: 'SHA-512', bytes: 64 },
}
const ENCODINGS: readonly unknown[] = ['hex', 'base64', 'base64url']
const KEYS: Readonly<Record<string, (secret: string) => Uint8Array>> = {
  text: rawKeyBytes,
  base64: base64KeyBytes,
}

/** Segments joined by dots, as every event type is. */
const EVENT_TYPE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/

/** Makes a custom scheme ready to read requests, or says what is wrong with it. */
export function customReader(custom: unknown): ReadClaim | Refusal {
  if (!isRecord(custom) || !isRecord(custom['signature'])) {
    return invalid('custom', 'must be the "custom" object of the subscription')
  }
  const {
    header,
    algorithm = 'sha256',
    encoding = 'hex',
    content = '{body}',
    value = '{signature}',
    key = 'text',
  } = custom['signature']
  if (typeof header !== 'string' || header === '') return invalid('custom.signature.header', 'must be a name')
  const hash = lookUp(HASHES, algorithm)
  if (hash === undefined) return invalid('custom.signature.algorithm', 'must be sha256, sha1 or sha512')
  if (!ENCODINGS.includes(encoding)) {
    return invalid('custom.signature.encoding', 'must be hex, base64 or base64url')
  }
  const keyBytes = lookUp(KEYS, key)
  if (keyBytes === undefined) return invalid('custom.signature.key', 'must be text or base64')
  if (!isTemplate(content, ['id', 'timestamp', 'event', 'body']) || content.split('{body}').length !== 2) {
    return invalid(
      'custom.signature.content',
      'must hold {body} once, and besides only {id} {timestamp} {event}',
    )
  }
  if (!isTemplate(value, ['signature', 'timestamp']) || !value.includes('{signature}')) {
    return invalid('custom.signature.value', 'must hold {signature}, and besides only {timestamp}')
  }
  const scheme: Scheme = {
    header,
    ...hash,
    keyBytes,
    encoding: encoding as Encoding,
    content,
    value: valuePattern(value, encoding as Encoding, hash.bytes),
    timestampHeader: nameOf(custom['timestampHeader']),
    idHeader: nameOf(custom['idHeader']),
    eventHeader: nameOf(custom['eventHeader']),
  }
  return (headers, body) => readCustom(scheme, headers, body)
}

type Scheme = {
  header: string
  hash: HmacHash
  keyBytes: (secret: string) => Uint8Array
  encoding: Encoding
  content: string
  value: RegExp
  timestampHeader: string | null
  idHeader: string | null
  eventHeader: string | null
}

function readCustom(scheme: Scheme, headers: ReceivedHeaders, body: Uint8Array): Claim | Refusal {
  const values = soleAndNext(headers, scheme.header)
  if (!values.ok) return values
  const signatures = readValues(scheme, values.values)
  if (signatures === null) {
    return refuse('malformed_header', `${scheme.header} must be of the form in custom.signature.value`)
  }
  const filled: Record<string, string | Uint8Array> = { body }
  const signed = { id: null as string | null, timestampSeconds: null as number | null }
  if (scheme.content.includes('{timestamp}')) {
    const time = readTime(scheme, headers, signatures.time)
    if (!time.ok) return time
    filled['timestamp'] = time.value
    signed.timestampSeconds = Number(time.value)
  }
  if (scheme.content.includes('{id}')) {
    const id = readSigned(headers, scheme.idHeader, () => payloadId(parsePayload(body)), 'idHeader')
    if (!id.ok) return id
    if (!isSignedId(id.value)) {
      return refuse('malformed_header', 'the id must be printable ASCII without dots, commas and spaces')
    }
    filled['id'] = id.value
    signed.id = id.value
  }
  if (scheme.content.includes('{event}')) {
    const event = readSigned(
      headers,
      scheme.eventHeader,
      () => textMember(parsePayload(body), ['event', 'type']),
      'eventHeader',
    )
    if (!event.ok) return event
    if (!EVENT_TYPE.test(event.value)) {
      return refuse('malformed_header', 'the event must be a type such as invoice.paid')
    }
    filled['event'] = event.value
  }
  const parts = scheme.content.split(/\{([a-z]+)\}/)
  // Every second part is a name, as split() keeps what was captured.
  const content = concat(parts.map((part, i) => (i % 2 === 1 ? (filled[part] ?? '') : part)))
  const { hash, keyBytes } = scheme
  return { ok: true, content, hmac: signatures.hmac, hash, keyBytes, ed25519: [], ...signed }
}

/**
 * The signatures in the header's values and the time beside them; `null` when no value has the form
 * or the times differ.
 */
function readValues(
  scheme: Scheme,
  values: readonly string[],
): { hmac: Uint8Array[]; time: string | null } | null {
  const hmac: Uint8Array[] = []
  const times = new Set<string>()
  for (const value of values) {
    const { signature = '', timestamp } = scheme.value.exec(value)?.groups ?? {}
    const bytes = signatureBytes(signature, scheme.encoding)
    if (bytes === null) continue
    hmac.push(bytes)
    if (timestamp !== undefined) times.add(timestamp)
  }
  if (hmac.length === 0 || times.size > 1) return null
  const [time = null] = times
  return { hmac, time }
}

/** Reads the time beside the signature or in its own header; where both are there, they must agree. */
function readTime(
  { timestampHeader }: Scheme,
  headers: ReceivedHeaders,
  beside: string | null,
): { ok: true; value: string } | Refusal {
  if (beside === null && timestampHeader === null) {
    return invalid('custom.timestampHeader', 'must be given when {timestamp} is signed and not in the value')
  }
  const isInHeader = timestampHeader !== null && (beside === null || hasHeader(headers, timestampHeader))
  const own = isInHeader ? soleValue(headers, timestampHeader) : null
  if (own !== null && !own.ok) return own
  const value = own?.value ?? beside ?? ''
  if (parseTimestamp(value) === null || (beside !== null && beside !== value)) {
    return refuse(
      'malformed_header',
      'the timestamp must be unix seconds in digits, and the same wherever it is',
    )
  }
  return { ok: true, value }
}

/** Reads a signed text from its header or, when the scheme sends none, from the payload. */
function readSigned(
  headers: ReceivedHeaders,
  header: string | null,
  fromPayload: () => string | null,
  field: string,
): { ok: true; value: string } | Refusal {
  if (header !== null) return soleValue(headers, header)
  const value = fromPayload()
  if (value !== null) return { ok: true, value }
  return refuse(
    'missing_header',
    `the payload does not hold what is signed; custom.${field} must name its header`,
  )
}

/** A header's value in linear time: the length of the signature is known from its hash. */
function valuePattern(template: string, encoding: Encoding, bytes: number): RegExp {
  const characters = {
    hex: `[0-9a-f]{${bytes * 2}}`,
    base64: `[A-Za-z0-9+/]{${Math.ceil((bytes * 4) / 3)}}={0,2}`,
    base64url: `[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}={0,2}`,
  }[encoding]
  const patterns: Record<string, string> = { signature: characters, timestamp: '[0-9]{1,15}' }
  const seen = new Set<string>()
  const parts = template.split(/\{([a-z]+)\}/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.*+?^$()|[\]\\/-]/g, '\\$&')
    if (seen.has(part)) return `\\k<${part}>`
    seen.add(part)
    return `(?<${part}>${patterns[part]})`
  })
  return new RegExp(`^${parts.join('')}$`)
}

function isTemplate(template: unknown, names: readonly string[]): template is string {
  if (typeof template !== 'string') return false
  return !/[{}]/.test(template.replace(new RegExp(`\\{(?:${names.join('|')})\\}`, 'g'), ''))
}

function lookUp<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined
}

function nameOf(header: unknown): string | null {
  return typeof header === 'string' && header !== '' ? header : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function invalid(field: string, message: string): Refusal {
  return refuse('invalid_options', `${field} ${message}`)
}

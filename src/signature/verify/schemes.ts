import { rawKeyBytes, standardKeyBytes } from '../secret.ts'
import { type Claim, concat, isSignedId, type ReadClaim, SIGNATURES_MAX } from './claim.ts'
import { signatureBytes } from './encoding.ts'
import { hasHeader, type ReceivedHeaders, soleValue } from './headers.ts'
import { type Refusal, refuse } from './result.ts'
import { parseTimestamp } from './timing.ts'

/** A subscription's `profile`, as far as its signature goes. */
export type ProfileName =
  | 'standard'
  | 'standard-webhooks'
  | 'cloudevents'
  | 'bigledger'
  | 'core'
  | 'ledgerly'
  | 'marko'

/** The reader of each profile's requests. The profiles of Standard Webhooks differ in the payload only. */
export const PROFILES: Readonly<Record<ProfileName, ReadClaim>> = {
  standard: readStandard,
  'standard-webhooks': readStandard,
  cloudevents: readStandard,
  bigledger: readBodySignature('X-Signature'),
  core: readBodySignature('X-Webhook-Signature'),
  ledgerly: readLedgerly,
  marko: readBodySignature('X-Webhook-Signature'),
}

/** Headers by which a profile is recognised; those that sign a time come first. */
const SIGNING_TIME = [
  ['webhook-signature', 'standard'],
  ['X-Ledgerly-Signature', 'ledgerly'],
] as const
const BODY_ONLY = [
  ['X-Signature', 'bigledger'],
  ['X-Webhook-Signature', 'core'],
] as const

/**
 * Recognises a request's profile by its headers. A `standard` delivery can be replayed without
 * `webhook-signature` and with `X-Signature`, which signs no time: schemes without a time are
 * recognised only when `acceptBodyOnly` says that the receiver takes them.
 */
export function detectProfile(headers: ReceivedHeaders, acceptBodyOnly: boolean): ReadClaim | Refusal {
  const named = (list: readonly (readonly [string, ProfileName])[]) =>
    list.find(([header]) => hasHeader(headers, header) || hasHeader(headers, `${header}-Next`))
  const found = named(SIGNING_TIME) ?? (acceptBodyOnly ? named(BODY_ONLY) : undefined)
  if (found !== undefined) return PROFILES[found[1]]
  const bodyOnly = named(BODY_ONLY)
  if (bodyOnly === undefined) return refuse('missing_header', 'the request has no signature header')
  return refuse(
    'missing_header',
    `the request has no webhook-signature header. It has ${bodyOnly[0]}, which signs no time: if this is what you expect, give profile "${bodyOnly[1]}"`,
  )
}

/** `{id}.{timestamp}.{body}`; `v1` is HMAC-SHA256, `v1a` ed25519, and one valid signature is enough. */
function readStandard(headers: ReceivedHeaders, body: Uint8Array): Claim | Refusal {
  const signature = soleValue(headers, 'webhook-signature')
  if (!signature.ok) return signature
  const id = soleValue(headers, 'webhook-id')
  if (!id.ok) return id
  const timestamp = soleValue(headers, 'webhook-timestamp')
  if (!timestamp.ok) return timestamp
  if (!isSignedId(id.value)) {
    return refuse('malformed_header', 'webhook-id must be printable ASCII without dots, commas and spaces')
  }
  const timestampSeconds = parseTimestamp(timestamp.value)
  if (timestampSeconds === null) {
    return refuse('malformed_header', 'webhook-timestamp must be unix seconds in digits')
  }
  const signatures = readSignatureList(signature.value)
  if (!signatures.ok) return signatures
  return {
    ok: true,
    content: concat([`${id.value}.${timestamp.value}.`, body]),
    hmac: signatures.v1,
    hash: 'SHA-256',
    keyBytes: standardKeyBytes,
    ed25519: signatures.v1a,
    id: id.value,
    timestampSeconds,
  }
}

type SignatureList = { ok: true; v1: Uint8Array[]; v1a: Uint8Array[] }

function readSignatureList(text: string): SignatureList | Refusal {
  const list: SignatureList = { ok: true, v1: [], v1a: [] }
  for (const entry of text.split(' ')) {
    // Exactly one comma: "v1,AAAA, v1,BBBB" is two joined headers, and neither can be trusted.
    const [, version, base64 = ''] = /^([A-Za-z0-9]+),([A-Za-z0-9+/=_-]+)$/.exec(entry) ?? []
    if (version === undefined) {
      return refuse(
        'malformed_header',
        'webhook-signature must be <version>,<base64>, several separated by a space',
      )
    }
    // A version not known here is for other receivers.
    const bytes = version === 'v1' || version === 'v1a' ? signatureBytes(base64, 'base64') : null
    if (bytes !== null) list[version as 'v1' | 'v1a'].push(bytes)
  }
  if (list.v1.length + list.v1a.length > SIGNATURES_MAX) return tooMany('webhook-signature')
  return list
}

/** `t=<unix seconds>,v1=<hex>` over `{t}.{body}`, with a `v1` for each secret. */
function readLedgerly(headers: ReceivedHeaders, body: Uint8Array): Claim | Refusal {
  const header = soleValue(headers, 'X-Ledgerly-Signature')
  if (!header.ok) return header
  const signatures = readLedgerlyList(header.value)
  if (signatures === null) {
    return refuse('malformed_header', 'X-Ledgerly-Signature must be t=<unix seconds>,v1=<hex>')
  }
  const { time, hmac } = signatures
  if (hmac.length > SIGNATURES_MAX) return tooMany('X-Ledgerly-Signature')
  // This header is not signed: a receiver that reads it must not see another time than the signed
  // one.
  if (hasHeader(headers, 'X-Ledgerly-Timestamp')) {
    const copy = soleValue(headers, 'X-Ledgerly-Timestamp')
    if (!copy.ok) return copy
    if (copy.value !== time) {
      return refuse('malformed_header', 'X-Ledgerly-Timestamp must be the time in X-Ledgerly-Signature')
    }
  }
  return { ...hmacClaim(concat([`${time}.`, body]), hmac), timestampSeconds: Number(time) }
}

/** One `t`, which is a time, and at least one `v1`; other names are for other receivers. */
function readLedgerlyList(text: string): { time: string; hmac: Uint8Array[] } | null {
  const items = text.split(',').map((item) => /^([a-z0-9]+)=([A-Za-z0-9]+)$/.exec(item))
  const named = (name: string) => items.flatMap((item) => (item?.[1] === name ? (item[2] ?? []) : []))
  const [time = '', ...otherTimes] = named('t')
  const hmac = named('v1').flatMap((value) => signatureBytes(value, 'hex') ?? [])
  const isOfTheForm = !items.includes(null) && parseTimestamp(time) !== null && otherTimes.length === 0
  return isOfTheForm && hmac.length > 0 ? { time, hmac } : null
}

/** `sha256=<hex>` over the body alone; during a rotation `-Next` carries the new secret's signature. */
function readBodySignature(name: string): ReadClaim {
  return (headers, body) => {
    const values = soleAndNext(headers, name)
    if (!values.ok) return values
    const hmac = values.values.flatMap((value) => bodySignature(value) ?? [])
    if (hmac.length === 0) {
      return refuse('malformed_header', `${name} must be sha256=<64 lower-case hex digits>`)
    }
    return hmacClaim(body, hmac)
  }
}

/** The digest in `sha256=<hex>`, or `null`. */
export function bodySignature(text: string): Uint8Array | null {
  const [, hex = ''] = /^sha256=([0-9a-f]{64})$/.exec(text) ?? []
  return signatureBytes(hex, 'hex')
}

/**
 * The values of a header and of the same with `-Next`. Either will do: a signature proves itself by
 * the secret, so a receiver with only the new secret is served by the second.
 */
export function soleAndNext(
  headers: ReceivedHeaders,
  name: string,
): { ok: true; values: string[] } | Refusal {
  const values: string[] = []
  for (const each of [name, `${name}-Next`]) {
    if (!hasHeader(headers, each)) continue
    const sole = soleValue(headers, each)
    if (!sole.ok) return sole
    values.push(sole.value)
  }
  return values.length === 0 ? soleMissing(name) : { ok: true, values }
}

function soleMissing(name: string): Refusal {
  return refuse('missing_header', `the request has no ${name} header`)
}

function tooMany(name: string): Refusal {
  return refuse('malformed_header', `${name} must hold at most ${SIGNATURES_MAX} signatures`)
}

/** The common part of the schemes that sign under the secret's text: SHA-256, no id. */
function hmacClaim(content: Uint8Array, hmac: readonly Uint8Array[]): Claim {
  return {
    ok: true,
    content,
    hmac,
    hash: 'SHA-256',
    keyBytes: rawKeyBytes,
    ed25519: [],
    id: null,
    timestampSeconds: null,
  }
}

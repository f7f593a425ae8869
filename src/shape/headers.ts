import * as z from 'zod'
import { isRecord } from '../base/json/value.ts'
import { MASK } from '../base/secret/redaction.ts'
import { compileParts, hasOutputs } from './text-parts.ts'

/** Most custom headers of one subscription. */
const HEADERS_MAX = 50
/** Longest header name, in characters. */
export const HEADER_NAME_LENGTH_MAX = 100
/** Longest header value, in characters. */
export const HEADER_VALUE_LENGTH_MAX = 1000

/** One offending header: its name as given (null for the whole set), and what would be right. */
type HeaderProblem = { name: string | null; message: string }

/** token, RFC 9110 section 5.6.2. */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** field-content of RFC 9110 section 5.5 without the obsolete bytes above ASCII; so no CR, LF or NUL. */
const VALUE = /^[\t\x20-\x7e]*$/

/**
 * Headers that frame the message, are set by the relay or the edge, or break the record that holds
 * them.
 */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'user-agent',
  'forwarded',
  'x-real-ip',
  'true-client-ip',
  'cdn-loop',
  'http2-settings',
  '__proto__',
  'constructor',
  'prototype',
])

/** Families of names that the edge, proxies or the relay itself set. */
const FRAMING_PREFIXES: readonly string[] = ['cf-', 'proxy-', 'x-forwarded-', 'x-posthorn-']
/** Every profile's signature headers with their variants. */
const SIGNATURE_PREFIXES: readonly string[] = [
  'webhook-',
  'x-signature',
  'x-webhook-signature',
  'x-webhook-timestamp',
  'x-webhook-id',
  'x-ledgerly-signature',
  'x-ledgerly-timestamp',
]

/**
 * The headers by which a receiver routes a delivery before it reads it: to one of several secrets,
 * to a handler. They are the same under every profile, and outside its signature.
 *
 * @param subscriptionId null for a dispatch, which has no subscription
 * @param attemptNo counts from 1
 */
export function routingHeaders(
  subscriptionId: string | null,
  eventType: string,
  attemptNo: number,
): Record<string, string> {
  return {
    ...(subscriptionId !== null && { 'webhook-subscription-id': subscriptionId }),
    'webhook-event-type': eventType,
    'webhook-attempt': String(attemptNo),
  }
}

/** True for a header that frames the message or that the relay or the network sets under every profile. */
export function isFramingHeader(lowerName: string): boolean {
  return RESERVED_NAMES.has(lowerName) || FRAMING_PREFIXES.some((prefix) => lowerName.startsWith(prefix))
}

/**
 * Validates a subscription's custom `headers`. `z.record` would silently drop a member called
 * `__proto__`.
 */
export const deliveryHeadersSchema = headersSchema(headerProblems)

/** The same for a change, in which a masked credential stands for the stored one. */
export const changedHeadersSchema = headersSchema((headers) => headerProblems(unmasked(headers)))

function headersSchema(problemsOf: (headers: Record<string, unknown>) => HeaderProblem[]) {
  return z
    .custom<Record<string, string>>(isRecord, 'must be an object of header names and values')
    .superRefine((headers, context) => {
      for (const { name, message } of problemsOf(headers)) {
        context.addIssue({ code: 'custom', path: name === null ? [] : [name], message })
      }
    })
    .meta({ like: z.record(z.string(), z.string()), example: { 'X-Team': 'billing' } })
}

/** Headers without the values that answers show in the place of credentials. */
function unmasked(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = Object.entries(headers).map(([name, value]) => [name, isMasked(name, value) ? '' : value])
  return Object.fromEntries(shown) as Record<string, unknown>
}

function isMasked(name: string, value: unknown): boolean {
  return value === MASK && promisesCredential(name)
}

/** Puts stored values in the place of masked ones, and names those; nothing is stored for the `unknown` ones. */
export function keepMaskedHeaders(
  next: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
): { headers: Record<string, string>; kept: string[]; unknown: string[] } {
  const known = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]))
  const headers = { ...next }
  const kept: string[] = []
  const unknown: string[] = []
  for (const name of Object.keys(next).filter((each) => isMasked(each, next[each]))) {
    const value = known.get(name.toLowerCase())
    if (value === undefined) unknown.push(name)
    else {
      kept.push(name)
      headers[name] = value
    }
  }
  return { headers, kept, unknown }
}

/** Finds the problems of a set of custom headers, at most one per header; values are never repeated. */
export function headerProblems(headers: Readonly<Record<string, unknown>>): HeaderProblem[] {
  const entries = Object.entries(headers)
  if (entries.length > HEADERS_MAX)
    return [{ name: null, message: `must hold at most ${HEADERS_MAX} headers` }]
  const seen = new Set<string>()
  return entries.flatMap(([name, value]) => {
    const lowerName = name.toLowerCase()
    const message = nameProblem(name) ?? duplicateProblem(lowerName, seen) ?? valueProblem(value)
    seen.add(lowerName)
    return message === null ? [] : [{ name, message }]
  })
}

function nameProblem(name: string): string | null {
  if (!HEADER_NAME.test(name)) return "must have a header name of letters, digits and !#$%&'*+-.^_`|~"
  if (name.length > HEADER_NAME_LENGTH_MAX)
    return `must have a name of at most ${HEADER_NAME_LENGTH_MAX} characters`
  const lowerName = name.toLowerCase()
  const reserved =
    isFramingHeader(lowerName) || SIGNATURE_PREFIXES.some((prefix) => lowerName.startsWith(prefix))
  return reserved ? `"${name}" is reserved: the relay or the network sets it; choose another name` : null
}

function duplicateProblem(lowerName: string, seen: ReadonlySet<string>): string | null {
  return seen.has(lowerName) ? 'is given twice: header names are the same in upper and lower case' : null
}

function valueProblem(value: unknown): string | null {
  if (typeof value !== 'string') return 'must be a string'
  if (value === MASK) return 'must be the value itself, not what answers show in its place'
  if (value.length > HEADER_VALUE_LENGTH_MAX) return `must be at most ${HEADER_VALUE_LENGTH_MAX} characters`
  if (!VALUE.test(value)) return 'must be printable ASCII, spaces and tabs, without line breaks'
  const compiled = hasOutputs(value) ? compileParts(value) : null
  return compiled === null || compiled.ok ? null : compiled.message
}

const CREDENTIAL = /auth|cookie|key|pass|secret|signature|token|credential/i

/** True when a header's name suggests that its value is a credential, which is then shown masked. */
export function promisesCredential(name: string): boolean {
  return CREDENTIAL.test(name)
}

/** Headers as answers show them: those whose names promise a credential are masked. */
export function maskHeaders(headers: Record<string, string>): Record<string, string> {
  const masked = Object.entries(headers).map(([name, value]) => [
    name,
    promisesCredential(name) ? MASK : value,
  ])
  return Object.fromEntries(masked) as Record<string, string>
}

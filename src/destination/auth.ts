import * as z from 'zod'
import { namedRecord } from '../base/json/named-record.ts'
import { maskUrl } from '../base/secret/mask-url.ts'
import { MASK } from '../base/secret/redaction.ts'
import type { Problem } from '../model/errors.ts'
import { headerProblems } from '../shape/headers.ts'
import { checkDestination, type DestinationCheck, type DestinationRules, URL_LENGTH_MAX } from './url.ts'

/** Life of a signed JWT in seconds when `expiresInSeconds` is left out. */
export const JWT_SECONDS_DEFAULT = 300
/** Longest static or issued token: receivers rarely take more than 8 KB of headers. */
export const TOKEN_LENGTH_MAX = 8_000

const TYPES = ['basic', 'bearer', 'apiKey', 'oauth2', 'jwt', 'mtls'] as const
const CLIENT_FIELDS = ['tokenUrl', 'clientId', 'clientSecret'] as const
const CLIENT_OPTIONS = ['scope', 'audience', 'clientAuthentication'] as const
/** Claims that the relay states itself or has a field for (RFC 7519 section 4.1). */
const REGISTERED_CLAIMS: readonly string[] = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']

const text = (max: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII without line breaks')
const ends = /^(?! ).*(?<! )$/s
const headerValue = (max: number) => text(max).regex(ends, 'must neither begin nor end with a space')
const tokenSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(TOKEN_LENGTH_MAX, `must be at most ${TOKEN_LENGTH_MAX} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces or line breaks')
const loginSchema = z
  .string()
  .max(255, 'must be at most 255 characters')
  .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII without line breaks')
const headerNameSchema = z.string().superRefine((name, context) => {
  for (const { message } of headerProblems({ [name]: '' })) context.addIssue({ code: 'custom', message })
})
const claimSchema = z.string().min(1, 'must not be empty').max(1000, 'must be at most 1000 characters')

const URL_TOO_LONG = `must be at most ${URL_LENGTH_MAX} characters`

const basicSchema = z.strictObject({
  type: z.literal('basic'),
  username: loginSchema.regex(/^[^:]*$/, 'must not hold ":", which ends the user name (RFC 7617)'),
  password: loginSchema,
})
const bearerSchema = z.strictObject({ type: z.literal('bearer'), token: tokenSchema })
const apiKeySchema = z.strictObject({
  type: z.literal('apiKey'),
  header: headerNameSchema,
  value: headerValue(1000),
})
const oauth2Schema = z
  .strictObject({
    type: z.literal('oauth2'),
    token: tokenSchema.optional(),
    tokenUrl: z.string().min(1, 'must not be empty').max(URL_LENGTH_MAX, URL_TOO_LONG).optional(),
    clientId: text(1000).optional(),
    clientSecret: text(1000).optional(),
    scope: text(1000).optional(),
    audience: text(1000).optional(),
    clientAuthentication: z.enum(['basic', 'body'], 'must be "basic" or "body"').optional(),
  })
  .superRefine(requireOneForm)
const jwtSchema = z.strictObject({
  type: z.literal('jwt'),
  algorithm: z.enum(['HS256', 'RS256', 'ES256', 'EdDSA'], 'must be "HS256", "RS256", "ES256" or "EdDSA"'),
  key: z.string().min(8, 'must be at least 8 characters').max(8192, 'must be at most 8192 characters'),
  keyId: claimSchema.optional(),
  issuer: claimSchema.optional(),
  subject: claimSchema.optional(),
  audience: claimSchema.optional(),
  expiresInSeconds: z
    .int('must be whole seconds')
    .min(30, 'must be 30-3600')
    .max(3600, 'must be 30-3600')
    .optional(),
  claims: namedRecord(
    claimSchema.refine((name) => !REGISTERED_CLAIMS.includes(name), {
      message: 'is set by the relay: use "issuer", "subject", "audience" and "expiresInSeconds"',
    }),
    z.union([z.string().max(1000), z.number(), z.boolean()], 'must be a text, a number, true or false'),
    { max: 20, message: 'must hold at most 20 claims' },
  ).optional(),
  header: headerNameSchema.optional(),
})
const mtlsSchema = z.strictObject({
  type: z.literal('mtls'),
  certificate: z.string().regex(/^\w{1,100}$/, 'must be the name of a certificate, such as "MTLS_ACME"'),
})

const anySchema = z.discriminatedUnion(
  'type',
  [basicSchema, bearerSchema, apiKeySchema, oauth2Schema, jwtSchema, mtlsSchema],
  {
    error: (issue) =>
      issue.code === 'invalid_union' ? `must be one of ${TYPES.map((type) => `"${type}"`).join(', ')}` : null,
  },
)

/** An access token obtained elsewhere. */
export type OAuthTokenAuth = { type: 'oauth2'; token: string }
/** OAuth 2.0 client credentials (RFC 6749 section 4.4); `clientAuthentication` defaults to "basic". */
export type OAuthClientAuth = Omit<z.infer<typeof oauth2Schema>, 'token' | (typeof CLIENT_FIELDS)[number]> &
  Record<(typeof CLIENT_FIELDS)[number], string>
/** A JWT that the relay signs for each use (RFC 7519). */
export type JwtAuth = z.infer<typeof jwtSchema>
/** A validated `auth`: how deliveries of a subscription prove to the receiver whose they are. */
export type DestinationAuth =
  | Exclude<z.infer<typeof anySchema>, { type: 'oauth2' }>
  | OAuthTokenAuth
  | OAuthClientAuth

/**
 * A subscription's `auth`, kept as it was given. URLs, keys and certificates are checked apart, by `authUrls` with
 * `checkTokenUrl`, by `checkAuth` and by `findCertificate`.
 */
// `requireOneForm` has told the two forms of "oauth2" apart, which the inferred type does not know.
export const destinationAuthSchema = anySchema.meta({ id: 'DestinationAuth' }) as unknown as z.ZodType<
  DestinationAuth,
  DestinationAuth
>

/** The fields that are secret, by type; everything else may be shown. */
const CREDENTIALS: Record<DestinationAuth['type'], readonly string[]> = {
  basic: ['password'],
  bearer: ['token'],
  apiKey: ['value'],
  oauth2: ['token', 'clientSecret'],
  jwt: ['key'],
  mtls: [],
}

/** True where tokens are fetched for this `auth`, rather than given with it. */
export function isOAuthClient(auth: DestinationAuth): auth is OAuthClientAuth {
  return auth.type === 'oauth2' && 'tokenUrl' in auth
}

/** Masks the credentials of an `auth`, also in its URL; user names, client ids, scopes and headers are shown. */
export function maskAuth(auth: DestinationAuth): DestinationAuth {
  const masked = Object.fromEntries(credentialsOf(auth).map(([name]) => [name, MASK]))
  return { ...auth, ...masked, ...(isOAuthClient(auth) && { tokenUrl: maskUrl(auth.tokenUrl) }) }
}

/** Every credential of an `auth`, for texts that must not repeat one. */
export function secretsOf(auth: DestinationAuth): string[] {
  return credentialsOf(auth).map(([, value]) => value)
}

/** The URLs an `auth` makes the relay call, each to be checked by `checkTokenUrl` before it is saved. */
export function authUrls(auth: DestinationAuth): { path: string; url: string }[] {
  return isOAuthClient(auth) ? [{ path: 'auth.tokenUrl', url: auth.tokenUrl }] : []
}

/**
 * Checks a URL that client credentials are sent to: as `checkDestination`, but never plain http to a
 * public host, which the workspace may allow for deliveries.
 */
export function checkTokenUrl(url: string, rules: DestinationRules): DestinationCheck {
  return checkDestination(url, { ...rules, allowHttp: false })
}

/** True where an `auth` that was sent back cannot be read without the stored one. */
export function hasMask(auth: DestinationAuth): boolean {
  return secretsOf(auth).includes(MASK) || tokenUrlOf(auth)?.includes(MASK) === true
}

/** Puts stored credentials in the place of those that are masked in `given`. */
export function keepMasked(
  given: DestinationAuth | null,
  stored: DestinationAuth | null,
): { ok: true; auth: DestinationAuth | null } | { ok: false; problems: Problem[] } {
  if (given === null) return { ok: true, auth: null }
  const next = keepTokenUrl(given, stored)
  const masked = credentialsOf(next).flatMap(([name, value]) => (value === MASK ? [name] : []))
  const known = new Map(stored?.type === next.type ? credentialsOf(stored) : [])
  const problems = masked.filter((name) => !known.has(name)).map(unknownMask)
  if (problems.length > 0) return { ok: false, problems }
  // A caller who may not read a credential must not have it sent to an address of their choosing.
  if (masked.length > 0 && stored !== null && tokenUrlOf(next) !== tokenUrlOf(stored)) {
    const message =
      'must be given again when "tokenUrl" changes: the stored one is not sent to another address'
    return { ok: false, problems: masked.map((name) => ({ path: `auth.${name}`, message })) }
  }
  const kept = Object.fromEntries(masked.map((name) => [name, known.get(name)]))
  return { ok: true, auth: { ...next, ...kept } as DestinationAuth }
}

/** Makes the header that carries a credential: base64 of "user:password" for Basic, else as it is. */
export function authHeaders(auth: DestinationAuth, credential: string): Record<string, string> {
  switch (auth.type) {
    case 'basic':
      return { Authorization: `Basic ${credential}` }
    case 'bearer':
    case 'oauth2':
      return { Authorization: `Bearer ${credential}` }
    case 'apiKey':
      return { [auth.header]: credential }
    case 'jwt': {
      const header = auth.header ?? 'Authorization'
      return { [header]: header.toLowerCase() === 'authorization' ? `Bearer ${credential}` : credential }
    }
    case 'mtls':
      return {}
  }
}

/** The headers an `auth` adds to a delivery, as they may be shown. */
export function maskedAuthHeaders(auth: DestinationAuth): Record<string, string> {
  return authHeaders(auth, MASK)
}

/** Adds the headers of `auth` to a delivery's own, in place of those of the same name in any case. */
export function withAuthHeaders(
  own: Readonly<Record<string, string>>,
  auth: Readonly<Record<string, string>>,
): Record<string, string> {
  const taken = new Set(Object.keys(auth).map((name) => name.toLowerCase()))
  const kept = Object.entries(own).filter(([name]) => !taken.has(name.toLowerCase()))
  return Object.fromEntries([...kept, ...Object.entries(auth)])
}

function unknownMask(name: string): Problem {
  return { path: `auth.${name}`, message: `must be given: nothing is stored that "${MASK}" could stand for` }
}

function credentialsOf(auth: DestinationAuth): [string, string][] {
  const names = CREDENTIALS[auth.type]
  return Object.entries(auth).filter(
    (entry): entry is [string, string] => names.includes(entry[0]) && typeof entry[1] === 'string',
  )
}

function requireOneForm(auth: Record<string, unknown>, context: z.RefinementCtx): void {
  const given = (names: readonly string[]) => names.filter((name) => auth[name] !== undefined)
  const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
  if (auth['token'] !== undefined) {
    for (const name of given([...CLIENT_FIELDS, ...CLIENT_OPTIONS])) {
      issue([name], 'cannot be combined with "token", which is sent as it is')
    }
  } else if (given(CLIENT_FIELDS).length === 0) {
    issue([], 'must hold either "token" or "tokenUrl", "clientId" and "clientSecret"')
  } else {
    for (const name of CLIENT_FIELDS) {
      if (auth[name] === undefined) issue([name], 'is required for client credentials')
    }
  }
}

/** An `auth` with the stored token URL in the place of what answers show of it. */
function keepTokenUrl(given: DestinationAuth, stored: DestinationAuth | null): DestinationAuth {
  const tokenUrl = stored === null ? null : tokenUrlOf(stored)
  if (!isOAuthClient(given) || tokenUrl === null || given.tokenUrl !== maskUrl(tokenUrl)) return given
  return { ...given, tokenUrl }
}

function tokenUrlOf(auth: DestinationAuth): string | null {
  return isOAuthClient(auth) ? auth.tokenUrl : null
}

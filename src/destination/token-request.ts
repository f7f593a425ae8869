import * as oauth from 'oauth4webapi'
import { isRecord, parseJsonOrNull } from '../base/json/value.ts'
import { readCapped } from '../base/read-capped.ts'
import { checkTokenUrl, type OAuthClientAuth, secretsOf, TOKEN_LENGTH_MAX } from './auth.ts'
import { findAddressFault } from './dns/check-addresses.ts'
import type { DestinationRules } from './url.ts'

export type TokenRequestDeps = {
  fetch: typeof fetch
  now: () => number
  destinations: DestinationRules
  userAgent: string
}

/** An access token and its life, in unix milliseconds by the relay's clock. */
export type IssuedToken = { token: string; issuedAtMs: number; expiresAtMs: number }

/** `message` says which endpoint did what, with its OAuth error code, and repeats no credential. */
export type TokenAnswer = ({ ok: true } & IssuedToken) | { ok: false; message: string }

/** Time a token endpoint has for headers and body. */
export const TOKEN_TIMEOUT_MS = 10_000
/** Bytes of its answer that are read at all. */
const ANSWER_BYTES_MAX = 65_536
/** Life of a token whose answer does not say (RFC 6749 section 5.1 only recommends `expires_in`). */
const LIFE_SECONDS_DEFAULT = 300
/**
 * Bounds of an `expires_in` we trust. Below 10 s every delivery would
 * fetch a token; above a day, a revoked one would live too long.
 */
const LIFE_SECONDS_MIN = 10
const LIFE_SECONDS_MAX = 86_400

type Answer = { status: number; text: string }
class Oversized extends Error {}

/**
 * Asks a token endpoint for an access token with client credentials (RFC
 * 6749 section 4.4). Checks the URL at each use, follows no redirect,
 * bounds time and size. Never throws for a fault of the endpoint.
 */
export async function requestToken(deps: TokenRequestDeps, auth: OAuthClientAuth): Promise<TokenAnswer> {
  const check = checkTokenUrl(auth.tokenUrl, deps.destinations)
  if (!check.ok) return { ok: false, message: `the URL of the token endpoint ${check.message}` }
  const unreached = await findAddressFault(deps.destinations, check.url, null)
  if (unreached !== null) return { ok: false, message: `the URL of the token endpoint ${unreached.message}` }
  const url = new URL(check.url)
  const issuedAtMs = deps.now()
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TOKEN_TIMEOUT_MS)
  try {
    const answer = await ask(deps, auth, { url, signal: abort.signal })
    const read = await readAnswer(auth, url, answer)
    if (!read.ok) return { ok: false, message: `${nameOf(url)} ${read.message}` }
    return { ok: true, token: read.token, issuedAtMs, expiresAtMs: issuedAtMs + read.lifeSeconds * 1000 }
  } catch (error) {
    return { ok: false, message: `${nameOf(url)} ${fault(error, abort.signal.aborted)}` }
  } finally {
    clearTimeout(timer)
  }
}

/** Names the host only: path and query may hold credentials. */
function nameOf(url: URL): string {
  return `the token endpoint ${url.host}`
}

function fault(error: unknown, timedOut: boolean): string {
  if (timedOut) return `did not answer within ${TOKEN_TIMEOUT_MS / 1000} s`
  if (error instanceof Oversized) return `answered with more than ${ANSWER_BYTES_MAX / 1024} KB`
  return 'could not be reached, or broke off its answer'
}

async function ask(
  deps: TokenRequestDeps,
  auth: OAuthClientAuth,
  { url, signal }: { url: URL; signal: AbortSignal },
): Promise<Answer> {
  const parameters = new URLSearchParams()
  if (auth.scope !== undefined) parameters.set('scope', auth.scope)
  if (auth.audience !== undefined) parameters.set('audience', auth.audience)
  const authenticate = auth.clientAuthentication === 'body' ? oauth.ClientSecretPost : oauth.ClientSecretBasic
  const response = await oauth.clientCredentialsGrantRequest(
    serverAt(url),
    { client_id: auth.clientId },
    authenticate(auth.clientSecret),
    parameters,
    {
      headers: { 'User-Agent': deps.userAgent },
      signal,
      // `checkTokenUrl` has decided already whether http is allowed.
      [oauth.allowInsecureRequests]: url.protocol === 'http:',
      [oauth.customFetch]: (to, init) =>
        deps.fetch(to, {
          method: init.method,
          headers: init.headers,
          body: new TextEncoder().encode(String(init.body)),
          redirect: 'manual',
          signal,
        }),
    },
  )
  if (response.body === null) return { status: response.status, text: '' }
  const { text, isWhole } = await readCapped(response.body, { bytesMax: ANSWER_BYTES_MAX })
  if (!isWhole) throw new Oversized()
  return { status: response.status, text }
}

function serverAt(url: URL): oauth.AuthorizationServer {
  return { issuer: url.origin, token_endpoint: url.href }
}

async function readAnswer(
  auth: OAuthClientAuth,
  url: URL,
  { status, text }: Answer,
): Promise<{ ok: true; token: string; lifeSeconds: number } | { ok: false; message: string }> {
  const json = parseObject(text)
  if (status >= 300 && status < 400) {
    return { ok: false, message: `answered with a redirect (${status}), which is not followed` }
  }
  if (status !== 200) return { ok: false, message: `answered ${status}${errorCode(auth, json?.['error'])}` }
  if (json === null) return { ok: false, message: 'answered 200 without a JSON object' }
  const { access_token, token_type: given, expires_in } = json
  const unusable = unusableToken(access_token)
  if (unusable !== null) return { ok: false, message: unusable }
  // RFC 6749 section 5.1 requires token_type, but many servers omit it and give Bearer tokens only.
  const token_type = given ?? 'bearer'
  try {
    // Only the members that are used are handed on, so that no other can spoil the answer.
    const response = Response.json({ access_token, token_type })
    const grant = await oauth.processClientCredentialsResponse(
      serverAt(url),
      { client_id: auth.clientId },
      response,
    )
    if (grant.token_type !== 'bearer') return { ok: false, message: NOT_BEARER }
    return { ok: true, token: grant.access_token, lifeSeconds: lifeOf(expires_in) }
  } catch {
    return { ok: false, message: NOT_BEARER }
  }
}

const NOT_BEARER = 'gave a token that is not of type Bearer'

/** Says why a token cannot be put into an Authorization header, without repeating it. */
function unusableToken(token: unknown): string | null {
  if (typeof token !== 'string' || token === '') return 'answered 200 without an access_token'
  if (token.length > TOKEN_LENGTH_MAX)
    return `gave an access token of ${token.length} characters, of which a header takes ${TOKEN_LENGTH_MAX} at most`
  return /^[\x21-\x7e]+$/.test(token)
    ? null
    : 'gave an access token with line breaks, spaces or other characters that a header cannot carry'
}

function lifeOf(expiresIn: unknown): number {
  const seconds = typeof expiresIn === 'string' ? Number.parseFloat(expiresIn) : expiresIn
  if (typeof seconds !== 'number' || Number.isNaN(seconds)) return LIFE_SECONDS_DEFAULT
  return Math.min(Math.max(Math.floor(seconds), LIFE_SECONDS_MIN), LIFE_SECONDS_MAX)
}

/**
 * Makes ` (invalid_client)` of the endpoint's error, or
 * nothing when it is no code or repeats part of a credential.
 */
function errorCode(auth: OAuthClientAuth, error: unknown): string {
  if (typeof error !== 'string' || !/^[\w.-]{1,64}$/.test(error)) return ''
  const echoes = secretsOf(auth).some((secret) => secret.includes(error) || error.includes(secret))
  return echoes ? '' : ` (${error})`
}

function parseObject(text: string): Record<string, unknown> | null {
  const value = parseJsonOrNull(text)
  return isRecord(value) ? value : null
}

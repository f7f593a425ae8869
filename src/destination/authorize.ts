import { type AuthorizeDeps, type AuthorizeTarget, accessToken } from './access-token.ts'
import {
  authHeaders,
  type DestinationAuth,
  isOAuthClient,
  JWT_SECONDS_DEFAULT,
  type JwtAuth,
  type OAuthClientAuth,
} from './auth.ts'
import { signJwt } from './signed-jwt.ts'

/** `refresh` after the receiver answered 401 to a request whose headers were `failed`. */
export type AuthorizeOptions =
  | { refresh: false }
  | { refresh: true; failed: Readonly<Record<string, string>> }

export type Authorization =
  | { ok: true; headers: Record<string, string> }
  | { ok: false; message: string; retryable: true }

/**
 * Makes the headers that prove to a receiver whose delivery it is. With `refresh` they differ from the
 * refused ones, or there are none. Never throws; a message holds no credential.
 */
export async function authorize(
  deps: AuthorizeDeps,
  target: AuthorizeTarget,
  options: AuthorizeOptions,
): Promise<Authorization> {
  const { auth } = target
  if (isOAuthClient(auth)) {
    const refused = options.refresh ? bearerToken(options.failed) : null
    const answer = await accessToken(deps, { ...target, auth }, refused)
    return answer.ok ? { ok: true, headers: authHeaders(auth, answer.token) } : refuse(answer.message)
  }
  if (auth.type === 'mtls') return { ok: true, headers: {} }
  if (options.refresh) return refuse('the receiver refused credentials that only a change of "auth" renews')
  const credential = auth.type === 'jwt' ? await signedToken(deps, { ...target, auth }) : asSent(auth)
  if (credential === null) return refuse('the key of "auth" does not sign with its algorithm')
  return { ok: true, headers: authHeaders(auth, credential) }
}

function asSent(auth: Exclude<DestinationAuth, OAuthClientAuth | JwtAuth | { type: 'mtls' }>): string {
  switch (auth.type) {
    case 'basic':
      return btoa(`${auth.username}:${auth.password}`)
    case 'bearer':
    case 'oauth2':
      return auth.token
    case 'apiKey':
      return auth.value
  }
}

function refuse(message: string): Authorization {
  return { ok: false, message, retryable: true }
}

/**
 * The token in an access token's headers; the empty
 * string, which is no token, where others replaced them.
 */
function bearerToken(headers: Readonly<Record<string, string>>): string {
  return /^Bearer (.+)$/.exec(headers['Authorization'] ?? '')?.[1] ?? ''
}

/**
 * Signs a JWT; null when its key does not sign. One is used for a
 * tenth of its life: signing is rare, and receivers see a fresh one.
 */
async function signedToken(
  { tokens, now }: AuthorizeDeps,
  { subscriptionNo, version, auth }: AuthorizeTarget<JwtAuth>,
): Promise<string | null> {
  const nowMs = now()
  const known = tokens.signed.get(subscriptionNo)
  if (known?.version === version && nowMs < known.untilMs) return known.token
  try {
    const token = await signJwt(auth, nowMs)
    const untilMs = nowMs + (auth.expiresInSeconds ?? JWT_SECONDS_DEFAULT) * 100
    tokens.signed.set(subscriptionNo, { version, untilMs, token })
    return token
  } catch {
    return null
  }
}

/** What must not be seen anywhere but in requests; each can be told from all other text. */
export const CREDENTIALS = {
  password: 'basic-password-of-acme',
  bearer: 'bearer-token-of-acme',
  apiKey: 'api-key-of-acme',
  staticToken: 'static-oauth-token-of-acme',
  jwtKey: 'jwt-signing-key-of-acme-which-is-long-enough',
  header: 'custom-header-credential-of-acme',
  clientSecret: 'the-client:secret/of acme',
}
/** An `auth` of each kind whose credential is sent as it is. */
export const GIVEN = {
  basic: { type: 'basic', username: 'acme', password: CREDENTIALS.password },
  bearer: { type: 'bearer', token: CREDENTIALS.bearer },
  // Seed 004's e-commerce example.
  apiKey: { type: 'apiKey', header: 'X-API-Key', value: CREDENTIALS.apiKey },
  // Seed 004's CRM example: "OAuth 2.0, Token: [OAUTH_TOKEN]".
  oauth2: { type: 'oauth2', token: CREDENTIALS.staticToken },
}

/** An `auth` whose token the relay signs, with every option. */
export const JWT = {
  ...{ type: 'jwt', algorithm: 'HS256', key: CREDENTIALS.jwtKey, keyId: 'key-7', issuer: 'posthorn' },
  ...{ audience: 'https://crm.example.com', subject: 'acme', expiresInSeconds: 60, claims: { plan: 'gold' } },
}

/** The form in which an `auth` may be shown. */
export function maskedOf(auth: Record<string, unknown>): object {
  const secrets: readonly unknown[] = Object.values(CREDENTIALS)
  return Object.fromEntries(
    Object.entries(auth).map(([name, value]) => [name, secrets.includes(value) ? '********' : value]),
  )
}

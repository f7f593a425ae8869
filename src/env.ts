import * as z from 'zod'
import type { IdentitySettings } from './access/identity.ts'
import { SLOTS_MAX } from './base/concurrency/slots.ts'
import { isVaultKey } from './base/secret/sealing-key.ts'
import { DATABASE_BYTES_MAX } from './store/database-limit.ts'

/** Requests in flight per invocation in production (platform limit). */
const SLOTS_DEFAULT = 6
/** The share of deliveries and publishes that have log lines even though all went well. */
const LOG_SAMPLE_DEFAULT = 0.01
/** The key `npm start` uses; accepted on loopback only. */
export const LOCAL_ADMIN_KEY = 'posthorn_local_admin'

/** An admin key: one word of an Authorization header. */
const ADMIN_KEY_PATTERN = /^[\x21-\x7e]{8,512}$/

const variablesSchema = z.object({
  ADMIN_KEY: z.string().regex(ADMIN_KEY_PATTERN).optional(),
  ADMIN_KEY_PREVIOUS: z.string().regex(ADMIN_KEY_PATTERN).optional(),
  KEY_ENCRYPTION_KEY: z.string().refine(isVaultKey).optional(),
  KEY_ENCRYPTION_KEY_PREVIOUS: z.string().refine(isVaultKey).optional(),
  ALLOW_PRIVATE_DESTINATIONS: z.enum(['true', 'false']).optional(),
  DELIVERY_SLOTS: z.coerce.number().int().min(1).max(SLOTS_MAX).optional(),
  OWN_HOSTNAMES: z.string().optional(),
  CORS_ORIGINS: originsSchema().optional(),
  PORTAL_FRAME_ANCESTORS: originsSchema().optional(),
  PORTAL_LOGO_ORIGINS: originsSchema().optional(),
  PORTAL_ORIGIN: z.string().refine(isOrigin).optional(),
  MAX_DATABASE_BYTES: z.coerce.number().int().min(1_000_000).optional(),
  DNS_OVER_HTTPS_URL: z.string().refine(isServerUrl).optional(),
  JWT_ISSUER: z.string().min(1).optional(),
  JWT_AUDIENCE: z.string().min(1).optional(),
  JWT_JWKS_URL: z.string().refine(isServerUrl).optional(),
  JWT_WORKSPACE_CLAIM: z.string().min(1).optional(),
  JWT_SCOPE_CLAIM: z.string().min(1).optional(),
  LOG_SAMPLE: z.union([z.literal('off'), z.coerce.number().min(0).max(1)]).optional(),
  LOG_LINES_PER_SECOND: z.coerce.number().int().min(1).optional(),
})

/** The names of all variables and secrets. */
export const VARIABLE_NAMES = Object.keys(variablesSchema.shape) as (keyof typeof variablesSchema.shape)[]

/** One says whose tokens count, one for whom they must be, one where their keys are: all, or none. */
const IDENTITY_NAMES = ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL']

/** The parsed environment. */
export type Settings = {
  adminKey: string
  /** The admin key before, which is valid as well while callers change to the present one. */
  previousAdminKey: string | null
  keyEncryptionKey: string
  /** The key before, during a change of keys: it opens, and seals nothing. */
  previousKeyEncryptionKey: string | null
  /** The identity provider whose tokens are taken; null where there is none. */
  identity: IdentitySettings | null
  allowPrivateDestinations: boolean
  slots: number
  ownHostnames: readonly string[]
  /** The server of DNS over HTTPS that hosts are looked up at; null for none. */
  dnsOverHttpsUrl: string | null
  /** Origins whose pages may call the API from a browser. */
  corsOrigins: readonly string[]
  /** Origins whose pages may show the portal in a frame. */
  portalFrameAncestors: readonly string[]
  /** Origins whose pictures the portal shows as a customer's logo. */
  portalLogoOrigins: readonly string[]
  /** The origin of the portal's links; null for that of the request that asks for one. */
  portalOrigin: string | null
  maxDatabaseBytes: number
  /** The share of deliveries and publishes that have log lines even though all went well; null for no such lines. */
  logSample: number | null
  /** Lines a second, in an isolate, of what went well; null for all that the sample draws. */
  logLinesPerSecond: number | null
}

/** Settings, or which variables are missing or wrong and what to do about it. */
export type SettingsResult = { ok: true; settings: Settings } | { ok: false; message: string }

const HOW_TO_SET: Record<string, string> = {
  ADMIN_KEY:
    'ADMIN_KEY (a secret of 8-512 printable ASCII characters without spaces; `npx wrangler secret put ADMIN_KEY`)',
  ADMIN_KEY_PREVIOUS:
    'ADMIN_KEY_PREVIOUS (the admin key before, or nothing; `npx wrangler secret delete ADMIN_KEY_PREVIOUS`)',
  KEY_ENCRYPTION_KEY:
    'KEY_ENCRYPTION_KEY (the base64 of 32 random bytes; `openssl rand -base64 32 | npx wrangler secret put KEY_ENCRYPTION_KEY`)',
  KEY_ENCRYPTION_KEY_PREVIOUS:
    'KEY_ENCRYPTION_KEY_PREVIOUS (the key before, the base64 of 32 bytes; or `npx wrangler secret delete KEY_ENCRYPTION_KEY_PREVIOUS`)',
  JWT_ISSUER: 'JWT_ISSUER (the `iss` of the tokens of your identity provider)',
  JWT_AUDIENCE: 'JWT_AUDIENCE (the `aud` of tokens for this relay)',
  JWT_JWKS_URL: 'JWT_JWKS_URL (the https URL of the key set of your identity provider)',
  ALLOW_PRIVATE_DESTINATIONS: 'ALLOW_PRIVATE_DESTINATIONS ("true" or "false")',
  DELIVERY_SLOTS: `DELIVERY_SLOTS (a whole number, 1-${SLOTS_MAX})`,
  CORS_ORIGINS:
    'CORS_ORIGINS (origins separated by commas, such as "https://app.example.com": scheme, host and port, no path and no wildcard)',
  PORTAL_FRAME_ANCESTORS:
    'PORTAL_FRAME_ANCESTORS (origins separated by commas, such as "https://app.example.com")',
  PORTAL_LOGO_ORIGINS: 'PORTAL_LOGO_ORIGINS (origins separated by commas, such as "https://cdn.example.com")',
  PORTAL_ORIGIN: 'PORTAL_ORIGIN (an origin such as "https://hooks.example.com")',
  MAX_DATABASE_BYTES: 'MAX_DATABASE_BYTES (a whole number of bytes, at least 1,000,000)',
  DNS_OVER_HTTPS_URL:
    'DNS_OVER_HTTPS_URL (an https URL that answers application/dns-json, such as https://cloudflare-dns.com/dns-query)',
  LOG_SAMPLE: 'LOG_SAMPLE (a number, 0-1, or "off")',
  LOG_LINES_PER_SECOND: 'LOG_LINES_PER_SECOND (a whole number, at least 1)',
}

/** Parses the raw environment; the only place that knows the variables' names. */
export function readSettings(raw: Record<string, unknown>): SettingsResult {
  const parsed = variablesSchema.safeParse(raw)
  const wrong = parsed.success ? [] : parsed.error.issues.map((issue) => String(issue.path[0]))
  const isUnset = (name: string) => raw[name] === undefined || raw[name] === ''
  const isIdentityAsked = !IDENTITY_NAMES.every(isUnset)
  const required = ['ADMIN_KEY', 'KEY_ENCRYPTION_KEY', ...(isIdentityAsked ? IDENTITY_NAMES : [])]
  const missing = required.filter(isUnset)
  const names = [...new Set([...missing, ...wrong])]
  if (!parsed.success || names.length > 0) {
    const list = names.map((name) => HOW_TO_SET[name] ?? name).join(' and ')
    return { ok: false, message: `This relay is not configured: set ${list}.` }
  }
  const {
    ADMIN_KEY = '',
    ADMIN_KEY_PREVIOUS = null,
    KEY_ENCRYPTION_KEY = '',
    KEY_ENCRYPTION_KEY_PREVIOUS,
    ALLOW_PRIVATE_DESTINATIONS,
    DELIVERY_SLOTS,
    OWN_HOSTNAMES,
    DNS_OVER_HTTPS_URL,
    CORS_ORIGINS,
    PORTAL_FRAME_ANCESTORS,
    PORTAL_LOGO_ORIGINS,
    PORTAL_ORIGIN,
    MAX_DATABASE_BYTES,
    LOG_SAMPLE = LOG_SAMPLE_DEFAULT,
    LOG_LINES_PER_SECOND = null,
  } = parsed.data
  return {
    ok: true,
    settings: {
      adminKey: ADMIN_KEY,
      previousAdminKey: ADMIN_KEY_PREVIOUS,
      keyEncryptionKey: KEY_ENCRYPTION_KEY,
      previousKeyEncryptionKey: KEY_ENCRYPTION_KEY_PREVIOUS ?? null,
      identity: identityOf(parsed.data),
      allowPrivateDestinations: ALLOW_PRIVATE_DESTINATIONS === 'true',
      slots: DELIVERY_SLOTS ?? SLOTS_DEFAULT,
      maxDatabaseBytes: MAX_DATABASE_BYTES ?? DATABASE_BYTES_MAX,
      logSample: LOG_SAMPLE === 'off' ? null : LOG_SAMPLE,
      logLinesPerSecond: LOG_LINES_PER_SECOND,
      dnsOverHttpsUrl: DNS_OVER_HTTPS_URL ?? null,
      ownHostnames: listed(OWN_HOSTNAMES ?? '').map((name) => name.toLowerCase()),
      corsOrigins: CORS_ORIGINS ?? [],
      portalFrameAncestors: PORTAL_FRAME_ANCESTORS ?? [],
      portalLogoOrigins: PORTAL_LOGO_ORIGINS ?? [],
      portalOrigin: PORTAL_ORIGIN ?? null,
    },
  }
}

function identityOf({
  JWT_ISSUER: issuer,
  JWT_AUDIENCE: audience,
  JWT_JWKS_URL: keySetUrl,
  JWT_WORKSPACE_CLAIM: workspaceClaim = 'workspace',
  JWT_SCOPE_CLAIM: scopeClaim = 'scope',
}: z.infer<typeof variablesSchema>): IdentitySettings | null {
  if (issuer === undefined || audience === undefined || keySetUrl === undefined) return null
  return { issuer, audience, keySetUrl, workspaceClaim, scopeClaim }
}

/** A URL of the operator's own: plain http on this machine only. */
function isServerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, hash } = new URL(text)
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLocal)) && username === '' && hash === ''
}

/** Origins as browsers send them, separated by commas. */
function originsSchema() {
  return z
    .string()
    .transform(listed)
    .refine((origins) => origins.every(isOrigin))
}

function listed(text: string): string[] {
  return text.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]))
}

/** True for an origin as browsers send it. */
function isOrigin(text: string): boolean {
  return /^https?:[a-z0-9./:[\]-]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

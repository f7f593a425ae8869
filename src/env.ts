import * as z from 'zod'
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
  MAX_DATABASE_BYTES: z.coerce.number().int().min(1_000_000).optional(),
  DNS_OVER_HTTPS_URL: z.string().refine(isServerUrl).optional(),
  LOG_SAMPLE: z.union([z.literal('off'), z.coerce.number().min(0).max(1)]).optional(),
})

/** The parsed environment. */
export type Settings = {
  adminKey: string
  /** The admin key before, which is valid as well while callers change to the present one. */
  previousAdminKey: string | null
  keyEncryptionKey: string
  /** The key before, during a change of keys: it opens, and seals nothing. */
  previousKeyEncryptionKey: string | null
  allowPrivateDestinations: boolean
  slots: number
  ownHostnames: readonly string[]
  /** The server of DNS over HTTPS that hosts are looked up at; null for none. */
  dnsOverHttpsUrl: string | null
  maxDatabaseBytes: number
  /** The share of deliveries and publishes that have log lines even though all went well; null for no such lines. */
  logSample: number | null
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
  ALLOW_PRIVATE_DESTINATIONS: 'ALLOW_PRIVATE_DESTINATIONS ("true" or "false")',
  DELIVERY_SLOTS: `DELIVERY_SLOTS (a whole number, 1-${SLOTS_MAX})`,
  MAX_DATABASE_BYTES: 'MAX_DATABASE_BYTES (a whole number of bytes, at least 1,000,000)',
  DNS_OVER_HTTPS_URL:
    'DNS_OVER_HTTPS_URL (an https URL that answers application/dns-json, such as https://cloudflare-dns.com/dns-query)',
  LOG_SAMPLE: 'LOG_SAMPLE (a number, 0-1, or "off")',
}

/** Parses the raw environment; the only place that knows the variables' names. */
export function readSettings(raw: Record<string, unknown>): SettingsResult {
  const parsed = variablesSchema.safeParse(raw)
  const wrong = parsed.success ? [] : parsed.error.issues.map((issue) => String(issue.path[0]))
  const missing = ['ADMIN_KEY', 'KEY_ENCRYPTION_KEY'].filter(
    (name) => raw[name] === undefined || raw[name] === '',
  )
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
    MAX_DATABASE_BYTES,
    LOG_SAMPLE = LOG_SAMPLE_DEFAULT,
  } = parsed.data
  return {
    ok: true,
    settings: {
      adminKey: ADMIN_KEY,
      previousAdminKey: ADMIN_KEY_PREVIOUS,
      keyEncryptionKey: KEY_ENCRYPTION_KEY,
      previousKeyEncryptionKey: KEY_ENCRYPTION_KEY_PREVIOUS ?? null,
      allowPrivateDestinations: ALLOW_PRIVATE_DESTINATIONS === 'true',
      slots: DELIVERY_SLOTS ?? SLOTS_DEFAULT,
      maxDatabaseBytes: MAX_DATABASE_BYTES ?? DATABASE_BYTES_MAX,
      logSample: LOG_SAMPLE === 'off' ? null : LOG_SAMPLE,
      dnsOverHttpsUrl: DNS_OVER_HTTPS_URL ?? null,
      ownHostnames: (OWN_HOSTNAMES ?? '')
        .split(',')
        .flatMap((name) => (name.trim() === '' ? [] : [name.trim().toLowerCase()])),
    },
  }
}

/** A URL of the operator's own: plain http on this machine only. */
function isServerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, hash } = new URL(text)
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLocal)) && username === '' && hash === ''
}

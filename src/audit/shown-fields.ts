import { isRecord } from '../base/json/value.ts'
import { maskUrl } from '../base/secret/mask-url.ts'
import { MASK } from '../base/secret/redaction.ts'

const FIELDS_MAX = 60
const NAME_CHARS_MAX = 100
/** Longer values are named only. */
const VALUE_CHARS_MAX = 300

/** Fields whose values say what was done and hold no secret; of all others the log has the name. */
const SHOWN = new Set([
  ...['active', 'name', 'description', 'events', 'livemode', 'apiVersion', 'profile', 'asymmetric'],
  ...['timeoutSeconds', 'retryPolicy', 'responseRules', 'expiresAfterSeconds', 'ordered', 'orderingKey'],
  ...['rateLimit', 'concurrency', 'batchSettings', 'destinationIps', 'overlapSeconds', 'verifyOwnership'],
  ...['eventTypeEnforcement', 'retentionDays', 'retentionBytes', 'archive', 'limits', 'allowedHosts'],
  ...['deniedHosts', 'allowHttp', 'allowedPorts', 'role', 'scopes', 'expiresAt', 'expiresInSeconds'],
  ...['allowedIps', 'group', 'deprecated', 'status', 'event', 'error', 'dateFrom', 'dateTo', 'dryRun'],
  ...['ratePerSecond', 'webhooks', 'backfill', 'resealed', 'keyId', 'previousKeyId'],
])

/** The fields that a call names, as JSON: values where they are no secrets and short, else a mask. */
export function shownFields(named: unknown): string {
  if (!isRecord(named)) return '{}'
  const fields = Object.entries(named)
    .filter(([, value]) => value !== undefined)
    .slice(0, FIELDS_MAX)
    .map(([name, value]) => [name.slice(0, NAME_CHARS_MAX), shownValue(name, value)])
  return JSON.stringify(Object.fromEntries(fields))
}

function shownValue(name: string, value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value
  if (name === 'url' && typeof value === 'string') return short(maskUrl(value))
  return SHOWN.has(name) ? short(value) : MASK
}

function short(value: unknown): unknown {
  return JSON.stringify(value).length > VALUE_CHARS_MAX ? MASK : value
}

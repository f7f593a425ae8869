import type { Profile } from '../../../src/shape/profile.ts'

/** What JSON.parse and JSON.stringify would not give back. */
export const EXACT_DATA =
  '{ "total": 2567.50, "big": 12345678901234567890, "tiny": 1E-7,\n  "a": 1, "a": 2, "name": "\\u00e9 é 日本 \\/ 🧾", "2": 0, "1": -0.0 }'
export const EXACT_EVENT = `{"id":"exact","event":"invoice.exact","data":${EXACT_DATA},"context":{"n": 10.00}}`

/** A scheme of a subscription's own, with every field set. */
export const CUSTOM = {
  payload: 'marko' as const,
  signature: {
    header: 'X-Acme-Signature',
    algorithm: 'sha512' as const,
    encoding: 'base64' as const,
    content: '{event}|{id}|{timestamp}|{body}',
    value: 't={timestamp};s={signature}',
    key: 'text' as const,
  },
  timestampHeader: 'X-Acme-Time',
  idHeader: 'X-Acme-Id',
  eventHeader: 'X-Acme-Event',
}

/** The headers that are of the profile, but for those a rotation adds. */
const WEBHOOK_HEADERS = ['webhook-id', 'webhook-signature', 'webhook-timestamp']
/** The headers that are the same under every profile. */
export const ROUTING_HEADERS = ['webhook-attempt', 'webhook-event-type', 'webhook-subscription-id']
export const HEADERS: Record<Profile, string[]> = {
  standard: [...WEBHOOK_HEADERS, 'x-signature'],
  bigledger: ['x-signature'],
  core: ['x-webhook-id', 'x-webhook-signature', 'x-webhook-timestamp'],
  ledgerly: ['x-ledgerly-signature', 'x-ledgerly-timestamp'],
  marko: ['x-webhook-signature'],
  cloudevents: [...WEBHOOK_HEADERS, 'x-signature'],
  'standard-webhooks': WEBHOOK_HEADERS,
  custom: ['x-acme-event', 'x-acme-id', 'x-acme-signature', 'x-acme-time'],
}
const DEFAULT_MEMBERS = ['id', 'event', 'timestamp', 'livemode', 'api_version', 'data', 'context']
const CLOUDEVENT_ATTRIBUTES = ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype']
/** The members of each profile's payload, in their order. */
export const MEMBERS: Record<Profile, string[]> = {
  standard: DEFAULT_MEMBERS,
  bigledger: DEFAULT_MEMBERS,
  core: ['id', 'type', 'created_at', 'data', 'workspace_id'],
  ledgerly: ['event', 'data'],
  marko: ['event', 'data'],
  cloudevents: [...CLOUDEVENT_ATTRIBUTES, 'livemode', 'apiversion', 'context', 'data'],
  'standard-webhooks': ['type', 'timestamp', 'data'],
  custom: ['event', 'data'],
}

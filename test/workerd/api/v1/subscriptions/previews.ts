import type { Client } from '../../../../support/process/http-client.ts'

/** What a preview answers. */
export type Preview = {
  event: string
  matches: boolean
  reason: string | null
  explanation: string | null
  rules: { rule: string; reason: string }[]
  request: { method: string; url: string; headers: Record<string, string>; body: string } | null
  signedWith: { secret: string; previousSecret: string | null; publicKeys: string[] } | null
  failure: { error: string; message: string } | null
}

/** Headers as they are but for the signatures in them, of which the form stays. */
export function unsigned(headers: Record<string, string>): Record<string, string> {
  const form = ([name, value]: [string, string]) => [
    name.toLowerCase(),
    /signature/i.test(name) ? value.replace(/[\w+/-]{40,}={0,2}/g, 'SIGNATURE') : value,
  ]
  return Object.fromEntries(Object.entries(headers).map(form))
}

/** A secret that the library of Standard Webhooks takes too. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
/** An event whose text JSON.parse would damage. */
export const EVENT =
  '{"id":"evt_mine","event":"invoice.created","timestamp":"2024-01-15T10:30:00Z","data":{ "object": {"id":"inv_1","total":2567.50,"n":12345678901234567890,"name":"Zoë"}},"context":{"userId":7}}'

/** Previews an event, given as text. */
export const previewOf = (client: Client, id: string, event: string = EVENT) =>
  client.call<Preview>('POST', `/webhooks/${id}/preview`, { body: event })

const template = { id: '{{data.object.id}}', total: '{{invoice.total}}', at: 'on {{event.timestamp}}' }
const signature = { header: 'X-Hub-Signature', algorithm: 'sha512', encoding: 'base64url' }
/** Settings that shape and sign deliveries. */
export const SHAPES: [string, Record<string, unknown>][] = [
  ['the default', {}],
  ['a transform', { transform: { template } }],
  [
    'a transform to text',
    { transform: { template: '<a>{{data.object.name}}</a>', contentType: 'text/xml' } },
  ],
  ['bigledger', { profile: 'bigledger' }],
  ['core', { profile: 'core' }],
  ['ledgerly', { profile: 'ledgerly' }],
  ['marko and a transform', { profile: 'marko', transform: { template } }],
  ['cloudevents and both signatures', { profile: 'cloudevents', asymmetric: true }],
  ['standard-webhooks', { profile: 'standard-webhooks' }],
  [
    'custom',
    {
      profile: 'custom',
      custom: {
        payload: 'core',
        signature,
        idHeader: 'X-Id',
        eventHeader: 'X-Event',
        timestampHeader: 'X-At',
      },
    },
  ],
  ['headers and metadata', { headers: { 'X-Team': 'billing' }, metadata: { a: '1' } }],
]

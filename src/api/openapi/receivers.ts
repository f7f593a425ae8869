import * as z from 'zod'
import type { Profile } from '../../shape/profile.ts'
import { batchOf, cloudEvent, corePayload, eventAndData, standardPayload, typeAndData } from './payloads.ts'
import type { SchemaWriter } from './schemas.ts'

/** The tag of what receivers get. */
export const RECEIVED_TAG = 'Received'
const JSON_TYPE = 'application/json'

/** The headers of each profile, which the signer makes; a test holds them against real requests. */
const WEBHOOK_HEADERS = {
  'webhook-id': "The event's or the batch's id, the same in every attempt: drop repetitions by it",
  'webhook-timestamp': "The attempt's time in unix seconds",
  'webhook-signature':
    'Space-separated signatures over `id.timestamp.body`: `v1,…` (HMAC), `v1a,…` (Ed25519)',
}
/** While a secret is being rotated, the new one's signature stands beside the old one's. */
const NEXT_SIGNATURE = 'The same with the new secret, while one is being rotated'
const BODY_SIGNATURE = '`sha256=` and the HMAC-SHA256 of the body in hex'

type Received = {
  headers: Readonly<Record<string, string>>
  /** Headers that come at times only. */
  optional?: Readonly<Record<string, string>>
  /** The payload of one event. */
  payload: z.ZodType
  /** Media types of an event and of a batch; JSON where left out. */
  types?: { event: string; batch: string }
}

const RECEIVED: Readonly<Record<Profile, Received>> = {
  standard: {
    headers: { ...WEBHOOK_HEADERS, 'X-Signature': BODY_SIGNATURE },
    optional: { 'X-Signature-Next': NEXT_SIGNATURE },
    payload: standardPayload,
  },
  bigledger: {
    headers: { 'X-Signature': BODY_SIGNATURE },
    optional: { 'X-Signature-Next': NEXT_SIGNATURE },
    payload: standardPayload,
  },
  core: {
    headers: {
      'X-Webhook-Signature': BODY_SIGNATURE,
      'X-Webhook-Timestamp': WEBHOOK_HEADERS['webhook-timestamp'],
      'X-Webhook-ID': WEBHOOK_HEADERS['webhook-id'],
    },
    optional: { 'X-Webhook-Signature-Next': NEXT_SIGNATURE },
    payload: corePayload,
  },
  ledgerly: {
    headers: {
      'X-Ledgerly-Signature': '`t=<timestamp>,v1=<HMAC-SHA256 of timestamp.body in hex>`',
      'X-Ledgerly-Timestamp': WEBHOOK_HEADERS['webhook-timestamp'],
    },
    payload: eventAndData,
  },
  marko: {
    headers: { 'X-Webhook-Signature': BODY_SIGNATURE },
    optional: { 'X-Webhook-Signature-Next': NEXT_SIGNATURE },
    payload: eventAndData,
  },
  cloudevents: {
    headers: { ...WEBHOOK_HEADERS, 'X-Signature': BODY_SIGNATURE },
    optional: { 'X-Signature-Next': NEXT_SIGNATURE },
    payload: cloudEvent,
    types: { event: 'application/cloudevents+json', batch: 'application/cloudevents-batch+json' },
  },
  'standard-webhooks': { headers: WEBHOOK_HEADERS, payload: typeAndData },
  // A scheme of the subscriber's own names its headers itself.
  custom: {
    headers: {},
    payload: z.union([standardPayload, corePayload, eventAndData, typeAndData]),
  },
}

/** Describes what a receiver gets under each profile, and what its answers mean. */
export function receivedWebhooks(schemas: SchemaWriter): Record<string, object> {
  return Object.fromEntries(
    Object.entries(RECEIVED).map(([profile, received]) => [
      profile,
      { post: describeReceived(profile as Profile, received, schemas) },
    ]),
  )
}

function describeReceived(
  profile: Profile,
  { headers, optional, payload, types }: Received,
  schemas: SchemaWriter,
): object {
  return {
    operationId: `receive${pascalCase(profile)}`,
    summary: `What a receiver gets under the profile \`${profile}\``,
    description:
      'One event, or a batch of them where the subscription has `batchSettings`. A `transform` takes the place of the payload.',
    tags: [RECEIVED_TAG],
    security: [],
    parameters: [
      ...headerParameters({ ...headers, ...ALWAYS }, true),
      ...headerParameters({ ...optional, ...AT_TIMES }, false),
    ],
    requestBody: { required: true, content: contentOf(payload, types, schemas) },
    responses: RESPONSES,
  }
}

/** Headers of every delivery, which no signature covers. */
const ALWAYS = {
  'webhook-event-type': "The event's type; `batch` for a batch",
  'webhook-attempt': 'The number of the attempt, from 1',
}

const AT_TIMES = {
  'webhook-subscription-id': 'The subscription; a dispatch has none',
  'X-Posthorn-Replay': 'The id of the replay that repeats this delivery',
}

const RESPONSES = {
  '2XX': { description: 'Delivered, whatever the body says' },
  '408': { description: 'Failed; tried again by the retry policy' },
  '410': { description: 'Gone: the subscription is disabled' },
  '4XX': { description: 'Failed; final where the retry policy has `retryClientErrors: false`' },
  '429': { description: 'Failed; tried again, not before its `Retry-After`' },
  '5XX': { description: 'Failed; tried again by the retry policy' },
}

function headerParameters(headers: Readonly<Record<string, string>>, required: boolean) {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    ...(required && { required }),
    description,
    schema: { type: 'string' },
  }))
}

function contentOf(payload: z.ZodType, types: Received['types'], schemas: SchemaWriter): object {
  if (types === undefined) {
    return { [JSON_TYPE]: { schema: schemas.write(z.union([payload, batchOf(payload)]), 'output') } }
  }
  return {
    [types.event]: { schema: schemas.write(payload, 'output') },
    [types.batch]: { schema: schemas.write(z.array(payload), 'output') },
  }
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
}

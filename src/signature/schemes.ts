import {
  type CustomScheme,
  type DeliveryMessage,
  type HeaderSigner,
  importScheme,
  type Secrets,
} from './custom-scheme.ts'
import { importV1aKey, type V1aKey, v1aOf } from './ed25519.ts'
import { importHmacKey } from './hash.ts'
import { standardKeyBytes } from './secret.ts'
import { importSigningKeys, signedContent, signStandard, v1Of } from './sign.ts'

export type { CustomScheme, DeliveryMessage } from './custom-scheme.ts'

/** A profile whose deliveries carry `webhook-signature`, the one header with room for `v1a`. */
type WebhookProfile = 'standard' | 'cloudevents' | 'standard-webhooks'

/** Secrets as they are stored with a subscription; shown nowhere. */
export type SignerConfig = {
  profile: WebhookProfile | 'bigledger' | 'core' | 'ledgerly' | 'marko' | 'custom'
  /** Required with the profile `custom`, ignored with any other. */
  custom?: CustomScheme | null | undefined
  secret: string
  /** The secret before the last rotation, while receivers may still verify with it. */
  previousSecret?: string | null | undefined
  /** `whsk_…` keys for `v1a`; ignored by profiles that do not carry `webhook-signature`. */
  ed25519?: { current: string; previous?: string | null | undefined } | null | undefined
}

const signOf: unique symbol = Symbol('sign')

/**
 * A subscription's keys made ready to sign; import them once and keep them. Shows nothing when
 * printed.
 */
export type Signer = { readonly [signOf]: HeaderSigner }

/**
 * Imports the keys that the profile signs with, none of them extractable.
 *
 * @throws RangeError for a secret that `checkSecret` refuses for its base64, for an Ed25519 key
 * that is none, and for the profile `custom` without its scheme
 */
export async function importSigner(config: SignerConfig): Promise<Signer> {
  return { [signOf]: await importHeaders(config) }
}

/**
 * The id, timestamp and signature headers of one delivery, spelt as they are sent.
 *
 * @throws RangeError for an id or a timestamp that would make signed content ambiguous
 */
export function signDelivery(signer: Signer, message: DeliveryMessage): Promise<Record<string, string>> {
  return signer[signOf](message)
}

/** The profiles that sign in one header of their own, in the words of a custom scheme. */
const SHA256_OF_BODY = {
  algorithm: 'sha256',
  encoding: 'hex',
  content: '{body}',
  value: 'sha256={signature}',
  key: 'text',
} as const
const BIGLEDGER: CustomScheme = { signature: { ...SHA256_OF_BODY, header: 'X-Signature' } }
const MARKO: CustomScheme = { signature: { ...SHA256_OF_BODY, header: 'X-Webhook-Signature' } }
const CORE: CustomScheme = {
  ...MARKO,
  timestampHeader: 'X-Webhook-Timestamp',
  idHeader: 'X-Webhook-ID',
}
const LEDGERLY: CustomScheme = {
  signature: {
    ...SHA256_OF_BODY,
    header: 'X-Ledgerly-Signature',
    content: '{timestamp}.{body}',
    value: 't={timestamp},v1={signature}',
  },
  timestampHeader: 'X-Ledgerly-Timestamp',
}
const LEDGERLY_OVERLAP = 't={timestamp},v1={signature},v1={next}'

function importHeaders(config: SignerConfig): Promise<HeaderSigner> {
  const { secret: current, previousSecret } = config
  const secrets = { current, previous: previousSecret === current ? null : (previousSecret ?? null) }
  switch (config.profile) {
    case 'standard':
    case 'cloudevents':
      return importStandard(config, secrets)
    case 'standard-webhooks':
      return importWebhookSignature(config, secrets)
    case 'bigledger':
      return importScheme(BIGLEDGER, secrets)
    case 'core':
      return importScheme(CORE, secrets)
    case 'marko':
      return importScheme(MARKO, secrets)
    case 'ledgerly':
      return importScheme(LEDGERLY, secrets, LEDGERLY_OVERLAP)
    case 'custom':
      return importCustom(config.custom, secrets)
  }
}

async function importCustom(
  scheme: CustomScheme | null | undefined,
  secrets: Secrets,
): Promise<HeaderSigner> {
  if (scheme === null || scheme === undefined) throw new RangeError('the profile "custom" needs its scheme')
  return importScheme(scheme, secrets)
}

/** Makes both signatures of `standard`; without rotation and `v1a`, the usual case, in a shorter way. */
async function importStandard(config: SignerConfig, secrets: Secrets): Promise<HeaderSigner> {
  if (secrets.previous === null && !config.ed25519) {
    const keys = await importSigningKeys(secrets.current)
    return (message) => signStandard(keys, message)
  }
  const [webhook, body] = await Promise.all([
    importWebhookSignature(config, secrets),
    importScheme(BIGLEDGER, secrets),
  ])
  return async (message) => {
    const [webhookHeaders, bodyHeaders] = await Promise.all([webhook(message), body(message)])
    return { ...webhookHeaders, ...bodyHeaders }
  }
}

/**
 * Makes Standard Webhooks' three headers. The previous secret's signature comes first: libraries
 * try all, and a receiver that reads only the first does not know the new secret yet.
 */
async function importWebhookSignature({ ed25519 }: SignerConfig, secrets: Secrets): Promise<HeaderSigner> {
  const v1Keys = await Promise.all(
    oldestFirst(secrets).map((secret) => importHmacKey(standardKeyBytes(secret))),
  )
  const v1aKeys: V1aKey[] = ed25519 ? await Promise.all(oldestFirst(ed25519).map(importV1aKey)) : []
  return async (message) => {
    const content = signedContent(message)
    const signatures = await Promise.all([
      ...v1Keys.map((key) => v1Of(key, content)),
      ...v1aKeys.map((key) => v1aOf(key, content)),
    ])
    return {
      'webhook-id': message.id,
      'webhook-timestamp': String(message.timestampSeconds),
      'webhook-signature': signatures.join(' '),
    }
  }
}

function oldestFirst(pair: { current: string; previous?: string | null | undefined }): string[] {
  const { current, previous } = pair
  return previous === null || previous === undefined || previous === current ? [current] : [previous, current]
}

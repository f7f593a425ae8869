/// <reference types="node" />
import { createHmac } from 'node:crypto'

/** Vector 1 of Standard Webhooks, whose `v1a` belongs to the same message. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
export const PUBLIC_KEY = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
export const SECRET_KEY =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
export const V1 = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
export const V1A =
  'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=='
export const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
export const TIMESTAMP = 1614265330
export const NOW = TIMESTAMP * 1000
export const BODY = '{"test": 2432232314}'

export type Delivery = { body: string; headers: Record<string, string>; secret: string; now: number }

/** Signed by node:crypto, apart from the code under test. */
export const hmac = (
  key: string | Uint8Array,
  content: string,
  encoding: 'hex' | 'base64' | 'base64url' = 'hex',
  hash = 'sha256',
) => createHmac(hash, key).update(content).digest(encoding)

/** The key of Standard Webhooks, by another decoder than the code's. */
export const standardKey = (secret: string) =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)

export type Signed =
  | 'standard'
  | 'standard-webhooks'
  | 'cloudevents'
  | 'bigledger'
  | 'core'
  | 'ledgerly'
  | 'marko'

type Message = { secret: string; body: string; id?: string; timestamp?: number }

/** What a delivery of the profile carries (design section 4). */
export function headersOf(
  profile: Signed,
  { secret, body, id = ID, timestamp = TIMESTAMP }: Message,
): Record<string, string> {
  const ofBody = `sha256=${hmac(secret, body)}`
  const webhook = {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${hmac(standardKey(secret), `${id}.${timestamp}.${body}`, 'base64')}`,
  }
  switch (profile) {
    case 'standard':
    case 'cloudevents':
      return { ...webhook, 'X-Signature': ofBody }
    case 'standard-webhooks':
      return webhook
    case 'bigledger':
      return { 'X-Signature': ofBody }
    case 'core':
      return { 'X-Webhook-Signature': ofBody, 'X-Webhook-Timestamp': String(timestamp), 'X-Webhook-ID': id }
    case 'marko':
      return { 'X-Webhook-Signature': ofBody }
    case 'ledgerly':
      return {
        'X-Ledgerly-Signature': `t=${timestamp},v1=${hmac(secret, `${timestamp}.${body}`)}`,
        'X-Ledgerly-Timestamp': String(timestamp),
      }
  }
}

/** A delivery of the profile under a secret, and the clock at which it arrives. */
export function delivery(profile: Signed, message: Partial<Message> = {}): Delivery {
  const complete = { secret: SECRET, body: BODY, ...message }
  return { body: complete.body, secret: complete.secret, headers: headersOf(profile, complete), now: NOW }
}

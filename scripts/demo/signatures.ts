import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Webhook } from 'standardwebhooks'

export type SignatureState = 'ok' | 'wrong' | 'missing'

/** Both signatures of a `standard` delivery: Standard Webhooks' own, and seed 002's `X-Signature`. */
export type SignatureCheck = { standard: SignatureState; hex: SignatureState }

/** Checks what arrived as a subscriber would, with the library for the one and seed 002's method for the other. */
export function checkSignatures(secret: string, headers: IncomingHttpHeaders, body: Buffer): SignatureCheck {
  return {
    standard: checkStandard(secret, headers, body),
    hex: checkHex(secret, headers['x-signature'], body),
  }
}

/** The library wants `whsec_` + base64; the key of a secret without the prefix is the text itself. */
export function librarySecret(secret: string): string {
  return secret.startsWith('whsec_') ? secret : `whsec_${Buffer.from(secret, 'utf8').toString('base64')}`
}

function checkStandard(secret: string, headers: IncomingHttpHeaders, body: Buffer): SignatureState {
  if (headers['webhook-signature'] === undefined) return 'missing'
  try {
    new Webhook(librarySecret(secret)).verify(body, webhookHeaders(headers))
    return 'ok'
  } catch {
    return 'wrong'
  }
}

/** The three headers the library asks for. */
export function webhookHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
  return Object.fromEntries(names.map((name) => [name, String(headers[name] ?? '')]))
}

function checkHex(secret: string, header: string | string[] | undefined, body: Buffer): SignatureState {
  if (typeof header !== 'string') return 'missing'
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
  const received = Buffer.from(header)
  return expected.length === received.length && timingSafeEqual(expected, received) ? 'ok' : 'wrong'
}

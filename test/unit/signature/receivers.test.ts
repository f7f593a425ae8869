/// <reference types="node" />
import crypto from 'node:crypto'
import vm from 'node:vm'
import fc from 'fast-check'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { describe, expect, test } from 'vitest'
import { importSigner, type SignerConfig, signDelivery } from '../../../src/signature/schemes.ts'
import seedReceivers from '../../vectors/seed-receivers.json' with { type: 'json' }
import ed25519Vectors from '../../vectors/standard-webhooks-ed25519.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)

const BODY =
  '{"id":"evt_1","type":"post.created","event":"post.created","data":{"total":2567.50,"name":"Zoë"}}'
const SECRETS = [
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'your-secret-key',
  'abcdefgh12345678',
  'schlüssel 🔑',
]

type Headers = Record<string, string>

async function sign(config: SignerConfig, body: string, timestampSeconds = 1_700_000_000): Promise<Headers> {
  const message = { id: 'evt_1', timestampSeconds, event: 'post.created', body: utf8(body) }
  return await signDelivery(await importSigner(config), message)
}

/** As node's server hands them over. */
const lowerCase = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

describe.each([
  ['standardwebhooks', StandardWebhook],
  ['svix', SvixWebhook],
])('the %s library', (_, Webhook) => {
  /** Base64-decodes even a text without the prefix, so such a secret is given to it as base64. */
  const library = (secret: string) =>
    new Webhook(secret.startsWith('whsec_') ? secret : `whsec_${Buffer.from(secret).toString('base64')}`)
  // The libraries refuse timestamps more than five minutes from their own clock.
  const now = () => Math.floor(Date.now() / 1000)
  const profiles = ['standard', 'standard-webhooks', 'cloudevents'] as const
  const ed25519 = { current: ed25519Vectors[0]?.secretKey ?? '' }

  test.each(profiles)('accepts %s under every kind of secret, with and without v1a', async (profile) => {
    for (const secret of SECRETS) {
      for (const keys of [null, ed25519]) {
        const headers = await sign({ profile, secret, ed25519: keys }, BODY, now())
        expect(library(secret).verify(BODY, headers)).toEqual(JSON.parse(BODY))
      }
    }
  })

  test.each(profiles)(
    'accepts %s under the old and the new secret of a rotation, not under another',
    async (profile) => {
      const [secret, previousSecret, other] = SECRETS as [string, string, string]
      for (const keys of [null, ed25519]) {
        const headers = await sign({ profile, secret, previousSecret, ed25519: keys }, BODY, now())
        expect(() => library(secret).verify(BODY, headers)).not.toThrow()
        expect(() => library(previousSecret).verify(BODY, headers)).not.toThrow()
        expect(() => library(other).verify(BODY, headers)).toThrow('No matching signature')
      }
    },
  )

  test.each(profiles)('refuses %s with a bit flipped in the body', async (profile) => {
    const [secret] = SECRETS as [string]
    const headers = await sign({ profile, secret }, BODY, now())
    fc.assert(
      fc.property(fc.nat(Buffer.byteLength(BODY) - 1), fc.nat(6), (at, bit) => {
        const body = Buffer.from(BODY)
        body[at]! ^= 1 << bit
        expect(() => library(secret).verify(body, headers)).toThrow('No matching signature')
      }),
    )
  })
})

/** Runs a seed's own Express code as it is printed there, and gives the status it answers a request with. */
function seedStatus(code: string, secret: string, headers: Headers, body: string): number {
  type Handler = (req: object, res: object) => void
  const handlers: Handler[] = []
  const express = { raw: () => () => undefined }
  const sandbox = {
    require: (name: string) => ({ express, crypto })[name],
    express,
    app: { use: () => undefined, post: (...args: unknown[]) => handlers.push(args.at(-1) as Handler) },
    process: { env: { WEBHOOK_SECRET: secret } },
    WEBHOOK_SECRET: secret,
    Buffer,
    console: { log: () => undefined },
    handlePostCreated: () => undefined,
    handlePostUpdated: () => undefined,
  }
  // In a function of its own, as one of the seeds declares what the other takes from outside.
  vm.runInNewContext(`(() => {\n${code}\n})()`, sandbox)
  let status = 200
  const res = {
    status: (code: number) => {
      status = code
      return res
    },
    send: () => undefined,
    json: () => undefined,
  }
  const [handler] = handlers as [Handler]
  handler({ headers: lowerCase(headers), body: Buffer.from(body) }, res)
  return status
}

describe.each(seedReceivers)('the receiver of $source', ({ profile, code }) => {
  const config = (secret: string) => ({ profile: profile as 'core' | 'bigledger', secret })

  test.each(SECRETS)('accepts its profile’s deliveries under %s', async (secret) => {
    const headers = await sign(config(secret), BODY)
    expect(seedStatus(code, secret, headers, BODY)).toBe(200)
  })

  test('refuses another body and another secret', async () => {
    const headers = await sign(config('your-secret-key'), BODY)
    expect(seedStatus(code, 'your-secret-key', headers, BODY.replace('2567', '2568'))).toBe(401)
    expect(seedStatus(code, 'your-secret-kez', headers, BODY)).toBe(401)
  })

  test('accepts under the old secret for as long as a rotation overlaps', async () => {
    const headers = await sign({ ...config('the-new-secret'), previousSecret: 'the-old-secret' }, BODY)
    expect(seedStatus(code, 'the-old-secret', headers, BODY)).toBe(200)
  })

  test('accepts the new secret in the header that ends in -Next', async () => {
    const headers = await sign({ ...config('the-new-secret'), previousSecret: 'the-old-secret' }, BODY)
    const next = Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => name.endsWith('-Next'))
        .map(([name, value]) => [name.replace('-Next', ''), value]),
    )
    expect(seedStatus(code, 'the-new-secret', next, BODY)).toBe(200)
  })
})

describe('the receiver of seed 000’s text', () => {
  const hmac = (content: string, secret: string) =>
    crypto.createHmac('sha256', secret).update(content).digest('hex')
  const equals = (a: string, b: string) =>
    a.length === b.length && crypto.timingSafeEqual(Buffer.from(a), Buffer.from(b))

  /** "Extract timestamp, concatenate timestamp.payload, recompute signature, compare": any `v1` may match. */
  function accepts(headers: Headers, body: string, secret: string): boolean {
    const pairs = (headers['x-ledgerly-signature'] ?? '').split(',').map((pair) => pair.split('='))
    const timestamp = pairs.find(([name]) => name === 't')?.[1]
    const expected = hmac(`${timestamp}.${body}`, secret)
    return pairs.some(([name, signature]) => name === 'v1' && equals(signature ?? '', expected))
  }

  test.each(SECRETS)('accepts ledgerly’s deliveries under %s', async (secret) => {
    const headers = lowerCase(await sign({ profile: 'ledgerly', secret }, BODY))
    expect(accepts(headers, BODY, secret)).toBe(true)
    expect(accepts(headers, BODY.replace('2567', '2568'), secret)).toBe(false)
    expect(accepts(headers, BODY, 'another secret')).toBe(false)
  })

  test('finds the timestamp in its own header too, as the snippet reads it', async () => {
    const headers = lowerCase(await sign({ profile: 'ledgerly', secret: 'your-secret-key' }, BODY))
    const signature = hmac(`${headers['x-ledgerly-timestamp']}.${BODY}`, 'your-secret-key')
    expect(headers['x-ledgerly-signature']).toContain(`v1=${signature}`)
  })

  test('accepts under the old and the new secret of a rotation', async () => {
    const config = {
      profile: 'ledgerly',
      secret: 'the-new-secret',
      previousSecret: 'the-old-secret',
    } as const
    const headers = lowerCase(await sign(config, BODY))
    expect(accepts(headers, BODY, 'the-old-secret')).toBe(true)
    expect(accepts(headers, BODY, 'the-new-secret')).toBe(true)
  })

  test('that looks at the first v1 only has the old secret’s', async () => {
    const config = {
      profile: 'ledgerly',
      secret: 'the-new-secret',
      previousSecret: 'the-old-secret',
    } as const
    const headers = await sign(config, BODY)
    const [, timestamp, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})/.exec(headers['X-Ledgerly-Signature'] ?? '') ?? []
    expect(signature).toBe(hmac(`${timestamp}.${BODY}`, 'the-old-secret'))
  })
})

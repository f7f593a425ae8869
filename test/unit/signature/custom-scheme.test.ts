/// <reference types="node" />
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { customProfileSchema } from '../../../src/shape/profile.ts'
import { importScheme, type Secrets } from '../../../src/signature/custom-scheme.ts'
import { checkSecret } from '../../../src/signature/secret.ts'
import hexVectors from '../../vectors/hex-hmac.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)
const BODY = '{"total":2567.50}'
const MESSAGE = { id: 'evt_1', timestampSeconds: 1531420618, event: 'invoice.paid', body: utf8(BODY) }
const ONE: Secrets = { current: 'your-secret-key', previous: null }

/** Signs with a scheme as a subscriber writes it. */
async function sign(input: object, secrets: Secrets = ONE, message = MESSAGE, overlapValue?: string) {
  const signer = await importScheme(customProfileSchema.parse(input), secrets, overlapValue)
  return await signer(message)
}

const hmac = (hash: string, secret: string | Buffer, content: string | Uint8Array) =>
  createHmac(hash, secret).update(content)

describe('schemes that receivers have today', () => {
  test.each(hexVectors)('GitHub’s: $source', async ({ secret, body, hex }) => {
    const scheme = { signature: { header: 'X-Hub-Signature-256', value: 'sha256={signature}' } }
    const headers = await sign(scheme, { current: secret, previous: null }, { ...MESSAGE, body: utf8(body) })
    expect(headers).toEqual({ 'X-Hub-Signature-256': `sha256=${hex}` })
  })

  test('Slack’s: the example of its documentation', async () => {
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
    const scheme = {
      signature: { header: 'X-Slack-Signature', content: 'v0:{timestamp}:{body}', value: 'v0={signature}' },
      timestampHeader: 'X-Slack-Request-Timestamp',
    }
    const message = { ...MESSAGE, timestampSeconds: 1531420618, body: utf8(body) }
    expect(
      await sign(scheme, { current: '8f742231b10e8888abcd99yyyzzz85a5', previous: null }, message),
    ).toEqual({
      'X-Slack-Request-Timestamp': '1531420618',
      'X-Slack-Signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    })
  })

  test('Stripe’s and Shopify’s, by node:crypto', async () => {
    const stripe = {
      signature: {
        header: 'Stripe-Signature',
        content: '{timestamp}.{body}',
        value: 't={timestamp},v1={signature}',
      },
    }
    const shopify = { signature: { header: 'X-Shopify-Hmac-SHA256', encoding: 'base64' } }
    expect(await sign(stripe)).toEqual({
      'Stripe-Signature': `t=1531420618,v1=${hmac('sha256', ONE.current, `1531420618.${BODY}`).digest('hex')}`,
    })
    expect(await sign(shopify)).toEqual({
      'X-Shopify-Hmac-SHA256': hmac('sha256', ONE.current, BODY).digest('base64'),
    })
  })
})

describe('a custom signature', () => {
  const schemes = fc.record({
    algorithm: fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const),
    encoding: fc.constantFrom('hex' as const, 'base64' as const, 'base64url' as const),
  })
  const around = fc.constantFrom(
    '',
    '{timestamp}',
    '{id}.',
    'v0:{event}:',
    '\n',
    '{timestamp}{timestamp}.$&$1',
  )

  test('is node:crypto’s for every hash, encoding, template, secret and body', async () => {
    await fc.assert(
      fc.asyncProperty(
        schemes,
        around,
        around,
        fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme' }),
        fc.uint8Array({ maxLength: 200 }),
        async (chosen, before, after, secret, body) => {
          const signature = { header: 'X-Sig', ...chosen, content: `${before}{body}${after}` }
          const filled = (part: string) =>
            part
              .replaceAll('{timestamp}', '1531420618')
              .replaceAll('{id}', 'evt_1')
              .replaceAll('{event}', 'invoice.paid')
          const content = Buffer.concat([utf8(filled(before)), body, utf8(filled(after))])
          const expected = hmac(chosen.algorithm, secret, content).digest(chosen.encoding)
          const scheme = { signature, timestampHeader: 'X-Time' }
          const headers = await sign(scheme, { current: secret, previous: null }, { ...MESSAGE, body })
          expect(headers['X-Sig']).toBe(expected)
        },
      ),
    )
  })

  test('never reads a body as a template', async () => {
    const body = '{"a":"{timestamp} {signature} {body}"}'
    const scheme = { signature: { header: 'X-Sig', content: '{body}.{id}' } }
    const headers = await sign(scheme, ONE, { ...MESSAGE, body: utf8(body) })
    expect(headers['X-Sig']).toBe(hmac('sha256', ONE.current, `${body}.evt_1`).digest('hex'))
  })

  test('stays on the old secret during an overlap, with the new one under -Next', async () => {
    const scheme = { signature: { header: 'X-Sig', value: 'v={signature}' } }
    expect(await sign(scheme, { current: 'the new secret', previous: 'the old secret' })).toEqual({
      'X-Sig': `v=${hmac('sha256', 'the old secret', BODY).digest('hex')}`,
      'X-Sig-Next': `v=${hmac('sha256', 'the new secret', BODY).digest('hex')}`,
    })
  })

  test('that can hold several stands in one header during an overlap, and alone without one', async () => {
    const scheme = { signature: { header: 'X-Sig' } }
    const [old, next] = ['the old secret', 'the new secret'].map((secret) =>
      hmac('sha256', secret, BODY).digest('hex'),
    )
    const secrets = { current: 'the new secret', previous: 'the old secret' }
    expect(await sign(scheme, secrets, MESSAGE, '{signature} {next}')).toEqual({ 'X-Sig': `${old} ${next}` })
    const single = { current: 'the new secret', previous: null }
    expect(await sign(scheme, single, MESSAGE, '{signature} {next}')).toEqual({ 'X-Sig': next })
  })
})

describe('a key given as base64', () => {
  const scheme = { signature: { header: 'X-Sig', key: 'base64' } }
  const key = Buffer.from('a key of its own')
  const expected = { 'X-Sig': hmac('sha256', key, BODY).digest('hex') }

  test.each([
    ['with padding', key.toString('base64')],
    ['without', key.toString('base64').replaceAll('=', '')],
    ['after whsec_', `whsec_${key.toString('base64')}`],
  ])('is decoded %s', async (_, secret) => {
    expect(checkSecret(secret, 'base64')).toEqual({ ok: true })
    expect(await sign(scheme, { current: secret, previous: null })).toEqual(expected)
  })

  test.each(['your-secret-key', '12345678=', 'whsec_your-secret'])('is not taken from %s', async (secret) => {
    expect(checkSecret(secret, 'base64')).toMatchObject({ ok: false, reason: 'invalid_base64' })
    await expect(sign(scheme, { current: secret, previous: null })).rejects.toThrow(RangeError)
  })

  test('is the text itself where the scheme says text, whsec_ included', async () => {
    const secret = `whsec_${key.toString('base64')}`
    const headers = await sign({ signature: { header: 'X-Sig' } }, { current: secret, previous: null })
    expect(headers).toEqual({ 'X-Sig': hmac('sha256', secret, BODY).digest('hex') })
  })
})

/// <reference types="node" />
import { describe, expect, test } from 'vitest'
import {
  InvalidSignatureError,
  verify,
  verifyOrThrow,
  verifySignature,
} from '../../../../src/signature/index.ts'
import { BODY, delivery, hmac, ID, PUBLIC_KEY, SECRET } from './oracle.ts'

const reasonOf = async (input: Parameters<typeof verify>[0]) => {
  const result = await verify(input)
  return result.ok ? 'ok' : result.reason
}

describe('mistakes in the call are told, not thrown', () => {
  const genuine = delivery('standard')

  test.each([
    ['an empty secret', { secret: '' }, 'invalid_secret'],
    ['no secret', { secret: undefined }, 'invalid_secret'],
    ['no secrets', { secret: [] }, 'invalid_secret'],
    ['an empty secret beside the right one', { secret: [SECRET, ''] }, 'invalid_secret'],
    ['an unset secret beside the right one', { secret: [SECRET, undefined] }, 'invalid_secret'],
    ['the bare prefix', { secret: 'whsec_' }, 'invalid_secret'],
    ['broken base64', { secret: 'whsec_!!!!' }, 'invalid_secret'],
    ['half a character', { secret: '\ud800' }, 'invalid_secret'],
    ['a secret that is no text', { secret: 5 }, 'invalid_secret'],
    ['a public key without its prefix', { publicKey: 'AAAA' }, 'invalid_public_key'],
    ['a secret key as public key', { publicKey: PUBLIC_KEY.replace('whpk', 'whsk') }, 'invalid_public_key'],
    ['a short public key', { publicKey: 'whpk_AAAA' }, 'invalid_public_key'],
    ['a tolerance that is no number', { toleranceSeconds: Number.NaN }, 'invalid_options'],
    ['a tolerance below zero', { toleranceSeconds: -1 }, 'invalid_options'],
    ['a tolerance in text', { toleranceSeconds: '300' }, 'invalid_options'],
    ['a clock that is no number', { now: Number.NaN }, 'invalid_options'],
    ['an unknown profile', { profile: 'stripe' }, 'invalid_options'],
    ['a profile of Object’s', { profile: 'toString' }, 'invalid_options'],
    ['headers that are none', { headers: null }, 'invalid_options'],
    ['a parsed body', { body: JSON.parse(BODY) }, 'invalid_body'],
    ['no body', { body: undefined }, 'invalid_body'],
  ])('%s', async (_, wrong, reason) => {
    expect(await reasonOf({ ...genuine, ...wrong } as never)).toBe(reason)
  })

  test('nothing at all', async () => {
    expect(await reasonOf(undefined as never)).toBe('invalid_options')
  })

  test('a buffer that was transferred', async () => {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    expect(await reasonOf({ ...genuine, body: buffer })).toBe('invalid_body')
  })

  test('no message repeats the secret', async () => {
    for (const secret of ['whsec_hunter2 hunter2', 'hunter2-hunter2']) {
      expect(await verify({ ...genuine, secret })).toMatchObject({
        message: expect.not.stringContaining('hunter2'),
      })
    }
  })
})

describe('verifyOrThrow', () => {
  test('gives what was verified', async () => {
    expect(await verifyOrThrow(delivery('standard'))).toMatchObject({ ok: true, id: ID })
  })

  test('throws InvalidSignatureError with the reason', async () => {
    const refused = verifyOrThrow({ ...delivery('standard'), secret: 'another-secret-of-mine' })
    await expect(refused).rejects.toThrow(InvalidSignatureError)
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidSignatureError',
      reason: 'no_matching_signature',
    })
  })
})

describe('verifySignature', () => {
  test.each([
    ['the signature', `sha256=${hmac(SECRET, BODY)}`, SECRET, true],
    ['another secret', `sha256=${hmac(SECRET, BODY)}`, 'another-secret-of-mine', false],
    ['an empty secret', `sha256=${hmac('', BODY)}`, '', false],
    ['no prefix', hmac(SECRET, BODY), SECRET, false],
    ['upper case', `sha256=${hmac(SECRET, BODY).toUpperCase()}`, SECRET, false],
    ['a cut signature', `sha256=${hmac(SECRET, BODY).slice(2)}`, SECRET, false],
    ['another hash', `sha1=${hmac(SECRET, BODY, 'hex', 'sha1')}`, SECRET, false],
    ['nothing', '', SECRET, false],
    ['null', null, SECRET, false],
    ['undefined', undefined, SECRET, false],
  ])('with %s', async (_, signature, secret, expected) => {
    expect(await verifySignature(BODY, signature, secret)).toBe(expected)
    expect(await verifySignature(Buffer.from(BODY), signature, [secret, secret])).toBe(expected)
  })
})

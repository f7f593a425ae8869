import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkSecret,
  generateSecret,
  rawKeyBytes,
  secretWarning,
  standardKeyBytes,
} from '../../../src/signature/secret.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('a generated secret', () => {
  test('is whsec_ and the base64 of its 32 bytes', () => {
    expect(generateSecret(new Uint8Array(32))).toBe('whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')
  })

  test('passes its own check and gives its bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const secret = generateSecret(bytes)
        expect(checkSecret(secret)).toEqual({ ok: true })
        expect(standardKeyBytes(secret)).toEqual(bytes)
      }),
    )
  })

  test.each([0, 31, 33])('is not made of %i bytes', (length) => {
    expect(() => generateSecret(new Uint8Array(length))).toThrow(RangeError)
  })
})

describe('checking a secret', () => {
  test.each([
    ['your-secret-key'],
    ['12345678'],
    ['x'.repeat(256)],
    ['password123'],
    ['your-webhook-secret-key'],
    ['your-shared-secret'],
    ['a pass phrase, with spaces'],
    ['$1:{"quoted" inside}\\n.'],
    ['whsec_AAAAAAAAAAA'],
    ['whsec_AAAAAAAAAAA='],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['Whsec_not base64'],
    ['pässwörter'],
    ['🔑🔑🔑🔑'],
  ])('accepts %s', (secret) => {
    expect(checkSecret(secret)).toEqual({ ok: true })
  })

  test.each([
    ['', 'too_short'],
    ['1234567', 'too_short'],
    ['x'.repeat(257), 'too_long'],
    [`whsec_${'A'.repeat(252)}`, 'too_long'],
    ['whsec_', 'empty_key'],
    ['whsec_==', 'empty_key'],
    ['whsec_A', 'invalid_base64'],
    ['whsec_AAAAA', 'invalid_base64'],
    ['whsec_AA=', 'invalid_base64'],
    ['whsec_AAA==', 'invalid_base64'],
    ['whsec_AA===', 'invalid_base64'],
    ['whsec_AA=A', 'invalid_base64'],
    ['whsec_AA AA', 'invalid_base64'],
    ['whsec_AA', 'short_key'],
    ['whsec_QQ==', 'short_key'],
    ['whsec_AAAAAAAAAA==', 'short_key'],
    ['whsec_AA-_', 'invalid_base64'],
    ['whsec_ÄÄÄÄ', 'invalid_base64'],
    ['12345678\ud800', 'broken_text'],
  ])('refuses %j as %s', (secret, reason) => {
    expect(checkSecret(secret)).toMatchObject({ ok: false, reason })
  })

  test.each([
    ['v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['v1a,whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['from-a-file\n'],
    ['from-a-file\r\n'],
    ['from-a-file\\n'],
    [' from-a-file'],
    ['from-a-file\u00a0'],
    ['two\nlines-of-it'],
    ['"in-quotes"'],
    ["'in-quotes'"],
    ['`in-quotes`'],
    ['\u0024{WEBHOOK_SECRET}'],
    ['$WEBHOOK_SECRET'],
    ['{{ webhook_secret }}'],
    ['<your secret here>'],
    ['%WEBHOOK_SECRET%'],
    ['process.env.WEBHOOK_SECRET'],
    ['os.environ["WEBHOOK_SECRET"]'],
    ["env('WEBHOOK_SECRET')"],
    ['undefined'],
    ['[object Object]'],
    ['********'],
    ['••••••••'],
  ])('refuses %j, which was surely meant to be another text', (secret) => {
    const check = checkSecret(secret)
    expect(check).toMatchObject({ ok: false, reason: 'mistake' })
    expect(check).toMatchObject({ message: expect.not.stringContaining(secret) })
  })

  test('never repeats the secret in its message', () => {
    const check = checkSecret('whsec_hunter2 hunter2')
    expect(check).toMatchObject({ message: expect.not.stringContaining('hunter2') })
  })

  test('agrees with the keys: what passes has a key of at least one byte', () => {
    const secrets = fc.oneof(
      fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }),
      fc.string({ maxLength: 40 }).map((text) => `whsec_${text}`),
      fc.base64String().map((text) => `whsec_${text}`),
    )
    fc.assert(
      fc.property(secrets, (secret) => {
        const { ok } = checkSecret(secret)
        if (ok) expect(standardKeyBytes(secret).length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('a secret is taken with a warning', () => {
  test.each([
    ['password123', /common words/],
    ['changeme', /common words/],
    ['change_me_1', /common words/],
    ['your-webhook-secret-key', /common words/],
    ['your-shared-secret', /common words/],
    ['P@ssw0rd', /less than 12/],
    ['12345678', /common words and digits/],
    ['aaaaaaaaaaaaaaaa', /few characters/],
    ['hunter2hun', /less than 12/],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILA==', /16 bytes/],
    [`whsec_${'A'.repeat(100)}`, /75 bytes/],
  ])('%s', (secret, message) => {
    expect(checkSecret(secret)).toEqual({ ok: true })
    expect(secretWarning(secret)).toMatch(message)
    expect(secretWarning(secret)).not.toContain(secret)
  })

  test.each([
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'correct horse battery staple',
    '83719283746512093847',
  ])('but not %s', (secret) => {
    expect(secretWarning(secret)).toBeNull()
  })
})

describe('key bytes', () => {
  test('standard: base64 after the prefix, with or without padding', () => {
    expect(standardKeyBytes('whsec_AQI=')).toEqual(new Uint8Array([1, 2]))
    expect(standardKeyBytes('whsec_AQI')).toEqual(new Uint8Array([1, 2]))
  })

  test('standard: UTF-8 without the prefix, base64 or not', () => {
    expect(standardKeyBytes('abcdefgh12345678')).toEqual(utf8('abcdefgh12345678'))
    expect(standardKeyBytes('schlüssel')).toEqual(utf8('schlüssel'))
  })

  test.each(['whsec_', 'whsec_!!!!'])(
    'standard: %s throws instead of giving a key anyone can guess',
    (secret) => {
      expect(() => standardKeyBytes(secret)).toThrow(RangeError)
    },
  )

  test('raw: UTF-8 of the whole text, prefix included', () => {
    expect(rawKeyBytes('whsec_AQI=')).toEqual(utf8('whsec_AQI='))
  })
})

/// <reference types="node" />
import { describe, expect, test } from 'vitest'
import type { CustomScheme } from '../../../../src/signature/custom-scheme.ts'
import { type CustomProfile, verify } from '../../../../src/signature/index.ts'
import { BODY, hmac, NOW, SECRET, TIMESTAMP } from './oracle.ts'

const outcome = async (custom: unknown, headers: Record<string, string>, changes: object = {}) => {
  const input = { body: BODY, headers, secret: SECRET, now: NOW, profile: 'custom', custom, ...changes }
  const result = await verify(input as never)
  return result.ok ? 'ok' : result.reason
}
const signature = (fields: object) => ({ signature: { header: 'X-Acme', ...fields } })

test('the sender’s own settings are taken as they stand', () => {
  const scheme: CustomScheme = {
    signature: {
      header: 'X-Acme',
      algorithm: 'sha256',
      encoding: 'hex',
      content: '{body}',
      value: '{signature}',
      key: 'text',
    },
    idHeader: undefined,
  }
  const custom: CustomProfile = scheme
  expect(custom).toBe(scheme)
})

describe('every hash, encoding and form of key', () => {
  const HASHES = ['sha256', 'sha1', 'sha512'] as const
  const ENCODINGS = ['hex', 'base64', 'base64url'] as const
  const KEYS = { text: SECRET, base64: Buffer.from(SECRET.slice(6), 'base64') }
  const cases = HASHES.flatMap((algorithm) =>
    ENCODINGS.flatMap((encoding) =>
      (['text', 'base64'] as const).map((key) => ({ algorithm, encoding, key })),
    ),
  )

  test.each(cases)('$algorithm, $encoding, $key', async ({ algorithm, encoding, key }) => {
    const custom = signature({ algorithm, encoding, key })
    const value = hmac(KEYS[key], BODY, encoding, algorithm)
    expect([
      await outcome(custom, { 'x-acme': value }),
      await outcome(custom, { 'x-acme': value }, { body: '{}' }),
      await outcome(custom, { 'x-acme': value.slice(1) }),
      await outcome(custom, { 'x-acme': `${value}, ${value}` }),
    ]).toEqual(['ok', 'no_matching_signature', 'malformed_header', 'malformed_header'])
  })

  test('a base64 key without its prefix', async () => {
    const custom = signature({ key: 'base64' })
    const headers = { 'X-Acme': hmac(KEYS.base64, BODY) }
    expect(await outcome(custom, headers, { secret: SECRET.slice(6) })).toBe('ok')
    expect(await outcome(custom, headers, { secret: 'not base64' })).toBe('invalid_secret')
  })

  test('the defaults are those of the relay: sha256, hex, over the body, under the text', async () => {
    expect(await outcome(signature({}), { 'X-Acme': hmac(SECRET, BODY) })).toBe('ok')
  })
})

describe('a signed time', () => {
  const signed = hmac(SECRET, `${TIMESTAMP}:${BODY}`)
  const inValue = signature({ content: '{timestamp}:{body}', value: 't={timestamp};s={signature}' })
  const inHeader = { ...signature({ content: '{timestamp}:{body}' }), timestampHeader: 'X-Acme-Time' }
  const value = `t=${TIMESTAMP};s=${signed}`

  test.each([
    ['beside the signature', inValue, { 'X-Acme': value }, 'ok'],
    ['in a header', inHeader, { 'X-Acme': signed, 'X-Acme-Time': String(TIMESTAMP) }, 'ok'],
    ['in a header that is missing', inHeader, { 'X-Acme': signed }, 'missing_header'],
    [
      'in a header, changed',
      inHeader,
      { 'X-Acme': signed, 'X-Acme-Time': '1614265331' },
      'no_matching_signature',
    ],
    [
      'in both',
      { ...inValue, timestampHeader: 'X-Acme-Time' },
      { 'X-Acme': value, 'X-Acme-Time': String(TIMESTAMP) },
      'ok',
    ],
    [
      'in both, which differ',
      { ...inValue, timestampHeader: 'X-Acme-Time' },
      { 'X-Acme': value, 'X-Acme-Time': '1614265331' },
      'malformed_header',
    ],
    ['sent nowhere', signature({ content: '{timestamp}:{body}' }), { 'X-Acme': signed }, 'invalid_options'],
  ])('%s', async (_, custom, headers, expected) => {
    expect(await outcome(custom, headers)).toBe(expected)
  })

  test('of two signatures must be the same', async () => {
    const other = value.replace(String(TIMESTAMP), String(TIMESTAMP + 1))
    const next = await outcome(inValue, { 'X-Acme': value, 'X-Acme-Next': value })
    const later = await outcome(inValue, { 'X-Acme': value, 'X-Acme-Next': other })
    expect([next, later]).toEqual(['ok', 'malformed_header'])
  })

  test('has the tolerance', async () => {
    const late = (seconds: number) => outcome(inValue, { 'X-Acme': value }, { now: NOW + seconds * 1000 })
    expect([await late(300), await late(301), await late(-300), await late(-301)]).toEqual([
      'ok',
      'timestamp_too_old',
      'ok',
      'timestamp_too_new',
    ])
  })

  test('that is sent but not signed has none, and is not told', async () => {
    const custom = { ...signature({}), timestampHeader: 'X-Acme-Time' }
    const headers = { 'X-Acme': hmac(SECRET, BODY), 'X-Acme-Time': '1' }
    const input = { body: BODY, headers, secret: SECRET, now: NOW, profile: 'custom' as const, custom }
    expect(await verify(input)).toMatchObject({ ok: true, timestampSeconds: null })
  })
})

describe('a signed id and event', () => {
  const body = '{"id":"evt_1","event":"invoice.paid"}'
  const content = '{id}|{event}|{body}'
  const headers = { 'X-Acme': hmac(SECRET, `evt_1|invoice.paid|${body}`) }
  const named = { ...signature({ content }), idHeader: 'X-Id', eventHeader: 'X-Event' }
  const sent = { ...headers, 'X-Id': 'evt_1', 'X-Event': 'invoice.paid' }

  test.each([
    ['in headers', named, sent, 'ok'],
    ['in the payload', signature({ content }), headers, 'ok'],
    ['changed id', named, { ...sent, 'X-Id': 'evt_2' }, 'no_matching_signature'],
    ['changed event', named, { ...sent, 'X-Event': 'invoice.sent' }, 'no_matching_signature'],
    ['missing id', named, { ...sent, 'X-Id': '' }, 'missing_header'],
    ['id with a dot', named, { ...sent, 'X-Id': 'evt.1' }, 'malformed_header'],
    ['event that is no type', named, { ...sent, 'X-Event': 'invoice.paid|' }, 'malformed_header'],
  ])('%s', async (_, custom, given, expected) => {
    expect(await outcome(custom, given, { body })).toBe(expected)
  })

  test('is told', async () => {
    const input = { body, headers: sent, secret: SECRET, now: NOW, profile: 'custom' as const, custom: named }
    expect(await verify(input)).toMatchObject({ ok: true, id: 'evt_1', timestampSeconds: null })
  })

  test('that is sent but not signed is not told: the payload’s is', async () => {
    const custom = { ...signature({}), idHeader: 'X-Id' }
    const replayed = { 'X-Acme': hmac(SECRET, body), 'X-Id': 'evt_2' }
    const input = { body, headers: replayed, secret: SECRET, now: NOW, profile: 'custom' as const, custom }
    expect(await verify(input)).toMatchObject({ ok: true, id: 'evt_1' })
  })
})

test('a receiver with the new secret only is served by -Next', async () => {
  const headers = { 'X-Acme': hmac(SECRET, BODY), 'X-Acme-Next': hmac('the-new-secret', BODY) }
  const outcomes = [SECRET, 'the-new-secret', 'neither-of-them'].map((secret) =>
    outcome(signature({}), headers, { secret }),
  )
  expect(await Promise.all(outcomes)).toEqual(['ok', 'ok', 'no_matching_signature'])
})

test('what stands around the signature is text, not a pattern', async () => {
  const value = 'v.1 (a|b) [x]* ^$ \\d {signature}+/{signature}'
  const signed = hmac(SECRET, BODY)
  const custom = signature({ value })
  expect(await outcome(custom, { 'X-Acme': value.replaceAll('{signature}', signed) })).toBe('ok')
  expect(
    await outcome(custom, { 'X-Acme': value.replace('v.1', 'vx1').replaceAll('{signature}', signed) }),
  ).toBe('malformed_header')
})

test('a value is never read as a template', async () => {
  const custom = { ...signature({ content: '{id}.{body}' }), idHeader: 'X-Id' }
  const headers = { 'X-Acme': hmac(SECRET, `{body}.${BODY}`), 'X-Id': '{body}' }
  expect(await outcome(custom, headers)).toBe('ok')
})

test.each([
  ['nothing', undefined],
  ['no signature', {}],
  ['no header', { signature: {} }],
  ['an unknown hash', signature({ algorithm: 'md5' })],
  ['a hash of Object’s', signature({ algorithm: 'toString' })],
  ['an unknown encoding', signature({ encoding: 'base32' })],
  ['an unknown key', signature({ key: 'hex' })],
  ['no body in the content', signature({ content: '{timestamp}' })],
  ['two bodies in the content', signature({ content: '{body}{body}' })],
  ['an unknown name in the content', signature({ content: '{body}{secret}' })],
  ['an open brace in the content', signature({ content: '{{body}' })],
  ['no signature in the value', signature({ value: 'sha256=' })],
  ['the body in the value', signature({ value: '{signature}{body}' })],
])('settings with %s are told, not thrown', async (_, custom) => {
  expect(await outcome(custom, { 'X-Acme': hmac(SECRET, BODY) })).toBe('invalid_options')
})

test('settings without the profile are told, not passed over', async () => {
  const headers = { 'X-Acme': hmac(SECRET, BODY) }
  expect(await outcome(signature({}), headers, { profile: undefined })).toBe('invalid_options')
})

/// <reference types="node" />
import { describe, expect, test } from 'vitest'
import type { Cause } from '../../../src/signature/doctor/causes.ts'
import { diagnose } from '../../../src/signature/doctor/diagnose.ts'
import type { Examined, OtherKeys } from '../../../src/signature/doctor/examined.ts'
import { jsonTokens } from '../../../src/signature/doctor/json-tokens.ts'
import { SignatureSearch } from '../../../src/signature/doctor/search.ts'
import { receivedHeaders } from '../../../src/signature/verify/headers.ts'
import { headersOf, hmac, ID, NOW, SECRET, standardKey, TIMESTAMP } from './verify/oracle.ts'

/** As a relay sends it: its own compact members around the publisher's text. */
const BODY =
  '{"id":"evt_1","event":"invoice.paid","timestamp":"2026-01-05T10:00:00Z","livemode":true,"api_version":"1","data":{"object":{"total":2567.50,"name":"Müller & Söhne","path":"a/b"}},"context":{}}'
const ID_TIME = `${ID}.${TIMESTAMP}.`
const TEXT_SECRET = 'a text that is no base64!'
const PROFILES = [
  'standard',
  'standard-webhooks',
  'cloudevents',
  'bigledger',
  'core',
  'ledgerly',
  'marko',
] as const

type Given = Partial<Omit<Examined, 'headers' | 'body' | 'keys'>> & {
  headers?: Record<string, string | string[]>
  body?: string | Uint8Array
  secret?: string | null
}

/** Diagnoses a genuine delivery, but for what is given. */
function diagnosisOf({ headers, body = BODY, secret = SECRET, ...given }: Given = {}) {
  const sent = headers ?? headersOf('standard', { secret: SECRET, body: BODY })
  return diagnose({
    headers: receivedHeaders(sent) ?? new Map(),
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    profile: 'standard',
    custom: null,
    keys: { secrets: secret === null ? [] : [secret], publicKeys: [] },
    others: async function* () {},
    computed: null,
    receivedAtMs: NOW,
    ...given,
  })
}

const printed = (indent?: number) => JSON.stringify(JSON.parse(BODY), null, indent)
const python = (text: string) =>
  text
    .replaceAll('":', '": ')
    .replaceAll(',"', ', "')
    .replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
const headersOfOldAttempt = {
  ...headersOf('standard', { secret: SECRET, body: BODY }),
  'webhook-timestamp': String(TIMESTAMP - 60),
}
const renamed = (name: (text: string) => string) =>
  Object.fromEntries(
    Object.entries(headersOf('standard', { secret: SECRET, body: BODY })).map(([key, value]) => [
      name(key),
      value,
    ]),
  )

describe('a request that its receiver refuses', () => {
  test.each(PROFILES)('is no fault of its own where it is a genuine one of %s', async (profile) => {
    const headers = headersOf(profile, { secret: SECRET, body: BODY })
    expect(await diagnosisOf({ headers, profile })).toMatchObject({ profile, failed: null, found: null })
  })

  test.each<[string, Given, Cause]>([
    ['a line break added', { body: `${BODY}\n` }, 'body_blank'],
    ['JSON printed again by JavaScript, which loses a zero', { body: printed() }, 'body_printed'],
    ['JSON printed again by Python', { body: python(BODY) }, 'body_printed'],
    [
      'JSON printed again by PHP',
      { body: BODY.replace('a/b', 'a\\/b').replace(/ü/, '\\u00fc').replace(/ö/, '\\u00f6') },
      'body_printed',
    ],
    ['JSON printed with indents', { body: printed(2) }, 'body_printed'],
    ['a byte order mark', { body: `\ufeff${BODY}` }, 'body_charset'],
    ['UTF-8 read as Latin-1', { body: Buffer.from(BODY).toString('latin1') }, 'body_charset'],
    ['a body still in base64', { body: Buffer.from(BODY).toString('base64') }, 'body_base64'],
    ['a body as one JSON string', { body: JSON.stringify(BODY) }, 'body_quoted'],
    ['a line break after the secret', { secret: `${SECRET}\n` }, 'secret_blank'],
    ['quotes around the secret', { secret: `"${SECRET}"` }, 'secret_quoted'],
    ['no whsec_ before the secret', { secret: SECRET.slice(6) }, 'secret_prefix'],
    [
      'headers named as PHP does',
      { headers: renamed((name) => `HTTP_${name.toUpperCase().replaceAll('-', '_')}`) },
      'header_renamed',
    ],
    [
      'headers named as a CGI does, and no profile',
      { headers: renamed((name) => name.replaceAll('-', '_')), profile: undefined },
      'header_renamed',
    ],
    ['a timestamp of another attempt', { headers: headersOfOldAttempt }, 'other_attempt'],
    ['a profile that is not the subscription’s', { profile: 'ledgerly' }, 'other_profile'],
    [
      'a key that was not decoded',
      { profile: 'standard-webhooks', headers: undecoded() },
      'secret_not_decoded',
    ],
    [
      'a key that was decoded where the text counts',
      { profile: 'marko', headers: { 'X-Webhook-Signature': `sha256=${hmac(standardKey(SECRET), BODY)}` } },
      'secret_decoded',
    ],
    ['a clock that is ten minutes ahead', { receivedAtMs: NOW + 600_000 }, 'timestamp_too_old'],
    ['a clock that is ten minutes late', { receivedAtMs: NOW - 600_000 }, 'timestamp_too_new'],
  ])('tells of %s, and proves it', async (_, given, cause) => {
    expect((await diagnosisOf(given)).found).toMatchObject({ cause, isProven: true })
  })

  test.each<[string, Given, Cause]>([
    [
      'headers that a proxy has left out',
      { headers: { 'content-type': 'application/json' } },
      'missing_header',
    ],
    ['no header of any profile', { headers: {}, profile: undefined }, 'missing_header'],
    [
      'a signature of another form',
      { headers: { ...headersOfOldAttempt, 'webhook-signature': 'nonsense' } },
      'malformed_header',
    ],
    ['an empty body', { body: '' }, 'body_empty'],
    ['a body that is cut', { body: BODY.slice(0, 50) }, 'body_cut'],
    ['characters that were lost', { body: BODY.replaceAll('ü', '\ufffd') }, 'body_charset'],
    ['an object printed as such', { body: '[object Object]' }, 'body_printed'],
    ['a secret that lacks a character', { secret: `${SECRET.slice(0, -2)}!` }, 'secret_invalid'],
    ['no secret', { secret: null }, 'secret_missing'],
    ['another body', { body: '{"another":1}' }, 'unknown'],
  ])('tells of %s, which nothing can prove', async (_, given, cause) => {
    expect((await diagnosisOf(given)).found).toMatchObject({ cause, isProven: false })
  })

  test.each(['previous_secret', 'other_secret', 'other_subscription'] as const)(
    'tells of %s, and whose it is',
    async (cause) => {
      async function* others(): AsyncGenerator<OtherKeys> {
        yield { cause: 'other_secret', holder: 'webhook_a', secrets: ['none of the two'], publicKeys: [] }
        yield { cause, holder: 'webhook_b', secrets: [SECRET], publicKeys: [] }
      }
      const { found } = await diagnosisOf({ secret: TEXT_SECRET, others })
      expect(found).toMatchObject({ cause, holder: 'webhook_b', isProven: true })
    },
  )

  test.each<[string, string, Cause]>([
    ['the right signature', v1(`${ID_TIME}${BODY}`), 'comparison'],
    ['the right signature in hex', hmac(standardKey(SECRET), `${ID_TIME}${BODY}`), 'comparison'],
    ['a signature under the text of the secret', v1(`${ID_TIME}${BODY}`, SECRET), 'secret_not_decoded'],
    ['a signature of the body alone', v1(BODY), 'body_only'],
    ['a signature of the body printed again', v1(`${ID_TIME}${printed()}`), 'body_printed'],
    ['anything', 'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'unknown'],
  ])('tells the mistake of a receiver that has computed %s', async (_, computed, cause) => {
    expect(await diagnosisOf({ computed })).toMatchObject({ failed: 'receiver', found: { cause } })
  })

  test('is examined in bounded time, whatever its body and its headers are', async () => {
    const body = `{"a":[${Array.from({ length: 20_000 }, (_, n) => `{"x":"${n}/é","y":1.5}`).join(',')}]}`
    const signatures = Array.from({ length: 16 }, () => 'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')
    const headers = { ...headersOfOldAttempt, 'webhook-signature': signatures.join(' ') }
    const start = process.cpuUsage()
    for (const text of [body, body.slice(0, 120_000), '['.repeat(120_000), `"${'\\"'.repeat(60_000)}"`])
      await diagnosisOf({ body: text, headers })
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1000).toBeLessThan(10_000)
  })
})

function undecoded(): Record<string, string> {
  const { 'webhook-id': id, 'webhook-timestamp': time } = headersOf('standard', {
    secret: SECRET,
    body: BODY,
  })
  const signature = `v1,${hmac(SECRET, `${id}.${time}.${BODY}`, 'base64')}`
  return { 'webhook-id': id ?? '', 'webhook-timestamp': time ?? '', 'webhook-signature': signature }
}

function v1(content: string, key: string | Uint8Array = standardKey(SECRET)): string {
  return `v1,${hmac(key, content, 'base64')}`
}

describe('what a diagnosis costs', () => {
  test('does not grow with the depth of a body, which no printer indents', async () => {
    expect(jsonTokens(`${'['.repeat(65)}${']'.repeat(65)}`)).toBeNull()
    expect(jsonTokens(`${'['.repeat(64)}${']'.repeat(64)}`)).toHaveLength(128)
    for (const depth of [11_000, 50_000]) {
      const body = `${'['.repeat(depth)}1${']'.repeat(depth)}`
      expect((await diagnosisOf({ body })).found?.cause).toBe('unknown')
    }
  })

  test('is counted for each body that is made, though no key fits it', async () => {
    const search = new SignatureSearch()
    for (let n = 0; n < 1_200 && !search.isSpent; n++) search.made(10)
    expect(search.isSpent).toBe(true)
    const large = new SignatureSearch()
    large.made(16_000_000)
    expect(large.isSpent).toBe(true)
  })

  test('is nothing for bodies where there is no key', async () => {
    const body = `[${'1,'.repeat(63_000)}1]`
    expect((await diagnosisOf({ body, secret: null })).found?.cause).toBe('secret_missing')
  })
})

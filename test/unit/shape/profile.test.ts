import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  customHeaderNames,
  customInputSchema,
  customProfileSchema,
  PROFILES,
  payloadForm,
  profileSchema,
  profileSupportsAsymmetric,
} from '../../../src/shape/profile.ts'

const SIGNATURE = { header: 'X-My-Signature' }

/** Path and message of all that is wrong; unknown fields by name. */
function issuesOf(input: unknown): [string, string][] {
  const parsed = customProfileSchema.safeParse(input)
  if (parsed.success) return []
  return parsed.error.issues.map((issue) => [
    [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys : [])].join('.'),
    issue.message,
  ])
}

const withSignature = (fields: object, rest: object = {}) => ({
  signature: { ...SIGNATURE, ...fields },
  ...rest,
})

describe('profile', () => {
  test.each(PROFILES)('%s is one', (profile) => {
    expect(profileSchema.parse(profile)).toBe(profile)
  })

  test.each(['Standard', 'stripe', '', null, 1])('%j is none, and the message names them all', (profile) => {
    const message = profileSchema.safeParse(profile).error?.issues[0]?.message
    expect(message).toBe(
      'must be "standard", "bigledger", "core", "ledgerly", "marko", "cloudevents", "standard-webhooks" or "custom"',
    )
  })

  test('those with a webhook-signature, and only those, support asymmetric signatures', () => {
    expect(PROFILES.filter(profileSupportsAsymmetric)).toEqual([
      'standard',
      'cloudevents',
      'standard-webhooks',
    ])
  })

  test('gives its own payload form; custom borrows one', () => {
    expect(payloadForm('marko', null)).toBe('marko')
    expect(payloadForm('marko', { payload: 'core' })).toBe('marko')
    expect(payloadForm('custom', { payload: 'core' })).toBe('core')
    expect(payloadForm('custom', null)).toBe('standard')
  })
})

describe('a custom scheme that is accepted', () => {
  test('needs a header name only, the rest has defaults', () => {
    expect(customProfileSchema.parse({ signature: SIGNATURE })).toEqual({
      payload: 'standard',
      signature: {
        header: 'X-My-Signature',
        algorithm: 'sha256',
        encoding: 'hex',
        content: '{body}',
        value: '{signature}',
        key: 'text',
      },
    })
  })

  test('is the same once stored and read again', () => {
    const full = {
      payload: 'ledgerly',
      signature: {
        header: "!#$%&'*+-.^_`|~9",
        algorithm: 'sha1',
        encoding: 'base64url',
        content: '{id}\n{timestamp}:{event}|{body}',
        value: 't={timestamp},v1={signature}',
        key: 'base64',
      },
      timestampHeader: 'X-Time',
      idHeader: 'X-Id',
      eventHeader: 'X-Event',
    }
    expect(customProfileSchema.parse(full)).toEqual(full)
  })

  test.each([
    'X-Signature',
    'webhook-signature',
    'X-Webhook-Signature',
    'X-Ledgerly-Signature',
    'Stripe-Signature',
    'x'.repeat(100),
  ])('may use the header %s', (header) => {
    expect(issuesOf({ signature: { header } })).toEqual([])
  })

  test('may sign the timestamp when a header or the value sends it, or the id when the payload holds it', () => {
    expect(issuesOf(withSignature({ content: '{timestamp}{body}' }, { timestampHeader: 'X-T' }))).toEqual([])
    expect(
      issuesOf(withSignature({ content: '{timestamp}{body}', value: '{timestamp}:{signature}' })),
    ).toEqual([])
    expect(issuesOf(withSignature({ content: '{id}.{body}' }))).toEqual([])
    expect(
      issuesOf(withSignature({ content: '{id}.{body}' }, { payload: 'marko', idHeader: 'X-I' })),
    ).toEqual([])
  })

  test('can be described as JSON Schema', () => {
    expect(z.toJSONSchema(customProfileSchema, { io: 'input' }).$defs).toMatchObject({
      CustomProfileSettings: { required: ['signature'], additionalProperties: false },
    })
  })
})

describe('a custom scheme that is refused', () => {
  const AMBIGUOUS = 'must be a name of its own'
  const TAKEN = 'must be another name: the relay or the network sets it'
  const NOT_SENT = 'so receivers could not verify'
  const signature = SIGNATURE

  test.each<[string, object, string, string]>([
    ['no signature', {}, 'signature', ''],
    ['no header', { signature: {} }, 'signature.header', ''],
    ['an unknown field', { signature, colour: 1 }, 'colour', ''],
    ['an unknown field within', withSignature({ colour: 1 }), 'signature.colour', ''],
    [
      'an unknown hash',
      withSignature({ algorithm: 'md5' }),
      'signature.algorithm',
      'must be "sha256", "sha1" or',
    ],
    [
      'an unknown encoding',
      withSignature({ encoding: 'HEX' }),
      'signature.encoding',
      'must be "hex", "base64" or',
    ],
    ['an unknown key form', withSignature({ key: 'hex' }), 'signature.key', 'must be "text" or "base64"'],
    ['its own payload form', { signature, payload: 'custom' }, 'payload', 'must be "standard", '],
    ['an empty name', { signature, idHeader: '' }, 'idHeader', 'must be a header name'],
    ['a name with a space', { signature, idHeader: 'X Id' }, 'idHeader', 'must be a header name'],
    ['a name with a colon', { signature, idHeader: 'X-Id:' }, 'idHeader', 'must be a header name'],
    ['a name with a line break', { signature, idHeader: 'X-Id\n' }, 'idHeader', 'must be a header name'],
    ['a name beyond ASCII', { signature, idHeader: 'X-Ïd' }, 'idHeader', 'must be a header name'],
    ['a name of 101', { signature, idHeader: 'x'.repeat(101) }, 'idHeader', 'must be at most 100'],
    ['a name twice', { signature, idHeader: 'x-MY-signature' }, 'idHeader', AMBIGUOUS],
    ['two plain names alike', { signature, idHeader: 'X-A', eventHeader: 'x-a' }, 'eventHeader', AMBIGUOUS],
    [
      'the name of rotation',
      { signature, timestampHeader: 'X-My-Signature-NEXT' },
      'timestampHeader',
      AMBIGUOUS,
    ],
    [
      'content without body',
      withSignature({ content: '{id}' }),
      'signature.content',
      'must contain {body} exactly',
    ],
    [
      'the body twice',
      withSignature({ content: '{body}{body}' }),
      'signature.content',
      'must contain {body} exactly',
    ],
    [
      'an unknown name',
      withSignature({ content: '{url}{body}' }),
      'signature.content',
      'must use braces only for {id}',
    ],
    [
      'a brace alone',
      withSignature({ content: '{{body}' }),
      'signature.content',
      'must use braces only for {id}',
    ],
    [
      'content beyond ASCII',
      withSignature({ content: 'é{body}' }),
      'signature.content',
      'must be printable ASCII',
    ],
    [
      'content of 201',
      withSignature({ content: `{body}${'x'.repeat(195)}` }),
      'signature.content',
      'must be at most 200',
    ],
    [
      'a value without signature',
      withSignature({ value: 'x' }),
      'signature.value',
      'must contain {signature}',
    ],
    [
      'the body as a value',
      withSignature({ value: '{signature}{body}' }),
      'signature.value',
      'must use braces only for',
    ],
    [
      'a value of two lines',
      withSignature({ value: 'a\r\nb: {signature}' }),
      'signature.value',
      'must be printable',
    ],
    [
      'a value that ends in a space',
      withSignature({ value: '{signature} ' }),
      'signature.value',
      'must be printable',
    ],
    [
      'a value that begins with one',
      withSignature({ value: ' {signature}' }),
      'signature.value',
      'must be printable',
    ],
    ['a time never sent', withSignature({ content: '{timestamp}.{body}' }), 'signature.content', NOT_SENT],
    [
      'an id never sent',
      withSignature({ content: '{id}.{body}' }, { payload: 'ledgerly' }),
      'signature.content',
      NOT_SENT,
    ],
  ])('%s', (_, input, path, message) => {
    expect(issuesOf(input)).toEqual([[path, expect.stringContaining(message)]])
  })

  test.each([
    'Host',
    'Content-Length',
    'content-type',
    'Content-Encoding',
    'Transfer-Encoding',
    'connection',
    'User-Agent',
    'Authorization',
    'CF-Ray',
    'Proxy-Authorization',
    'X-Forwarded-For',
    'X-Posthorn-Replay',
    '__proto__',
    'constructor',
  ])('%s as any of its headers', (name) => {
    expect(issuesOf({ signature: { header: name } })).toEqual([['signature.header', TAKEN]])
    expect(issuesOf({ signature, eventHeader: name })).toEqual([['eventHeader', TAKEN]])
  })
})

test('the header names of a custom scheme are all it may set, in lower case, that of rotation included', () => {
  const custom = customProfileSchema.parse({ signature: SIGNATURE, idHeader: 'X-Id', eventHeader: 'X-Event' })
  expect(customHeaderNames(custom)).toEqual(['x-my-signature', 'x-my-signature-next', 'x-id', 'x-event'])
})

describe('values in the signed content', () => {
  const accepts = (content: string) => {
    const custom = { idHeader: 'X-Id', timestampHeader: 'X-T', signature: { header: 'X-S', content } }
    const stored = customProfileSchema.safeParse(custom)
    expect(stored.success).toBe(true)
    return customInputSchema.safeParse(custom).success
  }

  test.each([
    '{body}',
    '{timestamp}.{body}',
    '{id}.{timestamp}.{body}',
    'v0:{timestamp}:{body}',
    '{event}|{id}|{body}',
    '{event}.{id}.{body}',
    '{body}\n{timestamp}',
    '{timestamp}-{id}.{body}',
  ])('are kept apart by %j', (content) => {
    expect(accepts(content)).toBe(true)
  })

  test.each([
    '{timestamp}{body}',
    '{id}{timestamp}.{body}',
    '{event}.{body}',
    '{id}_{body}',
    '{timestamp}1{body}',
  ])('run into each other in %j, which is taken only where it is stored already', (content) => {
    expect(accepts(content)).toBe(false)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deliveryHeadersSchema, headerProblems } from '../../../src/shape/headers.ts'

const issuesOf = (input: unknown) =>
  deliveryHeadersSchema.safeParse(input).error?.issues.map(({ path, message }) => ({ path, message })) ?? []

describe('custom headers that are accepted', () => {
  test.each([
    {},
    { 'X-Team': 'billing' },
    { Authorization: 'Bearer abc', Cookie: 'a=b', Accept: '*/*' },
    { "!#$%&'*+-.^_`|~9": 'any token' },
    { 'X-Empty': '', 'X-Tab': 'a\tb' },
    { ['n'.repeat(100)]: 'v'.repeat(1000) },
    { 'X-Webhook-Source': 'relay', Hosting: 'yes', 'X-CF': 'yes' },
    Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`x-${n}`, ''])),
  ])('%j', (headers) => {
    expect(deliveryHeadersSchema.parse(headers)).toEqual(headers)
  })
})

describe('reserved names', () => {
  test.each([
    'Host',
    'content-length',
    'Content-Type',
    'content-encoding',
    'Transfer-Encoding',
    'connection',
    'keep-alive',
    'upgrade',
    'TE',
    'trailer',
    'expect',
    'User-Agent',
    'forwarded',
    'x-real-ip',
    'true-client-ip',
    'cdn-loop',
    'http2-settings',
    'CF-Connecting-IP',
    'cf-worker',
    'X-Forwarded-For',
    'webhook-id',
    'Webhook-Signature',
    'webhook-signature-next',
    'X-Signature',
    'x-signature-next',
    'X-Posthorn-Replay',
    'Proxy-Authorization',
    'X-Webhook-Signature',
    'x-webhook-signature-next',
    'X-Webhook-Timestamp',
    'X-Webhook-ID',
    'X-Ledgerly-Signature',
    'X-Ledgerly-Timestamp',
    'constructor',
    'prototype',
  ])('%s is refused by name', (name) => {
    expect(issuesOf({ [name]: 'x' })).toEqual([
      { path: [name], message: expect.stringContaining(`"${name}" is reserved`) },
    ])
  })

  test('__proto__ of a JSON body is refused, not dropped', () => {
    expect(issuesOf(JSON.parse('{"__proto__": "x", "X-A": "1"}'))).toMatchObject([{ path: ['__proto__'] }])
  })
})

describe('malformed headers', () => {
  test.each(['', 'a b', 'a:b', 'ä', 'a\r\n', 'a\0', '(x)', 'a/b', '"a"'])(
    'the name %j is refused',
    (name) => {
      expect(issuesOf({ [name]: 'x' })).toMatchObject([
        { path: [name], message: expect.stringContaining('header name') },
      ])
    },
  )

  test('a name of 101 characters is refused', () => {
    expect(issuesOf({ ['n'.repeat(101)]: 'x' })).toMatchObject([{ message: expect.stringContaining('100') }])
  })

  test.each(['a\r\nX-Evil: 1', 'a\n', 'a\r', 'a\0b', 'a\x7f', 'ä', '\u2028'])(
    'the value %j is refused',
    (value) => {
      expect(issuesOf({ 'X-A': value })).toMatchObject([
        { path: ['X-A'], message: expect.stringContaining('line breaks') },
      ])
    },
  )

  test('a value of 1,001 characters is refused, without repeating it', () => {
    expect(issuesOf({ 'X-A': 's'.repeat(1001) })).toEqual([
      { path: ['X-A'], message: 'must be at most 1000 characters' },
    ])
  })

  test.each([1, null, true, ['a'], {}])('the value %j is no string', (value) => {
    expect(issuesOf({ 'X-A': value })).toEqual([{ path: ['X-A'], message: 'must be a string' }])
  })

  test('a name given twice in other letters is refused where it comes again', () => {
    expect(issuesOf({ 'X-Team': 'a', 'x-team': 'b' })).toEqual([
      { path: ['x-team'], message: expect.stringContaining('twice') },
    ])
  })

  test('more than 50 are refused as a whole', () => {
    const headers = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`x-${n}`, '']))
    expect(issuesOf(headers)).toEqual([{ path: [], message: 'must hold at most 50 headers' }])
  })

  test.each([null, [], 'X-A: 1', 1])('%j is no set of headers', (input) => {
    expect(issuesOf(input)).toMatchObject([
      { path: [], message: expect.stringContaining('must be an object') },
    ])
  })

  test('every offending header is named, in one go', () => {
    expect(issuesOf({ Host: 'a', 'X-A': '1', 'X-B': 'a\n' }).map(({ path }) => path[0])).toEqual([
      'Host',
      'X-B',
    ])
  })
})

test('what passes can be sent: the platform’s own Headers takes it', () => {
  const headers = fc.dictionary(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.string({ unit: 'binary-ascii' }),
  )
  fc.assert(
    fc.property(headers, (given) => {
      if (headerProblems(given).length === 0) expect(() => new Headers(given)).not.toThrow()
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MASK } from '../../../src/base/secret/redaction.ts'
import {
  authUrls,
  checkTokenUrl,
  type DestinationAuth,
  destinationAuthSchema,
  keepMasked,
  maskAuth,
  maskedAuthHeaders,
  secretsOf,
  withAuthHeaders,
} from '../../../src/destination/auth.ts'

const BASIC = { type: 'basic', username: 'relay', password: 'pa:ss word' } as const
const BEARER = { type: 'bearer', token: '1|laravel-token' } as const
const API_KEY = { type: 'apiKey', header: 'X-API-Key', value: 'ENCRYPTED API KEY' } as const
const STATIC = { type: 'oauth2', token: 'OAUTH_TOKEN' } as const
const CLIENT = {
  type: 'oauth2',
  tokenUrl: 'https://auth.crm.com/token',
  clientId: 'crm:client',
  clientSecret: 'client-secret',
} as const
const FULL_CLIENT = {
  ...CLIENT,
  scope: 'a b',
  audience: 'https://crm',
  clientAuthentication: 'body',
} as const
const JWT = { type: 'jwt', algorithm: 'HS256', key: 'shared-secret' } as const
const FULL_JWT = {
  ...JWT,
  ...{ keyId: 'k1', issuer: 'acme', subject: 'relay', audience: 'crm', expiresInSeconds: 30 },
  ...{ claims: { tenant: 'a', level: 3, live: true }, header: 'X-Token' },
} as const
const ALL: DestinationAuth[] = [BASIC, BEARER, API_KEY, STATIC, CLIENT, FULL_CLIENT, JWT, FULL_JWT]

const issuesOf = (input: unknown) =>
  destinationAuthSchema.safeParse(input).error?.issues.map(({ path, message }) => ({ path, message })) ?? []

describe('what is accepted', () => {
  test.each([
    ...ALL,
    { ...BASIC, username: '', password: '' },
    { ...API_KEY, header: 'Authorization', value: 'Token abc' },
    { ...JWT, key: 'k'.repeat(8192), expiresInSeconds: 3600 },
    { ...CLIENT, tokenUrl: 'https://anmeldung.münchen.de/öffnen' },
  ])('%j is kept as it was given', (auth) => {
    expect(destinationAuthSchema.parse(auth)).toEqual(auth)
  })
})

describe('what is refused, by path', () => {
  test.each([{ type: 'digest' }, { type: 'BASIC' }, {}, { type: null }])(
    '%j, naming the types there are',
    (auth) => {
      expect(issuesOf(auth)).toEqual([
        { path: ['type'], message: 'must be one of "basic", "bearer", "apiKey", "oauth2", "jwt", "mtls"' },
      ])
    },
  )

  test.each([null, 'Bearer x', [], 1])('%j, which is no object', (auth) => {
    expect(issuesOf(auth)).toMatchObject([{ path: [] }])
  })

  test.each([
    [{ ...BASIC, username: 'a:b' }, ['username'], 'must not hold ":"'],
    [{ ...BASIC, password: 'a\r\nX-Evil: 1' }, ['password'], 'printable ASCII'],
    [{ ...BASIC, password: 'pässword' }, ['password'], 'printable ASCII'],
    [{ ...BASIC, password: 'p'.repeat(256) }, ['password'], 'at most 255'],
    [{ ...BASIC, token: 'x' }, [], 'token'],
    [{ ...BEARER, token: '' }, ['token'], 'must not be empty'],
    [{ ...BEARER, token: 'a b' }, ['token'], 'without spaces'],
    [{ ...BEARER, token: 'a\n' }, ['token'], 'line breaks'],
    [{ ...BEARER, token: 't'.repeat(8001) }, ['token'], 'at most 8000'],
    [{ ...API_KEY, value: ' key' }, ['value'], 'begin nor end'],
    [{ ...API_KEY, value: 'key ' }, ['value'], 'begin nor end'],
    [{ ...API_KEY, value: 'a\r\nb' }, ['value'], 'line breaks'],
    [{ ...API_KEY, header: 'webhook-id' }, ['header'], 'reserved'],
    [{ ...API_KEY, header: 'Host' }, ['header'], 'reserved'],
    [{ ...API_KEY, header: '__proto__' }, ['header'], 'reserved'],
    [{ ...API_KEY, header: 'X Key' }, ['header'], 'header name'],
    [{ type: 'oauth2' }, [], 'either "token" or "tokenUrl"'],
    [{ type: 'oauth2', scope: 'a' }, [], 'either "token" or "tokenUrl"'],
    [{ ...STATIC, scope: 'a' }, ['scope'], 'cannot be combined with "token"'],
    [{ ...CLIENT, clientSecret: undefined }, ['clientSecret'], 'is required'],
    [{ ...CLIENT, clientAuthentication: 'jwt' }, ['clientAuthentication'], '"basic" or "body"'],
    [{ ...CLIENT, tokenUrl: 'u'.repeat(2049) }, ['tokenUrl'], 'at most 2048'],
    [{ ...CLIENT, scope: 'a\nb' }, ['scope'], 'printable ASCII'],
    [{ ...JWT, algorithm: 'none' }, ['algorithm'], '"HS256", "RS256", "ES256" or "EdDSA"'],
    [{ ...JWT, key: 'short' }, ['key'], 'at least 8'],
    [{ ...JWT, expiresInSeconds: 29 }, ['expiresInSeconds'], '30-3600'],
    [{ ...JWT, expiresInSeconds: 3601 }, ['expiresInSeconds'], '30-3600'],
    [{ ...JWT, expiresInSeconds: 60.5 }, ['expiresInSeconds'], 'whole seconds'],
    [{ ...JWT, header: 'webhook-signature' }, ['header'], 'reserved'],
    [{ ...JWT, claims: { exp: 1 } }, ['claims', 'exp'], 'is set by the relay'],
    [{ ...JWT, claims: { deep: {} } }, ['claims', 'deep'], 'a text, a number, true or false'],
    [{ ...JWT, claims: JSON.parse('{"__proto__": "x"}') }, ['claims', '__proto__'], 'cannot be a name'],
  ])('%j at %j', (auth, path, message) => {
    expect(issuesOf(auth)).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  test('both forms of oauth2 at once, at each field too many', () => {
    expect(issuesOf({ ...FULL_CLIENT, token: 'x' }).map(({ path }) => path.join('.'))).toEqual(
      Object.keys(FULL_CLIENT).filter((name) => name !== 'type'),
    )
  })

  test('no message repeats a credential', () => {
    const secret = 'my\nsecret'
    const inputs = [
      { ...BASIC, password: secret },
      { ...BEARER, token: secret },
      { ...API_KEY, value: secret },
      { ...CLIENT, clientSecret: secret },
    ]
    expect(inputs.flatMap(issuesOf).filter(({ message }) => message.includes('secret'))).toEqual([])
    expect(inputs.flatMap(issuesOf)).toHaveLength(4)
  })
})

describe('an auth as it is shown', () => {
  test.each(ALL)('%j holds none of its credentials', (auth) => {
    const shown = JSON.stringify(maskAuth(auth))
    expect(secretsOf(auth)).toHaveLength(1)
    expect(secretsOf(auth).filter((secret) => shown.includes(secret))).toEqual([])
  })

  test('still says who, where and how', () => {
    expect(maskAuth(FULL_CLIENT)).toEqual({ ...FULL_CLIENT, clientSecret: MASK })
    expect(maskAuth(FULL_JWT)).toEqual({ ...FULL_JWT, key: MASK })
    expect(maskAuth(BASIC)).toEqual({ ...BASIC, password: MASK })
  })

  test.each(ALL)('%j, when it is sent back, keeps what is stored', (auth) => {
    const shown = destinationAuthSchema.parse(maskAuth(auth))
    expect(keepMasked(shown, auth)).toEqual({ ok: true, auth })
  })
})

describe('a masked credential', () => {
  test('leaves the changes beside it in force', () => {
    const next = { ...CLIENT, clientSecret: MASK, scope: 'new' }
    expect(keepMasked(next, FULL_CLIENT)).toEqual({ ok: true, auth: { ...CLIENT, scope: 'new' } })
  })

  test.each([
    [{ ...BEARER, token: MASK }, null, 'auth.token'],
    [{ ...BEARER, token: MASK }, STATIC, 'auth.token'],
    [{ ...STATIC, token: MASK }, CLIENT, 'auth.token'],
    [{ ...CLIENT, clientSecret: MASK }, STATIC, 'auth.clientSecret'],
    [{ ...JWT, key: MASK }, BASIC, 'auth.key'],
  ])('%j is refused where %j is stored', (next, stored, path) => {
    const message = expect.stringContaining('must be given')
    expect(keepMasked(next, stored)).toEqual({ ok: false, problems: [{ path, message }] })
  })

  test('is kept of the stored one only where it is masked', () => {
    expect(keepMasked({ ...BEARER, token: 'other' }, BEARER)).toEqual({
      ok: true,
      auth: { ...BEARER, token: 'other' },
    })
    expect(keepMasked(null, BEARER)).toEqual({ ok: true, auth: null })
  })
})

describe('the URL of a token endpoint', () => {
  test('is named by path, and no other auth has one', () => {
    expect(ALL.map(authUrls)).toEqual(
      ALL.map((auth) => ('tokenUrl' in auth ? [{ path: 'auth.tokenUrl', url: CLIENT.tokenUrl }] : [])),
    )
  })

  test.each([
    ['https://auth.crm.com/token', { allowPrivate: false }, true],
    ['http://auth.crm.com/token', { allowPrivate: false, allowHttp: true }, false],
    ['http://127.0.0.1:1234/token', { allowPrivate: true }, true],
    ['https://127.0.0.1/token', { allowPrivate: false }, false],
    ['https://metadata.google.internal/token', { allowPrivate: false, allowHttp: true }, false],
  ])('%s under %j: %s', (url, rules, ok) => {
    expect(checkTokenUrl(url, { ownHostnames: [], ...rules }).ok).toBe(ok)
  })
})

test.each([
  [BASIC, { Authorization: `Basic ${MASK}` }],
  [BEARER, { Authorization: `Bearer ${MASK}` }],
  [API_KEY, { 'X-API-Key': MASK }],
  [CLIENT, { Authorization: `Bearer ${MASK}` }],
  [JWT, { Authorization: `Bearer ${MASK}` }],
  [FULL_JWT, { 'X-Token': MASK }],
  [{ ...JWT, header: 'authorization' } as const, { authorization: `Bearer ${MASK}` }],
])('the headers of %j are shown as %j', (auth, headers) => {
  expect(maskedAuthHeaders(auth)).toEqual(headers)
})

test('headers of auth take the place of custom ones of the same name, and of no others', () => {
  const names = fc.constantFrom(
    'Authorization',
    'AUTHORIZATION',
    'authorization',
    'X-API-Key',
    'x-api-key',
    'X-Team',
  )
  const headers = fc.dictionary(names, fc.constantFrom('own', 'auth'))
  fc.assert(
    fc.property(headers, fc.record({ Authorization: fc.constant('credential') }), (own, auth) => {
      const sent = withAuthHeaders(own, auth)
      const others = Object.entries(own).filter(([name]) => name.toLowerCase() !== 'authorization')
      expect(sent).toEqual({ ...Object.fromEntries(others), ...auth })
      expect(new Headers(Object.entries(sent)).get('authorization')).toBe('credential')
    }),
  )
})

test('a masked client secret is not kept when it would be sent to another token server', () => {
  const stored = {
    type: 'oauth2' as const,
    tokenUrl: 'https://login.example.com/token',
    clientId: 'me',
    clientSecret: 'secret-of-mine',
  }
  const next = { ...stored, tokenUrl: 'https://elsewhere.example.com/token', clientSecret: MASK }
  expect(keepMasked(next, stored)).toMatchObject({ ok: false, problems: [{ path: 'auth.clientSecret' }] })
})

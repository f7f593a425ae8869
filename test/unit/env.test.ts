import { describe, expect, test } from 'vitest'
import { readSettings, type Settings } from '../../src/env.ts'

const KEY = btoa('0123456789abcdef0123456789abcdef')
const FINE = { ADMIN_KEY: 'a-long-admin-key', KEY_ENCRYPTION_KEY: KEY }

function messageOf(raw: Record<string, unknown>): string {
  const result = readSettings(raw)
  return result.ok ? '' : result.message
}

function settingsOf(raw: Record<string, unknown>): Settings {
  const result = readSettings(raw)
  if (!result.ok) throw new Error(result.message)
  return result.settings
}

describe('an environment with nothing but the secrets', () => {
  test('gives the defaults of production', () => {
    expect(settingsOf(FINE)).toEqual({
      adminKey: 'a-long-admin-key',
      previousAdminKey: null,
      keyEncryptionKey: KEY,
      previousKeyEncryptionKey: null,
      identity: null,
      allowPrivateDestinations: false,
      slots: 6,
      maxDatabaseBytes: 10_000_000_000,
      logSample: 0.01,
      logLinesPerSecond: null,
      ownHostnames: [],
      dnsOverHttpsUrl: null,
      corsOrigins: [],
      portalFrameAncestors: [],
      portalLogoOrigins: [],
      portalOrigin: null,
    })
  })
})

describe('an environment that is not complete', () => {
  test.each([
    ['no admin key', { KEY_ENCRYPTION_KEY: KEY }, 'npx wrangler secret put ADMIN_KEY'],
    ['an empty admin key', { ...FINE, ADMIN_KEY: '' }, 'npx wrangler secret put ADMIN_KEY'],
    [
      'no key-encryption key',
      { ADMIN_KEY: 'a-long-admin-key' },
      'npx wrangler secret put KEY_ENCRYPTION_KEY',
    ],
    ['an empty key-encryption key', { ...FINE, KEY_ENCRYPTION_KEY: '' }, 'openssl rand -base64 32'],
    ['a short admin key', { ...FINE, ADMIN_KEY: 'a'.repeat(7) }, '8-512 printable'],
    [
      'an admin key that is longer than is compared',
      { ...FINE, ADMIN_KEY: 'a'.repeat(513) },
      '8-512 printable',
    ],
    ['a short admin key of before', { ...FINE, ADMIN_KEY_PREVIOUS: 'a'.repeat(7) }, 'ADMIN_KEY_PREVIOUS ('],
    ['an admin key of two words', { ...FINE, ADMIN_KEY: 'correct horse' }, 'without spaces'],
    [
      'a key-encryption key of 16 bytes',
      { ...FINE, KEY_ENCRYPTION_KEY: btoa('a'.repeat(16)) },
      '32 random bytes',
    ],
    [
      'a previous key-encryption key in words',
      { ...FINE, KEY_ENCRYPTION_KEY_PREVIOUS: 'not base64!' },
      'KEY_ENCRYPTION_KEY_PREVIOUS (the key before',
    ],
    ['a key-encryption key in words', { ...FINE, KEY_ENCRYPTION_KEY: 'not base64!' }, '32 random bytes'],
    [
      'private destinations in other words',
      { ...FINE, ALLOW_PRIVATE_DESTINATIONS: 'yes' },
      '"true" or "false"',
    ],
    ['no slots', { ...FINE, DELIVERY_SLOTS: '0' }, 'a whole number, 1-2000'],
    ['too many slots', { ...FINE, DELIVERY_SLOTS: '2001' }, 'a whole number, 1-2000'],
    ['half a slot', { ...FINE, DELIVERY_SLOTS: '1.5' }, 'a whole number, 1-2000'],
    ['more lines than there are', { ...FINE, LOG_SAMPLE: '1.1' }, 'a number, 0-1, or "off"'],
    ['lines in other words', { ...FINE, LOG_SAMPLE: 'all' }, 'a number, 0-1, or "off"'],
    ['a DNS server without a scheme', { ...FINE, DNS_OVER_HTTPS_URL: 'cloudflare-dns.com' }, 'dns-json'],
    ['a DNS server in plain http', { ...FINE, DNS_OVER_HTTPS_URL: 'http://dns.google/resolve' }, 'dns-json'],
    ['slots in words', { ...FINE, DELIVERY_SLOTS: 'six' }, 'a whole number, 1-2000'],
  ])('for %s says what to set', (_, raw, hint) => {
    expect(messageOf(raw)).toContain(hint)
  })

  test.each([
    ['JWT_ISSUER', { JWT_AUDIENCE: 'posthorn', JWT_JWKS_URL: 'https://login.example.com/jwks' }],
    [
      'JWT_AUDIENCE',
      { JWT_ISSUER: 'https://login.example.com/', JWT_JWKS_URL: 'https://login.example.com/jwks' },
    ],
    ['JWT_JWKS_URL', { JWT_ISSUER: 'https://login.example.com/', JWT_AUDIENCE: 'posthorn' }],
    [
      'JWT_JWKS_URL',
      { JWT_ISSUER: 'https://a/', JWT_AUDIENCE: 'posthorn', JWT_JWKS_URL: 'http://login.example.com/jwks' },
    ],
  ])('asks for %s, without which tokens could not be checked', (name, raw) => {
    expect(messageOf({ ...FINE, ...raw })).toContain(`${name} (`)
  })

  test('names each variable that is missing or wrong once, and no other', () => {
    const message = messageOf({ ADMIN_KEY: '', DELIVERY_SLOTS: 'six', ALLOW_PRIVATE_DESTINATIONS: 'true' })
    const named = ['ADMIN_KEY (', 'KEY_ENCRYPTION_KEY (', 'DELIVERY_SLOTS (', 'ALLOW_PRIVATE_DESTINATIONS (']
    expect(named.map((name) => message.split(name).length - 1)).toEqual([1, 1, 1, 0])
  })

  test.each([
    ['admin key', { ...FINE, ADMIN_KEY: 'hunter2' }, 'hunter2'],
    ['key-encryption key', { ...FINE, KEY_ENCRYPTION_KEY: 'hunter2hunter2' }, 'hunter2'],
  ])('never repeats a wrong %s', (_, raw, secret) => {
    expect(messageOf(raw)).not.toContain(secret)
  })
})

describe('the optional variables', () => {
  test.each([
    ['true', true],
    ['false', false],
  ])('ALLOW_PRIVATE_DESTINATIONS=%s means %s', (text, allowed) => {
    expect(settingsOf({ ...FINE, ALLOW_PRIVATE_DESTINATIONS: text }).allowPrivateDestinations).toBe(allowed)
  })

  test.each([
    ['1', 1],
    ['500', 500],
    [50, 50],
  ])('DELIVERY_SLOTS=%s means %i', (text, slots) => {
    expect(settingsOf({ ...FINE, DELIVERY_SLOTS: text }).slots).toBe(slots)
  })

  test.each([
    ['off', null],
    ['0', 0],
    ['0.25', 0.25],
    ['1', 1],
  ])('LOG_SAMPLE=%s means %j', (text, sample) => {
    expect(settingsOf({ ...FINE, LOG_SAMPLE: text }).logSample).toBe(sample)
  })

  test.each([
    ['', []],
    [' , ,', []],
    ['relay.example.com', ['relay.example.com']],
    ['Relay.Example.com , b.example.com,', ['relay.example.com', 'b.example.com']],
  ])('OWN_HOSTNAMES=%j means %j', (text, names) => {
    expect(settingsOf({ ...FINE, OWN_HOSTNAMES: text }).ownHostnames).toEqual(names)
  })

  test('JWT_* name the identity provider and the claims that count', () => {
    const jwt = {
      JWT_ISSUER: 'https://login.example.com/',
      JWT_AUDIENCE: 'posthorn',
      JWT_JWKS_URL: 'https://login.example.com/jwks',
    }
    expect(settingsOf({ ...FINE, ...jwt }).identity).toEqual({
      issuer: 'https://login.example.com/',
      audience: 'posthorn',
      keySetUrl: 'https://login.example.com/jwks',
      workspaceClaim: 'workspace',
      scopeClaim: 'scope',
    })
    const named = { ...jwt, JWT_WORKSPACE_CLAIM: 'org_id', JWT_SCOPE_CLAIM: 'permissions' }
    expect(settingsOf({ ...FINE, ...named }).identity).toMatchObject({
      workspaceClaim: 'org_id',
      scopeClaim: 'permissions',
    })
  })

  test.each([
    ['', []],
    ['https://app.example.com', ['https://app.example.com']],
    [
      ' https://a.example.com:8443 , http://localhost:5173,',
      ['https://a.example.com:8443', 'http://localhost:5173'],
    ],
  ])('CORS_ORIGINS=%j means %j', (text, origins) => {
    expect(settingsOf({ ...FINE, CORS_ORIGINS: text }).corsOrigins).toEqual(origins)
  })

  test.each([
    '*',
    'https://*.example.com',
    'app.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://App.example.com',
    'https://app.example.com:443',
    'https://user@app.example.com',
    'null',
    'file://',
    'https://a.example.com,*',
  ])('CORS_ORIGINS=%j is refused: browsers send no such origin', (text) => {
    expect(messageOf({ ...FINE, CORS_ORIGINS: text })).toContain('scheme, host and port, no path')
  })

  test('PORTAL_FRAME_ANCESTORS and PORTAL_LOGO_ORIGINS are origins, PORTAL_ORIGIN is one', () => {
    const PORTAL_FRAME_ANCESTORS = 'https://a.example.com, https://b.example.com:8443'
    const PORTAL_LOGO_ORIGINS = 'https://cdn.example.com'
    const PORTAL_ORIGIN = 'https://hooks.example.com'
    expect(settingsOf({ ...FINE, PORTAL_FRAME_ANCESTORS, PORTAL_LOGO_ORIGINS, PORTAL_ORIGIN })).toMatchObject(
      {
        portalFrameAncestors: ['https://a.example.com', 'https://b.example.com:8443'],
        portalLogoOrigins: [PORTAL_LOGO_ORIGINS],
        portalOrigin: PORTAL_ORIGIN,
      },
    )
    for (const text of [
      '*',
      "'self'",
      'https://a.example.com/',
      "https://a.example.com; script-src 'self'",
    ]) {
      expect(messageOf({ ...FINE, PORTAL_FRAME_ANCESTORS: text })).toContain('PORTAL_FRAME_ANCESTORS')
      expect(messageOf({ ...FINE, PORTAL_LOGO_ORIGINS: text })).toContain('PORTAL_LOGO_ORIGINS')
      expect(messageOf({ ...FINE, PORTAL_ORIGIN: text })).toContain('PORTAL_ORIGIN')
    }
  })

  test('bindings beside them do no harm', () => {
    expect(settingsOf({ ...FINE, DB: {}, DELIVERIES: {} }).slots).toBe(6)
  })
})

import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { NEWEST_MIGRATION } from '../../../src/operate/readiness.sql.ts'
import { relayOf } from '../../../src/relay.ts'
import { ADMIN_KEY, appOf, Client, expectRefusal } from '../../support/process/http-client.ts'

const client = new Client()

/** Every call of the API, by one path. */
const CALLS: [string, string][] = [
  ['POST', '/events'],
  ['GET', '/events'],
  ['GET', '/events/x'],
  ['GET', '/events/x/deliveries'],
  ['POST', '/webhooks/subscribe'],
  ['GET', '/webhooks'],
  ['GET', '/webhooks/x'],
  ['PUT', '/webhooks/x'],
  ['PATCH', '/webhooks/x'],
  ['DELETE', '/webhooks/x'],
  ['GET', '/webhooks/x/secret'],
  ['GET', '/webhooks/x/logs'],
  ['GET', '/webhooks/x/statistics'],
  ['POST', '/webhooks/x/test'],
  ['GET', '/deliveries/x'],
  ['POST', '/deliveries/x/retry'],
  ['GET', '/v1/webhooks'],
  ['POST', '/v1/events'],
  ['GET', '/nowhere'],
]

test.each(CALLS)('%s %s needs a key before it looks at anything else', async (method, path) => {
  const call = method === 'GET' || method === 'DELETE' ? {} : { body: '{not json' }
  const answer = await client.call(method, path, { ...call, headers: { Authorization: null } })
  expectRefusal(answer, 401, 'unauthorized')
  expect(answer.headers.get('www-authenticate')).toBe('Bearer')
})

test.each([
  ['no header', null],
  ['an empty header', ''],
  ['the key alone', ADMIN_KEY],
  ['another scheme', `Basic ${btoa(`admin:${ADMIN_KEY}`)}`],
  ['the scheme alone', 'Bearer'],
  ['two spaces', `Bearer  ${ADMIN_KEY}`],
  ['two keys', `Bearer ${ADMIN_KEY} ${ADMIN_KEY}`],
  ['a tab', `Bearer\t${ADMIN_KEY}`],
  ['a colon', `Bearer: ${ADMIN_KEY}`],
])('%s is refused, and the form is shown', async (_, authorization) => {
  const answer = await client.get('/webhooks', { headers: { Authorization: authorization } })
  expectRefusal(answer, 401, 'unauthorized')
  expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  expect(answer.error.message).toContain('"Authorization: Bearer <key>"')
  expect(answer.text).not.toContain(ADMIN_KEY)
})

test.each([
  ['another key', 'wrong_key'],
  ['a part of the key', ADMIN_KEY.slice(0, -1)],
  ['the key and more', `${ADMIN_KEY}x`],
  ['the key in capitals', ADMIN_KEY.toUpperCase()],
  ['600 characters', 'a'.repeat(600)],
  ['the key of local runs', 'posthorn_local_admin'],
  ['a list of keys', `${ADMIN_KEY},x`],
])('%s is not valid', async (_, key) => {
  const answer = await client.get('/webhooks', { headers: { Authorization: `Bearer ${key}` } })
  expectRefusal(answer, 401, 'unauthorized')
  expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  expect(answer.error.message).toBe('This key is not valid.')
})

test.each(['Bearer', 'bearer', 'BEARER'])('the scheme may be written %s', async (scheme) => {
  const answer = await client.get('/webhooks', { headers: { Authorization: `${scheme} ${ADMIN_KEY}` } })
  expect(answer.status).toBe(200)
})

describe('a relay that is not configured answers 503 on every call and names what to set:', () => {
  test.each([
    ['no ADMIN_KEY', { ADMIN_KEY: undefined }, ['ADMIN_KEY', 'wrangler secret put ADMIN_KEY']],
    ['an empty ADMIN_KEY', { ADMIN_KEY: '' }, ['ADMIN_KEY']],
    ['a short ADMIN_KEY', { ADMIN_KEY: 'short' }, ['ADMIN_KEY', '8-512 printable']],
    [
      'no KEY_ENCRYPTION_KEY',
      { KEY_ENCRYPTION_KEY: undefined },
      ['KEY_ENCRYPTION_KEY', 'openssl rand -base64 32', 'wrangler secret put KEY_ENCRYPTION_KEY'],
    ],
    [
      'a short KEY_ENCRYPTION_KEY',
      { KEY_ENCRYPTION_KEY: btoa('short') },
      ['KEY_ENCRYPTION_KEY', '32 random bytes'],
    ],
    ['neither', { ADMIN_KEY: undefined, KEY_ENCRYPTION_KEY: undefined }, ['ADMIN_KEY', 'KEY_ENCRYPTION_KEY']],
  ])('%s', async (_, missing, named) => {
    const target = appOf(relayOf, { ...env, ...missing })
    const unconfigured = new Client(undefined, { target })
    const paths: [string, string][] = [...CALLS, ['GET', '/healthz']]
    for (const [method, path] of paths) {
      const answer = await unconfigured.call(method, path)
      expectRefusal(answer, 503, 'unavailable')
      for (const part of named) expect(answer.error.message).toContain(part)
      expect(answer.text).not.toContain(env.KEY_ENCRYPTION_KEY)
    }
  })
})

describe('the key of local runs', () => {
  const target = appOf(relayOf, { ...env, ADMIN_KEY: 'posthorn_local_admin' })
  const headers = { Authorization: 'Bearer posthorn_local_admin' }

  test.each(['http://127.0.0.1:8787', 'http://localhost:8787', 'http://[::1]:8787', 'http://127.0.0.2'])(
    'is accepted at %s',
    async (origin) => {
      const local = new Client(undefined, { target, origin })
      expect((await local.get('/webhooks', { headers })).status).toBe(200)
    },
  )

  test.each([
    'https://relay.example.com',
    'http://192.168.0.7:8787',
    'http://0.0.0.0:8787',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://[::2]',
  ])('is refused at %s with the secret to set, whatever is sent', async (origin) => {
    const remote = new Client(undefined, { target, origin })
    for (const call of [{ headers }, { headers: { Authorization: null } }, {}]) {
      const answer = await remote.get('/webhooks', call)
      expectRefusal(answer, 503, 'unavailable')
      expect(answer.error.message).toContain('wrangler secret put ADMIN_KEY')
    }
  })
})

describe('GET /healthz', () => {
  test('answers ok without a key', async () => {
    const answer = await client.get('/healthz', { headers: { Authorization: null } })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toEqual({ status: 'ok', sweepAgeSeconds: expect.any(Number) })
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
  })

  test.each([
    ['does not answer', 'D1_ERROR: Network connection lost.', /store did not answer/],
    ['has no tables yet', 'D1_ERROR: no such table: workspace: SQLITE_ERROR', /not migrated yet/],
  ])('answers 503 with Retry-After when the store %s', async (_, failure, message) => {
    const DB = { prepare: () => ({ first: () => Promise.reject(new Error(failure)) }) }
    const sick = new Client(undefined, { target: appOf(relayOf, { ...env, DB }) })
    const answer = await sick.get('/healthz')
    expectRefusal(answer, 503, 'unavailable')
    expect(answer.error.message).toMatch(message)
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('answers 503 with what to do when the newest migration is missing, and ok once it is there', async () => {
    let newest = '0001_initial.sql'
    const DB = { prepare: () => ({ first: () => Promise.resolve(newest) }) }
    const behind = new Client(undefined, { target: appOf(relayOf, { ...env, DB }) })
    const answer = await behind.get('/healthz')
    expectRefusal(answer, 503, 'unavailable')
    expect(answer.error.details).toEqual([
      { path: 'migrations', message: expect.stringContaining('npx wrangler d1 migrations apply') },
    ])
    newest = NEWEST_MIGRATION
    expect((await behind.get('/healthz')).status).toBe(200)
  })

  test('is ok with a database whose migrations are not recorded', async () => {
    const missing = new Error('D1_ERROR: no such table: d1_migrations: SQLITE_ERROR')
    const prepare = (sql: string) => ({
      first: () => (sql.includes('d1_migrations') ? Promise.reject(missing) : Promise.resolve(null)),
    })
    const other = new Client(undefined, { target: appOf(relayOf, { ...env, DB: { prepare } }) })
    expect((await other.get('/healthz')).status).toBe(200)
  })
})

test('every other call to a database without a column says that it is not migrated', async () => {
  const first = () => Promise.reject(new Error('D1_ERROR: no such column: s.pacing_level: SQLITE_ERROR'))
  const statement = { bind: () => statement, first, all: first, run: first }
  const DB = { prepare: () => statement, batch: first }
  const behind = new Client(undefined, { target: appOf(relayOf, { ...env, DB }) })
  for (const answer of [
    await behind.get('/webhooks'),
    await behind.post('/events', { event: 'a', data: {} }),
  ]) {
    expectRefusal(answer, 503, 'unavailable')
    expect(answer.error.details).toMatchObject([{ path: 'migrations' }])
  }
})

test('what nobody expected answers 500 with the request id and nothing else', async () => {
  const fail = () => {
    throw new Error('at /secret/path.ts: the key is hunter2')
  }
  const DB = { prepare: fail }
  const broken = new Client(undefined, { target: appOf(relayOf, { ...env, DB }) })
  const answer = await broken.get('/healthz')
  expectRefusal(answer, 500, 'internal')
  expect(answer.text).not.toMatch(/secret|hunter2|prepare|TypeError/)
})

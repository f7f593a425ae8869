import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createVault } from '../../../src/base/secret/vault.ts'
import type { AuthorizeDeps } from '../../../src/destination/access-token.ts'
import type { OAuthClientAuth } from '../../../src/destination/auth.ts'
import { authorize } from '../../../src/destination/authorize.ts'
import { UNRESTRICTED } from '../../../src/destination/rules.ts'
import { TokenCache } from '../../../src/destination/token-cache.ts'
import { requestToken } from '../../../src/destination/token-request.ts'
import { type TokenScript, TokenServer } from '../../support/receivers/token-server.ts'

const START_MS = Date.UTC(2026, 10, 2, 12)
const SECOND = 1000

let server: TokenServer
beforeAll(async () => {
  server = await TokenServer.start()
})
afterEach(() => {
  vi.useRealTimers()
  server.reset()
})
afterAll(() => server.close())

const authOf = (changes: Partial<OAuthClientAuth> = {}): OAuthClientAuth => ({
  type: 'oauth2',
  tokenUrl: server.url,
  clientId: server.client.id,
  clientSecret: server.client.secret,
  ...changes,
})

/** D1 as it is in an outage, which tokens must survive. */
const brokenDb = {
  prepare: () => {
    throw new Error('D1_ERROR: the store is down')
  },
} as unknown as D1Database

const OWNER = { workspaceId: 'acme', id: 'webhook_a' }

/** One isolate with a clock that a test moves by hand. */
function createIsolate() {
  const clock = { nowMs: START_MS }
  const deps: AuthorizeDeps = {
    db: brokenDb,
    vault: createVault(btoa('0123456789abcdef0123456789abcdef')),
    fetch: (input, init) => fetch(input, init),
    now: () => clock.nowMs,
    destinations: { allowPrivate: true, ownHostnames: [] },
    userAgent: 'Posthorn/test',
    tokens: new TokenCache(),
  }
  const ask = (failed: Record<string, string> | null = null, version = 1, auth = authOf()) => {
    const target = { subscriptionNo: 7, owner: OWNER, version, destinations: UNRESTRICTED, auth }
    return authorize(deps, target, failed === null ? { refresh: false } : { refresh: true, failed })
  }
  const afterSeconds = (seconds: number) => {
    clock.nowMs = START_MS + seconds * SECOND
  }
  return { deps, ask, afterSeconds }
}

const headersWith = (n: number) => ({ Authorization: `Bearer issued-token-${n}` })
const granted = (n: number) => ({ ok: true, headers: headersWith(n) })
const tokenOf = async (auth = authOf()) => await requestToken(createIsolate().deps, auth)

describe('the request', () => {
  test('names the client by Basic, form-encoded as RFC 6749 asks', async () => {
    expect(await tokenOf(authOf({ scope: 'a b', audience: 'https://crm' }))).toMatchObject({ ok: true })
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        headers: { 'user-agent': 'Posthorn/test', accept: 'application/json' },
        form: { grant_type: 'client_credentials', scope: 'a b', audience: 'https://crm' },
      },
    ])
    expect(server.requests[0]?.form).not.toHaveProperty('client_secret')
  })

  test('names the client in its body where that is asked for', async () => {
    expect(await tokenOf(authOf({ clientAuthentication: 'body' }))).toMatchObject({ ok: true })
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(server.requests[0]?.form).toMatchObject({ client_secret: server.client.secret })
  })

  test('is not made to a destination that is not allowed', async () => {
    const destinations = { allowPrivate: false, allowHttp: true, ownHostnames: [] }
    const fetched = vi.fn<typeof fetch>()
    const { deps } = createIsolate()
    const answer = await requestToken({ ...deps, fetch: fetched, destinations }, authOf())
    expect(answer).toMatchObject({ message: expect.stringContaining('the URL of the token endpoint must') })
    expect(fetched).not.toHaveBeenCalled()
  })
})

describe('the life of a token', () => {
  test.each([
    [3600, 3600],
    ['900', 900],
    [undefined, 300],
    ['soon', 300],
    [null, 300],
    [0, 10],
    [-5, 10],
    [1e12, 86_400],
  ])('that expires in %j is taken to be %i s', async (expires_in, seconds) => {
    server.scripts.push({ body: { access_token: 't', token_type: 'bearer', expires_in } })
    expect(await tokenOf()).toEqual({
      ...{ ok: true, token: 't', issuedAtMs: START_MS },
      expiresAtMs: START_MS + seconds * SECOND,
    })
  })
})

test.each([undefined, null, 'bearer', 'BEARER'])(
  'a token of type %j is a Bearer token',
  async (token_type) => {
    server.scripts.push({ body: { access_token: 't', token_type } })
    expect(await tokenOf()).toMatchObject({ ok: true, token: 't' })
  },
)

describe('a failure is told', () => {
  const ok = { access_token: 't', token_type: 'Bearer' }
  const cases: [string, TokenScript, string][] = [
    ['an OAuth error', { status: 400, body: { error: 'invalid_scope' } }, 'answered 400 (invalid_scope)'],
    ['401', { status: 401, body: { error: 'invalid_client' } }, 'answered 401 (invalid_client)'],
    ['500', { status: 500, body: '<html>' }, 'answered 500'],
    ['503', { status: 503, body: { error: 'temporarily_unavailable' } }, '503 (temporarily_unavailable)'],
    ['201', { status: 201, body: ok }, 'answered 201'],
    ['no JSON', { body: 'token=abc' }, 'without a JSON object'],
    ['an array', { body: [] }, 'without a JSON object'],
    ['no token', { body: { token_type: 'Bearer' } }, 'without an access_token'],
    ['an empty token', { body: { ...ok, access_token: '' } }, 'without an access_token'],
    ['DPoP', { body: { ...ok, token_type: 'DPoP' } }, 'not of type Bearer'],
    ['another type', { body: { ...ok, token_type: 'mac' } }, 'not of type Bearer'],
    ['line breaks', { body: { ...ok, access_token: 'a\r\nX-Evil: 1' } }, 'with line breaks, spaces or other'],
    ['line breaks without a type', { body: { access_token: 'a\r\nb' } }, 'with line breaks, spaces or other'],
    ['a huge token', { body: { ...ok, access_token: 'a'.repeat(8001) } }, 'of 8001 characters, of which'],
    ['too much', { body: { ...ok, filler: 'x'.repeat(70_000) } }, 'more than 64 KB'],
    ['too much of an error', { status: 500, body: 'x'.repeat(70_000) }, 'more than 64 KB'],
    ['a closed connection', 'close', 'could not be reached'],
  ]
  test.each(cases)('for %s', async (_, script, message) => {
    server.scripts.push(script)
    const answer = await tokenOf()
    expect(answer).toEqual({ ok: false, message: expect.stringContaining(message) })
    expect(answer).toMatchObject({ message: expect.stringContaining('the token endpoint 127.0.0.1:') })
  })

  test('for a redirect, which is not followed', async () => {
    server.scripts.push({ status: 307, headers: { location: server.url }, body: '' })
    expect(await tokenOf()).toMatchObject({ message: expect.stringContaining('redirect (307)') })
    expect(server.requests).toHaveLength(1)
  })

  test('for silence, after 10 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    server.scripts.push('hang')
    const answer = tokenOf()
    await server.arrived(1)
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect(await answer).toMatchObject({ message: expect.stringContaining('within 10 s') })
  })

  test.each(['the-client:secret/of acme', 'the-client', 'secret', 'x the-client:secret/of acme x'])(
    'without the secret, though the endpoint sends %j back',
    async (error) => {
      const body = { error, error_description: server.client.secret }
      server.scripts.push({ status: 400, body })
      expect(await tokenOf()).toEqual({ ok: false, message: expect.stringMatching(/answered 400$/) })
    },
  )

  test('for a wrong secret and for an endpoint that is down', async () => {
    expect(await tokenOf(authOf({ clientSecret: 'wrong' }))).toMatchObject({
      message: expect.stringContaining('(invalid_client)'),
    })
    const down = await TokenServer.start()
    const tokenUrl = down.url
    await down.close()
    expect(await tokenOf(authOf({ tokenUrl }))).toMatchObject({
      message: expect.stringContaining('could not be reached'),
    })
  })
})

describe('a token', () => {
  test('is used again until shortly before it expires, though D1 is down', async () => {
    const { ask, afterSeconds } = createIsolate()
    expect(await ask()).toEqual(granted(1))
    afterSeconds(3569)
    expect(await ask()).toEqual(granted(1))
    afterSeconds(3570)
    expect(await ask()).toEqual(granted(2))
  })

  test('of a short life is used for nine tenths of it', async () => {
    const { ask, afterSeconds } = createIsolate()
    server.expiresInSeconds = 60
    await ask()
    afterSeconds(53)
    expect(await ask()).toEqual(granted(1))
    afterSeconds(54)
    expect(await ask()).toEqual(granted(2))
  })

  test('is asked for once by a hundred deliveries at a time', async () => {
    const { ask } = createIsolate()
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()))
    expect(answers).toEqual(Array.from({ length: 100 }, () => granted(1)))
    expect(server.requests).toHaveLength(1)
  })

  test('of an older version of the subscription is not used', async () => {
    const { ask } = createIsolate()
    expect(await ask(null, 1)).toEqual(granted(1))
    expect(await ask(null, 2)).toEqual(granted(2))
    expect(await ask(null, 2)).toEqual(granted(2))
  })
})

describe('a refused token', () => {
  test('is renewed once for fifty deliveries it was refused to', async () => {
    const { ask } = createIsolate()
    await ask()
    const renewed = await Promise.all(Array.from({ length: 50 }, () => ask(headersWith(1))))
    expect(renewed).toEqual(Array.from({ length: 50 }, () => granted(2)))
    expect(await ask(headersWith(1))).toEqual(granted(2))
    expect(await ask()).toEqual(granted(2))
    expect(server.requests).toHaveLength(2)
  })

  test('is not renewed again and again when the renewed one is refused too', async () => {
    const { ask, afterSeconds } = createIsolate()
    await ask()
    await ask(headersWith(1))
    const again = await ask(headersWith(2))
    expect(again).toMatchObject({
      ok: false,
      retryable: true,
      message: expect.stringContaining('moments ago'),
    })
    expect(server.requests).toHaveLength(2)
    afterSeconds(5)
    expect(await ask(headersWith(2))).toEqual(granted(3))
  })

  test('that the endpoint gives again is not sent again', async () => {
    const { ask } = createIsolate()
    const body = { access_token: 'same', token_type: 'Bearer' }
    server.scripts.push({ body }, { body })
    expect(await ask()).toMatchObject({ ok: true })
    expect(await ask({ Authorization: 'Bearer same' })).toMatchObject({ ok: false })
    expect(await ask({ Authorization: 'Bearer same' })).toMatchObject({ ok: false })
    expect(server.requests).toHaveLength(2)
  })

  test('stays in use elsewhere while it cannot be renewed', async () => {
    const { ask } = createIsolate()
    await ask()
    server.scripts.push({ status: 500, body: '' })
    expect(await ask(headersWith(1))).toMatchObject({ ok: false })
    expect(await ask()).toEqual(granted(1))
  })
})

describe('a token endpoint that fails', () => {
  test('is left alone for 5 s, and asked again then', async () => {
    const { ask, afterSeconds } = createIsolate()
    server.scripts.push({ status: 503, body: '' })
    const first = await Promise.all([ask(), ask(), ask()])
    expect(first[0]).toMatchObject({ ok: false, retryable: true })
    expect([first[1], first[2]]).toEqual([first[0], first[0]])
    afterSeconds(4.999)
    expect(await ask()).toEqual(first[0])
    expect(server.requests).toHaveLength(1)
    afterSeconds(5)
    expect(await ask()).toEqual(granted(1))
  })

  test('is asked at once when the subscription has been changed', async () => {
    const { ask } = createIsolate()
    expect(await ask(null, 1, authOf({ clientSecret: 'wrong' }))).toMatchObject({ ok: false })
    expect(await ask(null, 2)).toEqual(granted(1))
  })
})

test('who waits for a request of an invocation that was cancelled gives up, and the next one asks anew', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { deps, ask, afterSeconds } = createIsolate()
  // As a cancelled invocation leaves it: under way for ever.
  deps.tokens.flights.set('7/1', { sinceMs: START_MS, answer: new Promise(() => undefined) })
  const joined = ask()
  await vi.advanceTimersByTimeAsync(12 * SECOND)
  expect(await joined).toMatchObject({ ok: false, message: expect.stringContaining('within 12 s') })
  afterSeconds(12)
  expect(await ask()).toEqual(granted(1))
})

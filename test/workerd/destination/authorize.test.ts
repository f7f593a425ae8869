import { env } from 'cloudflare:workers'
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { createVault } from '../../../src/base/secret/vault.ts'
import type { AuthorizeDeps } from '../../../src/destination/access-token.ts'
import { deleteAccessToken } from '../../../src/destination/access-tokens.sql.ts'
import type { DestinationAuth, OAuthClientAuth } from '../../../src/destination/auth.ts'
import { authorize } from '../../../src/destination/authorize.ts'
import { UNRESTRICTED } from '../../../src/destination/rules.ts'
import { openAuth, sealAuth } from '../../../src/destination/sealed.ts'
import { checkAuth } from '../../../src/destination/signed-jwt.ts'
import { TokenCache } from '../../../src/destination/token-cache.ts'

const START_MS = Date.UTC(2026, 10, 2, 12)
const KEY = btoa('0123456789abcdef0123456789abcdef')
const OTHER_KEY = btoa('fedcba9876543210fedcba9876543210')
const CLIENT: OAuthClientAuth = {
  type: 'oauth2',
  tokenUrl: 'https://auth.crm.com/token',
  clientId: 'crm-client',
  clientSecret: 'crm-client-secret',
}

/** A row of its own in D1, a token endpoint that numbers its tokens, and as many isolates as a test wants. */
async function createWorld() {
  const id = `webhook_${crypto.randomUUID()}`
  await env.DB.prepare(
    "INSERT INTO subscription (workspace_no, id, config, created_at_ms, updated_at_ms) VALUES (1, ?1, '{}', 0, 0)",
  )
    .bind(id)
    .run()
  const no = await env.DB.prepare('SELECT no FROM subscription WHERE id = ?1').bind(id).first<number>('no')
  const clock = { nowMs: START_MS }
  const requests: { url: string; headers: Headers; body: string }[] = []
  const endpoint = async (input: unknown, init?: RequestInit) => {
    const body = new TextDecoder().decode(init?.body as Uint8Array)
    requests.push({ url: String(input), headers: new Headers(init?.headers), body })
    return Response.json({ access_token: `issued-${requests.length}`, token_type: 'Bearer', expires_in: 600 })
  }
  const isolate = (changes: Partial<AuthorizeDeps> = {}) => {
    const deps: AuthorizeDeps = {
      db: env.DB,
      vault: createVault(KEY),
      fetch: endpoint as typeof fetch,
      now: () => clock.nowMs,
      destinations: { allowPrivate: false, ownHostnames: [] },
      userAgent: 'Posthorn/test',
      tokens: new TokenCache(),
      ...changes,
    }
    return (
      auth: DestinationAuth,
      options: { refused?: Record<string, string>; version?: number; id?: string } = {},
    ) => {
      const { refused, version = 1 } = options
      const owner = { workspaceId: 'acme', id: options.id ?? id }
      const target = { subscriptionNo: no ?? 0, owner, version, destinations: UNRESTRICTED, auth }
      return authorize(deps, target, refused ? { refresh: true, failed: refused } : { refresh: false })
    }
  }
  const row = () => env.DB.prepare('SELECT * FROM access_token WHERE subscription_no = ?1').bind(no).first()
  const change = (set: string) =>
    env.DB.prepare(`UPDATE subscription SET ${set} WHERE no = ?1`).bind(no).run()
  return { no: no ?? 0, id, clock, requests, isolate, row, change }
}

const granted = (n: number) => ({ ok: true, headers: { Authorization: `Bearer issued-${n}` } })
const refusedToken = (n: number) => ({ refused: { Authorization: `Bearer issued-${n}` } })

describe('credentials that are sent as they are', () => {
  test.each<[DestinationAuth, Record<string, string>]>([
    [
      { type: 'basic', username: 'Aladdin', password: 'open sesame' },
      { Authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' },
    ],
    [{ type: 'bearer', token: 'abc' }, { Authorization: 'Bearer abc' }],
    [{ type: 'apiKey', header: 'X-API-Key', value: 'k 1' }, { 'X-API-Key': 'k 1' }],
    [{ type: 'oauth2', token: 'OAUTH_TOKEN' }, { Authorization: 'Bearer OAUTH_TOKEN' }],
  ])('%j', async (auth, headers) => {
    const { isolate, requests } = await createWorld()
    const ask = isolate()
    expect(await ask(auth)).toEqual({ ok: true, headers })
    expect(await ask(auth, { refused: headers })).toMatchObject({ ok: false, retryable: true })
    expect(requests).toEqual([])
  })
})

describe('an access token in D1', () => {
  test('is shared by two isolates', async () => {
    const { isolate, requests } = await createWorld()
    expect(await isolate()(CLIENT)).toEqual(granted(1))
    expect(await isolate()(CLIENT)).toEqual(granted(1))
    expect(requests).toHaveLength(1)
    expect(requests[0]?.url).toBe(CLIENT.tokenUrl)
  })

  test('is sealed, for its own subscription only', async () => {
    const { isolate, row, requests } = await createWorld()
    await isolate()(CLIENT)
    const stored = JSON.stringify(await row())
    expect(stored).toContain('"token_cipher":"v3.')
    const plain = ['issued-1', btoa('issued-1'), CLIENT.clientSecret]
    expect(plain.filter((secret) => stored.includes(secret))).toEqual([])
    expect(await isolate()(CLIENT, { id: 'webhook_another' })).toEqual(granted(2))
    expect(requests).toHaveLength(2)
  })

  test('that cannot be opened is replaced', async () => {
    const { isolate, requests } = await createWorld()
    await isolate({ vault: createVault(OTHER_KEY) })(CLIENT)
    expect(await isolate()(CLIENT)).toEqual(granted(2))
    expect(await isolate()(CLIENT)).toEqual(granted(2))
    expect(requests).toHaveLength(2)
  })

  test('is not used shortly before it expires', async () => {
    const { isolate, clock } = await createWorld()
    await isolate()(CLIENT)
    clock.nowMs = START_MS + 569_999
    expect(await isolate()(CLIENT)).toEqual(granted(1))
    clock.nowMs = START_MS + 570_000
    expect(await isolate()(CLIENT)).toEqual(granted(2))
  })

  test('of an older version is not used, and gives way to that of the newer one', async () => {
    const { isolate, change, row } = await createWorld()
    await isolate()(CLIENT)
    await change('version = 2')
    expect(await isolate()(CLIENT, { version: 2 })).toEqual(granted(2))
    expect(await row()).toMatchObject({ version: 2, expires_at_ms: START_MS + 600_000 })
  })

  test('of a newer version is neither used nor replaced by who still knows the older one', async () => {
    const { isolate, change, row } = await createWorld()
    await change('version = 2')
    await isolate()(CLIENT, { version: 2 })
    const before = await row()
    expect(await isolate()(CLIENT, { version: 1 })).toEqual(granted(2))
    expect(await row()).toEqual(before)
  })

  test('is not left behind for a subscription that has been deleted', async () => {
    const { isolate, change, row, no } = await createWorld()
    await isolate()(CLIENT)
    await change('deleted_at_ms = 1')
    await deleteAccessToken(env.DB, no).run()
    await isolate()(CLIENT)
    expect(await row()).toBe(null)
  })

  test('that was refused is renewed once, whichever isolate it was refused to', async () => {
    const { isolate, requests, clock } = await createWorld()
    const [one, other] = [isolate(), isolate()]
    await one(CLIENT)
    await other(CLIENT)
    clock.nowMs += 1000
    expect(await one(CLIENT, refusedToken(1))).toEqual(granted(2))
    expect(await other(CLIENT, refusedToken(1))).toEqual(granted(2))
    expect(await other(CLIENT)).toEqual(granted(2))
    expect(requests).toHaveLength(2)
  })

  test('that is older than the refused one does not take its place', async () => {
    const { isolate, clock, change } = await createWorld()
    const one = isolate()
    await one(CLIENT)
    // The second token is not written, as when D1 fails just then.
    await change('version = 9')
    clock.nowMs += 1000
    expect(await one(CLIENT, refusedToken(1))).toEqual(granted(2))
    clock.nowMs += 10_000
    expect(await one(CLIENT, refusedToken(2))).toEqual(granted(3))
  })
})

describe('a signed JWT', () => {
  const auth = { type: 'jwt', algorithm: 'HS256', key: 'a-secret-both-know', audience: 'crm' } as const

  test('is used again for a tenth of its life, and not after a change', async () => {
    const { isolate, clock } = await createWorld()
    const ask = isolate()
    const first = await ask(auth)
    clock.nowMs = START_MS + 29_999
    expect(await ask(auth)).toEqual(first)
    clock.nowMs = START_MS + 30_000
    const second = await ask(auth)
    expect(second).not.toEqual(first)
    expect(await ask({ ...auth, audience: 'other' }, { version: 2 })).not.toEqual(second)
  })

  test('goes without "Bearer" into a header of its own', async () => {
    const { isolate } = await createWorld()
    const answer = await isolate()({ ...auth, header: 'X-Token' })
    const token = answer.ok ? (answer.headers['X-Token'] ?? '') : ''
    const options = { currentDate: new Date(START_MS) }
    const { payload } = await jwtVerify(token, new TextEncoder().encode(auth.key), options)
    expect(payload.aud).toBe('crm')
  })

  test.each(['RS256', 'ES256', 'EdDSA'] as const)('is made by workerd with %s', async (algorithm) => {
    const { isolate } = await createWorld()
    const pair = await generateKeyPair(algorithm, { extractable: true })
    const signer = { type: 'jwt', algorithm, key: await exportPKCS8(pair.privateKey) } as const
    expect(await checkAuth(signer)).toEqual([])
    const answer = await isolate()(signer)
    const token = answer.ok ? (answer.headers['Authorization'] ?? '') : ''
    const options = { currentDate: new Date(START_MS), algorithms: [algorithm] }
    const { payload } = await jwtVerify(token.replace(/^Bearer /, ''), pair.publicKey, options)
    expect(payload.exp).toBe(START_MS / 1000 + 300)
  })

  test('is not made with a key that workerd refuses, and the reason repeats nothing of it', async () => {
    const { isolate } = await createWorld()
    const broken = { type: 'jwt', algorithm: 'RS256', key: 'not-a-private-key' } as const
    expect(await checkAuth(broken)).toMatchObject([{ path: 'auth.key' }])
    const answer = await isolate()(broken)
    expect(answer).toMatchObject({ ok: false, retryable: true })
    expect(JSON.stringify(answer)).not.toContain(broken.key)
  })
})

test('a sealed auth opens for its owner only', async () => {
  const vault = createVault(KEY)
  const owner = { workspaceId: 'acme', id: 'webhook_a' }
  const sealed = await sealAuth(vault, owner, CLIENT)
  expect(sealed).not.toContain(CLIENT.clientSecret)
  expect(await openAuth(vault, owner, sealed)).toEqual(CLIENT)
  await expect(openAuth(vault, { ...owner, id: 'webhook_b' }, sealed)).rejects.toThrow()
})

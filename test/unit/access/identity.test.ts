import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { callerOfToken, type IdentitySettings } from '../../../src/access/identity.ts'
import { KeySet } from '../../../src/access/key-set.ts'

const ISSUER = 'https://login.example.com/'
const AUDIENCE = 'posthorn'
const SETTINGS: IdentitySettings = {
  issuer: ISSUER,
  audience: AUDIENCE,
  keySetUrl: 'https://login.example.com/jwks.json',
  workspaceClaim: 'workspace',
  scopeClaim: 'scope',
}
const CLAIMS = { workspace: 'acme', scope: 'openid events:read webhooks:read' }

type Pair = { kid: string; alg: string; privateKey: CryptoKey; publicKey: CryptoKey; jwk: JWK }

async function pairOf(alg: string, kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

let [rsa, ec, next]: [Pair, Pair, Pair] = [] as never
beforeAll(async () => {
  ;[rsa, ec, next] = [
    await pairOf('RS256', 'rsa'),
    await pairOf('ES256', 'ec'),
    await pairOf('ES256', 'next'),
  ]
})

/** A relay's view of a provider, whose answers and time the test moves by hand. */
class Provider {
  nowMs = Date.UTC(2026, 10, 2, 12)
  asked = 0
  answer: (signal: AbortSignal) => Promise<Response> | Response
  readonly #keySet: KeySet

  constructor(keys: readonly JWK[] = [rsa.jwk, ec.jwk]) {
    this.answer = () => Response.json({ keys })
    const fetch = async (_url: unknown, init?: RequestInit) => {
      this.asked++
      return await this.answer(init?.signal as AbortSignal)
    }
    const { keySetUrl: url } = SETTINGS
    this.#keySet = new KeySet({ url, fetch, now: () => this.nowMs, userAgent: 'test' })
  }

  async caller(token: string, settings: Partial<IdentitySettings> = {}) {
    const deps = { keySet: this.#keySet, now: () => this.nowMs, background: () => undefined }
    return await callerOfToken({ ...deps, settings: { ...SETTINGS, ...settings } }, token, null)
  }

  async token(pair: Pair, claims: Record<string, unknown> = {}, header: object = {}): Promise<string> {
    const payload = {
      ...CLAIMS,
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'ann',
      exp: this.nowMs / 1000 + 300,
      ...claims,
    }
    const { alg, kid } = pair
    return await new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(pair.privateKey)
  }
}

function base64Json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

describe('a token of the identity provider', () => {
  test.each([
    ['RS256', () => rsa],
    ['ES256', () => ec],
  ])('signed with %s is its subject, in the workspace and with the scopes of its claims', async (_, pair) => {
    const provider = new Provider()
    expect(await provider.caller(await provider.token(pair()))).toEqual({
      kind: 'identity',
      workspaceId: 'acme',
      scopes: new Set(['events:read', 'webhooks:read']),
      actor: 'identity:ann',
      address: null,
      subject: 'ann',
      expiresAtMs: provider.nowMs + 330_000,
    })
  })

  test.each([
    ['a list', ['events:read', 'events:publish'], ['events:read', 'events:publish']],
    ['the name of a role', 'publisher', ['events:publish']],
    ['names of other programs', 'openid profile email', []],
    ['names of what every object has', 'constructor toString __proto__', []],
    ['nothing', undefined, []],
    ['a number', 7, []],
    ['a list of other things', [7, null, { a: 1 }], []],
  ])('may have %s for its scopes', async (_, scope, expected) => {
    const provider = new Provider()
    const caller = await provider.caller(await provider.token(rsa, { scope }))
    expect(caller).toMatchObject({ scopes: new Set(expected) })
  })

  test.each([
    ['https://example.com/workspace', { 'https://example.com/workspace': 'acme' }],
    ['app.workspace', { app: { workspace: 'acme' } }],
    ['org_id', { org_id: 'acme' }],
  ])('may name its workspace under %s', async (workspaceClaim, claims) => {
    const provider = new Provider()
    const token = await provider.token(rsa, { workspace: 'other', ...claims })
    expect(await provider.caller(token, { workspaceClaim })).toMatchObject({ workspaceId: 'acme' })
  })
})

describe('a token is refused', () => {
  test.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://login.example.org/' }],
    ['without issuer', { iss: undefined }],
    ['for another audience', { aud: 'another' }],
    ['without audience', { aud: undefined }],
    ['that has expired', { exp: Date.UTC(2026, 10, 2, 11, 59) / 1000 }],
    ['that never expires', { exp: undefined }],
    ['that is not valid yet', { nbf: Date.UTC(2026, 10, 2, 12, 5) / 1000 }],
    ['without subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
    ['without workspace', { workspace: undefined }],
    ['with a workspace that is no name', { workspace: '../acme' }],
    ['with a list of workspaces', { workspace: ['acme'] }],
  ])('%s', async (_, claims) => {
    const provider = new Provider()
    expect(await provider.caller(await provider.token(rsa, claims))).toBeNull()
  })

  test('whose algorithm is none', async () => {
    const provider = new Provider()
    const [, payload] = (await provider.token(rsa)).split('.')
    for (const alg of ['none', 'None', 'NONE', '']) {
      for (const signature of ['', 'AAAA']) {
        const token = `${base64Json({ alg, kid: 'rsa' })}.${payload}.${signature}`
        expect(await provider.caller(token)).toBeNull()
      }
    }
  })

  test('that is signed with the public key as if it were a shared secret', async () => {
    const provider = new Provider()
    const payload = { ...CLAIMS, iss: ISSUER, aud: AUDIENCE, sub: 'ann', exp: provider.nowMs / 1000 + 300 }
    const secrets = [await exportSPKI(rsa.publicKey), JSON.stringify(rsa.jwk), String(rsa.jwk.n)]
    for (const secret of secrets) {
      const sign = new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
      expect(await provider.caller(await sign.sign(new TextEncoder().encode(secret)))).toBeNull()
    }
  })

  test('that brings its own key along', async () => {
    const provider = new Provider()
    const own = await pairOf('ES256', 'ec')
    const { jwk } = own
    for (const header of [
      { jwk },
      { jku: 'https://evil.example.com' },
      { x5u: 'https://evil.example.com' },
    ]) {
      expect(await provider.caller(await provider.token(own, {}, header))).toBeNull()
    }
  })

  test('of a key that the provider does not have', async () => {
    const provider = new Provider()
    expect(await provider.caller(await provider.token(next))).toBeNull()
  })

  test('of a symmetric key in the key set', async () => {
    const k = Buffer.from('a shared secret that is not one').toString('base64url')
    const provider = new Provider([rsa.jwk, { kty: 'oct', k, kid: 'oct', alg: 'HS256' }])
    const payload = { ...CLAIMS, iss: ISSUER, aud: AUDIENCE, sub: 'ann', exp: provider.nowMs / 1000 + 300 }
    const sign = new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid: 'oct' })
    expect(await provider.caller(await sign.sign(Buffer.from(k, 'base64url')))).toBeNull()
  })

  test('that is bent anywhere', async () => {
    const provider = new Provider()
    const token = await provider.token(ec)
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A'
      const bent = token.slice(0, at) + other + token.slice(at + 1)
      const caller = await provider.caller(bent)
      // The last letter of the signature has bits that stand for nothing.
      if (at < token.length - 1) expect(caller, `letter ${at}`).toBeNull()
    }
  })
})

/** Ways in which a provider fails. */
const FAULTS: [string, Provider['answer']][] = [
  ['answers 500', () => new Response('', { status: 500 })],
  ['answers a redirect', () => Response.redirect('https://evil.example.com')],
  ['answers no JSON', () => new Response('<html>')],
  ['answers another JSON', () => Response.json([1])],
  ['answers no keys', () => Response.json({ keys: [] })],
  [
    'answers keys that are none',
    () => Response.json({ keys: [null, 7, 'a', {}, { kty: 'oct', k: 'AAAA' }] }),
  ],
  ['answers without end', () => new Response(endless())],
  ['breaks off', () => Promise.reject(new TypeError('Network connection lost.'))],
  [
    'hangs',
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  ],
]

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)) })
}

describe('a provider that', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  const settled = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false
    const watched = work.finally(() => {
      isDone = true
    })
    while (!isDone) await vi.advanceTimersByTimeAsync(100)
    return await watched
  }

  test.each(FAULTS)('%s: keys that are known go on working', async (_, answer) => {
    const provider = new Provider()
    await settled(provider.caller(await provider.token(ec)))
    provider.answer = answer
    for (let minutes = 0; minutes < 120; minutes += 20) {
      provider.nowMs += 20 * 60_000
      const caller = await settled(provider.caller(await provider.token(ec)))
      expect(caller).toMatchObject({ subject: 'ann' })
    }
    expect(provider.asked).toBeGreaterThan(1)
    const unknown = await settled(provider.caller(await provider.token(next)))
    expect(unknown).toBeNull()
  })

  test.each(FAULTS)('%s: without any key nothing is said of a token, in bounded time', async (_, answer) => {
    const provider = new Provider()
    provider.answer = answer
    const token = await provider.token(ec)
    expect(await settled(provider.caller(token))).toBe('unavailable')
    provider.answer = () => Response.json({ keys: [ec.jwk] })
    provider.nowMs += 31_000
    expect(await settled(provider.caller(await provider.token(ec)))).toMatchObject({ subject: 'ann' })
  })
})

describe('the provider is asked', () => {
  test('once for many tokens', async () => {
    const provider = new Provider()
    const token = await provider.token(ec)
    await Promise.all(Array.from({ length: 20 }, () => provider.caller(token)))
    await provider.caller(token)
    expect(provider.asked).toBe(1)
  })

  test('for a key that it has got since', async () => {
    const provider = new Provider()
    await provider.caller(await provider.token(ec))
    provider.answer = () => Response.json({ keys: [next.jwk] })
    provider.nowMs += 31_000
    expect(await provider.caller(await provider.token(next))).toMatchObject({ subject: 'ann' })
    expect(await provider.caller(await provider.token(ec))).toBeNull()
  })

  test('at most every 30 seconds, whatever key ids tokens make up', async () => {
    const provider = new Provider()
    await provider.caller(await provider.token(ec))
    for (let n = 0; n < 50; n++) {
      const made = { ...next, kid: `made-up-${n}` }
      expect(await provider.caller(await provider.token(made))).toBeNull()
    }
    expect(provider.asked).toBe(1)
    provider.nowMs += 31_000
    await provider.caller(await provider.token({ ...next, kid: 'made-up' }))
    expect(provider.asked).toBe(2)
  })

  test('not at all for what is no token of it', async () => {
    const provider = new Provider()
    const token = `${base64Json({ alg: 'none' })}.${base64Json({})}.`
    expect(await provider.caller(token)).toBeNull()
    expect(provider.asked).toBe(0)
  })
})

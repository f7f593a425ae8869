import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { relayOf } from '../../../src/relay.ts'
import { appOf, Client, expectRefusal } from '../../support/process/http-client.ts'
import { IdentityProvider } from '../../support/process/identity-provider.ts'

let provider: IdentityProvider
beforeAll(async () => {
  provider = await IdentityProvider.start()
})

async function person(scope: string, claims: Record<string, unknown> = {}): Promise<Client> {
  const { workspace } = new Client()
  return new Client(workspace, {
    key: await provider.token(workspace, scope, claims),
    target: provider.target,
  })
}

describe('a person with a token of the identity provider', () => {
  test('acts in the workspace of the token, named or not', async () => {
    const ann = await person('developer')
    expect((await ann.post('/events', { event: 'a', data: {} })).status).toBe(202)
    const { data } = await ann.get<unknown[]>('/events', { headers: { 'X-Company-Id': null } })
    expect(data).toHaveLength(1)
    expectRefusal(await ann.get('/events', { headers: { 'X-Company-Id': 'other' } }), 403, 'forbidden')
  })

  test('is told who they are', async () => {
    const ann = await person('openid viewer')
    expect((await ann.get('/session')).data).toMatchObject({
      kind: 'identity',
      actor: 'identity:ann',
      workspaceId: ann.workspace,
      key: null,
      expiresAt: expect.any(String),
    })
  })

  test('makes keys that last longer than the token, with no scope that they lack', async () => {
    const ann = await person('events:publish workspace:admin')
    const made = await ann.post('/keys', { name: 'a', role: 'publisher' })
    expect(made.data).toMatchObject({ createdBy: 'identity:ann', expiresAt: null })
    expectRefusal(await ann.post('/keys', { name: 'a', role: 'viewer' }), 403, 'forbidden')
  })

  test('is refused with the message of any wrong key once the token has expired', async () => {
    const late = await person('developer', { exp: Math.floor(Date.now() / 1000) - 60 })
    for (const answer of [await late.get('/events'), await late.post('/events', { event: 'a', data: {} })]) {
      expectRefusal(answer, 401, 'unauthorized')
      expect(answer.error.message).toBe('This key is not valid.')
    }
  })
})

test('while the identity provider gives no key at all a token is answered 503, and everyone else as ever', async () => {
  const EGRESS = { fetch: async () => new Response('', { status: 500 }) }
  const jwt = {
    JWT_ISSUER: 'https://login.example.com/',
    JWT_AUDIENCE: 'posthorn',
    JWT_JWKS_URL: 'https://login.example.com/jwks.json',
  }
  const target = appOf(relayOf, { ...env, ...jwt, EGRESS })
  const { workspace } = new Client()
  const ann = new Client(workspace, { key: await provider.token(workspace, 'developer'), target })
  const answer = await ann.get('/events')
  expectRefusal(answer, 503, 'unavailable')
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  expect((await new Client(workspace, { target }).get('/events')).status).toBe(200)
})

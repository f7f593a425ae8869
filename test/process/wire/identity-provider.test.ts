import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isFullCount } from '../../support/full-count.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Answering, JwksServer } from '../support/jwks-server.ts'

/** A relay asks its provider again no sooner than this, with some time for the clock. */
const ASKED_AGAIN_MS = 31_000

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-identity-'))
let provider: JwksServer
let relay: RelayProcess

beforeAll(async () => {
  provider = await JwksServer.start(['first', 'second'])
  relay = await RelayProcess.start({
    stateDir,
    env: {
      JWT_ISSUER: provider.issuer,
      JWT_AUDIENCE: 'posthorn',
      JWT_JWKS_URL: provider.url,
      JWT_WORKSPACE_CLAIM: 'app.tenant',
      JWT_SCOPE_CLAIM: 'roles',
    },
  })
})

afterAll(async () => {
  await relay?.kill9()
  await provider?.close()
  rmSync(stateDir, { recursive: true, force: true })
})

const claims = { app: { tenant: 'acme' }, roles: ['viewer', 'offline_access'] }

async function session(token: string): Promise<{ status: number; data: unknown; ms: number }> {
  const startedAtMs = Date.now()
  const response = await fetch(`${relay.url}/api/v1/session`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  const { data } = (await response.json()) as { data: unknown }
  return { status: response.status, data, ms: Date.now() - startedAtMs }
}

it('`npm start` takes the tokens of the identity provider that the shell names, by its claims', async () => {
  const { status, data } = await session(await provider.token('first', claims))
  expect(status).toBe(200)
  expect(data).toMatchObject({
    kind: 'identity',
    workspaceId: 'acme',
    scopes: ['events:read', 'webhooks:read', 'deliveries:read', 'sources:read', 'workspace:read'],
  })
  expect((await session(await provider.token('second', claims))).status).toBe(200)
  for (const wrong of [{ aud: 'another' }, { iss: 'https://evil.example.com' }, { exp: 1 }])
    expect((await session(await provider.token('first', { ...claims, ...wrong }))).status).toBe(401)
  expect((await session(await provider.token('first', {}))).status).toBe(401)
  expect(provider.asked).toBe(1)
})

/** Every way of an answer that is no key set; the first is one in which nothing comes at all. */
const NONSENSE: Answering[] = ['hang', 'half', 'html', 'empty', 'error', 'redirect', 'endless']

it.each(isFullCount ? NONSENSE : NONSENSE.slice(0, 1))(
  'keys that are known go on working while the provider answers "%s", and others are refused in time',
  async (answering) => {
    provider.answering = answering
    const asked = provider.asked
    if (isFullCount) await sleep(ASKED_AGAIN_MS)
    const unknown = await provider.token('unpublished', claims)
    const [of, ...known] = await Promise.all([
      session(unknown),
      ...['first', 'second', 'first'].map(async (kid) => session(await provider.token(kid, claims))),
    ])
    expect(known.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(Math.max(...known.map(({ ms }) => ms))).toBeLessThan(2_000)
    expect([of.status, of.ms < 6_000]).toEqual([401, true])
    if (isFullCount) expect(provider.asked).toBe(asked + 1)
  },
  60_000,
)

if (isFullCount)
  it('takes a key that the provider has added once it answers again', async () => {
    provider.answering = 'keys'
    await provider.add('third')
    await sleep(ASKED_AGAIN_MS)
    expect((await session(await provider.token('third', claims))).status).toBe(200)
  }, 60_000)

import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { createVault } from '../../../src/base/secret/vault.ts'
import { provenRelayOf } from '../../../src/relay.ts'
import { appOf, Client } from '../process/http-client.ts'
import { textsAtRest } from '../rig/at-rest.ts'
import { type Around, watchD1 } from '../rig/d1-watch.ts'

export const NEW_KEY = btoa('fedcba9876543210fedcba9876543210')
export const OLD_KEY = env.KEY_ENCRYPTION_KEY
export const WORKSPACE = 'acme'

export type Rotation = {
  state: string
  keyId: string
  previousKeyId: string | null
  previousKeyMayGo: boolean
  walk: number
  percent: number
  resealed: number
  unreadableCount: number
  unreadable: { workspaceId: string; id: string; field: string }[]
}

/** An isolate with these keys, and a database that may fail or be slow. */
export function isolate(keys: { key: string; previous?: string }, around?: Around): Client {
  const { KEY_ENCRYPTION_KEY: _, ...others } = env as unknown as Record<string, unknown>
  const bindings = {
    ...others,
    KEY_ENCRYPTION_KEY: keys.key,
    ...(keys.previous !== undefined && { KEY_ENCRYPTION_KEY_PREVIOUS: keys.previous }),
    ...(around !== undefined && { DB: watchD1(env.DB, around) }),
  }
  return new Client(WORKSPACE, { target: appOf(provenRelayOf, bindings) })
}

export const withOld = (around?: Around) => isolate({ key: OLD_KEY }, around)
export const withBoth = (around?: Around) => isolate({ key: NEW_KEY, previous: OLD_KEY }, around)
export const withNew = () => isolate({ key: NEW_KEY })

/** Calls until the rotation is completed. */
export async function rotate(client: Client): Promise<Rotation[]> {
  const steps: Rotation[] = []
  while (steps.at(-1)?.state !== 'completed') {
    const answer = await client.post<Rotation>('/key-rotation')
    expect(answer.status, answer.text).toBe(200)
    steps.push(answer.data)
    if (steps.length > 100) throw new Error('the rotation never ends')
  }
  return steps
}

/** Subscriptions with everything that is sealed, of two workspaces, and a kept answer. */
export async function fill(client: Client) {
  const auth = { type: 'bearer', token: 'the-token-of-acme' }
  const everything = { auth, headers: { 'X-Api-Key': 'the-api-key-of-acme' }, asymmetric: true }
  const rich = await client.subscribe({ ...everything, secret: 'the-first-secret-of-acme' })
  await client.post(`/webhooks/${rich.id}/rotate-secret`, { secret: 'the-second-secret-of-acme' })
  const plain = await client.subscribe({ secret: 'the-plain-secret-of-acme' })
  const key = { headers: { 'Idempotency-Key': 'once' } }
  const kept = await client.post('/webhooks/subscribe', { url: 'https://a.example.com/', events: ['*'] }, key)
  expect(kept.status, kept.text).toBe(201)
  await keepToken(rich.id)
  return { rich, plain, keptText: kept.text }
}

async function keepToken(id: string): Promise<void> {
  const owner = { workspaceId: WORKSPACE, id }
  const sealed = await createVault(OLD_KEY).seal('{"token":"of-acme"}', owner, 'access_token')
  await env.DB.prepare(
    'INSERT INTO access_token (subscription_no, version, token_cipher, expires_at_ms) SELECT no, version, ?2, 0 FROM subscription WHERE id = ?1',
  )
    .bind(id, sealed)
    .run()
}

/** Everything that `fill` has made is read as it was. */
export async function expectOpens(
  client: Client,
  { rich, plain, keptText }: Awaited<ReturnType<typeof fill>>,
) {
  const secretOf = async (id: string) =>
    (await client.get<{ secret: string }>(`/webhooks/${id}/secret`)).data.secret
  expect(await secretOf(rich.id)).toBe('the-second-secret-of-acme')
  expect(await secretOf(plain.id)).toBe('the-plain-secret-of-acme')
  const shown = await client.get(`/webhooks/${rich.id}`)
  expect(shown.data).toMatchObject({ auth: { type: 'bearer' }, headers: { 'X-Api-Key': '********' } })
  expect(shown.data['publicKeys']).toHaveLength(2)
  const key = { headers: { 'Idempotency-Key': 'once' } }
  const again = await client.post(
    '/webhooks/subscribe',
    { url: 'https://a.example.com/', events: ['*'] },
    key,
  )
  expect(again.text).toBe(keptText)
}

/** The ids of all keys that something at rest is sealed under. */
export async function keysAtRest(): Promise<string[]> {
  const found = (await textsAtRest()).matchAll(/"(v[12]|v3\.[0-9a-f]{8})\.[A-Za-z0-9+/=.]{20,}"/g)
  return [...new Set([...found].map(([, key = '']) => key))].sort()
}

/** The beginning of what a key seals. */
export const idOf = async (key: string) => `v3.${(await createVault(key).keyIds()).current}`

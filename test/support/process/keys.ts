import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { type Answer, Client, type Target } from './http-client.ts'

/** A key as the API shows it once. */
export type ShownKey = {
  id: string
  key: string
  name: string
  role: string | null
  scopes: string[]
  allowedIps: string[] | null
  expiresAt: string | null
  previousValidUntil: string | null
  createdBy: string
  lastUsedAt: string | null
} & Record<string, unknown>

/** Makes a key; fails the test when it is refused. */
export async function makeKey(client: Client, settings: Record<string, unknown>): Promise<ShownKey> {
  const answer = await client.post<ShownKey>('/keys', { name: 'a key', ...settings })
  expect(answer.status, answer.text).toBe(201)
  return answer.data
}

/** A client of the same workspace that calls with a key of its own. */
export async function clientWith(
  client: Client,
  settings: Record<string, unknown>,
  options: { target?: Target } = {},
): Promise<Client & { shown: ShownKey }> {
  const shown = await makeKey(client, settings)
  return Object.assign(new Client(client.workspace, { key: shown.key, ...options }), { shown })
}

/** Moves the expiry of a key into the past, where no call can put it. */
export async function expire({ id }: Pick<ShownKey, 'id'>): Promise<void> {
  const bump =
    'UPDATE workspace SET config_version = config_version + 1 WHERE no = (SELECT workspace_no FROM api_key WHERE id = ?1)'
  await env.DB.batch([
    env.DB.prepare('UPDATE api_key SET expires_at_ms = 1 WHERE id = ?1').bind(id),
    env.DB.prepare(bump).bind(id),
  ])
}

/** The body of a refusal but for the id of its request. */
export function withoutRequestId({ text }: Answer): unknown {
  const { error, ...rest } = JSON.parse(text) as { error: { requestId: string } }
  return { ...rest, error: { ...error, requestId: '' } }
}

import { expect } from 'vitest'
import { Client, type Target } from './http-client.ts'

/** A portal token as the API shows it once. */
export type ShownPortalToken = { id: string; token: string; url: string; scopes: string[]; expiresAt: string }

/** All scopes that a token which is bound to subscriptions may have. */
export const BOUND_SCOPES = [
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'webhooks:secret',
  'deliveries:read',
  'deliveries:retry',
]

/** Makes a portal token; fails the test when it is refused. */
export async function makePortalToken(client: Client, settings: object = {}): Promise<ShownPortalToken> {
  const answer = await client.post<ShownPortalToken>('/portal-tokens', settings)
  expect(answer.status, answer.text).toBe(201)
  return answer.data
}

/** A client of the same workspace that calls with a portal token. */
export async function portalClient(
  client: Client,
  settings: object = {},
  options: { target?: Target } = {},
): Promise<Client & { shown: ShownPortalToken }> {
  const shown = await makePortalToken(client, settings)
  return Object.assign(new Client(client.workspace, { key: shown.token, ...options }), { shown })
}

/** A client that is bound to the subscriptions of one customer. */
export async function customerClient(
  client: Client,
  customerId: string,
  options: { scopes?: readonly string[]; target?: Target } = {},
): Promise<Client & { shown: ShownPortalToken }> {
  const { scopes = BOUND_SCOPES, ...rest } = options
  return await portalClient(client, { scopes, webhooks: { metadata: { customerId } } }, rest)
}

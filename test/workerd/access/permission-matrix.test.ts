import { beforeAll, describe, expect, test } from 'vitest'
import { makeApiKey } from '../../../src/access/api-key.ts'
import type { BoundService } from '../../../src/access/binding.ts'
import {
  ROLE_NAMES,
  ROLES,
  type Role,
  type RouteScope,
  SCOPES,
  type Scope,
} from '../../../src/access/scopes.ts'
import { routes } from '../../../src/api/v1/routes.ts'
import { Client } from '../../support/process/http-client.ts'
import { IdentityProvider } from '../../support/process/identity-provider.ts'
import { expire, makeKey } from '../../support/process/keys.ts'
import { BOUND_SCOPES, makePortalToken, portalClient } from '../../support/process/portal.ts'

/** What each call asks for. A new route has to be put here, which is when its scope is thought about twice. */
const CALLS: Record<RouteScope, string> = {
  any: 'getSession verifyRequest',
  operator: 'getRelayStatus getKeyRotation rotateKeys listWorkspaces createWorkspace deleteWorkspace',
  'events:publish': 'publishEvents cancelEvent',
  'events:read': 'listEvents getEvent listArchives downloadArchive',
  'webhooks:read':
    'listSubscriptions getSubscription previewDraft previewSubscription listEventTypes getEventType',
  'webhooks:write':
    'createSubscription createWebhook updateSubscription patchSubscription deleteSubscription enableSubscription disableSubscription verifySubscription dispatchEvent openListener renewListener endListener',
  'webhooks:secret': 'getSecret rotateSecret',
  'deliveries:read':
    'listLog getStatistics getWorkspaceStatistics listDeliveries getDelivery getAttempt streamDeliveries listEventDeliveries listReplays getReplay',
  'deliveries:retry':
    'retryDelivery testSubscription checkReceiver flushSubscription pauseSubscription resumeSubscription replaySubscription replayEvent replayDelivery cancelReplay',
  'event-types:write': 'importEventTypes putEventType deleteEventType',
  'sources:read': '',
  'sources:write': '',
  'workspace:read': 'getWorkspace getStatus',
  'workspace:admin':
    'updateWorkspace eraseEvent restoreArchive listKeys createKey getKey updateKey deleteKey rotateKey createPortalToken deletePortalTokens listAuditLog verifyAuditLog getAuditEntry',
}

test('every route asks for the scope that is written here', () => {
  const asked = routes.map(({ definition }) => `${definition.scope} ${definition.operationId}`)
  const written = Object.entries(CALLS).flatMap(([scope, calls]) =>
    calls.split(' ').flatMap((call) => (call === '' ? [] : [`${scope} ${call}`])),
  )
  expect(asked.sort()).toEqual(written.sort())
})

type Call = { name: string; method: string; path: string; scope: RouteScope; forBound: BoundService }

/** Ends what some of the callers here call with, and so comes last. */
const isLast = ({ name }: Call) => name === 'delete /portal-tokens'

/** Every call of the API and the metrics, by a path whose ids nothing has. */
const calls: Call[] = [
  ...routes.map(({ definition: { method, path, scope, forBound } }) => ({
    name: `${method} ${path}`,
    method: method.toUpperCase(),
    path: path.replaceAll(/\{\w+\}/g, 'x'),
    scope,
    forBound,
  })),
  { name: 'get /metrics', method: 'GET', path: '/metrics', scope: 'operator', forBound: 'refused' } as const,
].toSorted((a, b) => Number(isLast(a)) - Number(isLast(b)))

/** What a caller was answered by every call: refused for the credential, for the right, or let through. */
async function answersTo(
  client: Client,
  headers: Record<string, string | null> = {},
): Promise<Record<string, string>> {
  const answers: Record<string, string> = {}
  for (const { name, method, path } of calls) {
    const call = method === 'GET' || method === 'DELETE' ? { headers } : { json: {}, headers }
    const { status, text } = await client.call(method, path, call)
    expect(status, `${name}: ${text}`).toBeLessThan(500)
    answers[name] = status === 401 ? 'unknown' : status === 403 ? 'forbidden' : 'let through'
  }
  return answers
}

function allAre(answer: string): Record<string, string> {
  return Object.fromEntries(calls.map(({ name }) => [name, answer]))
}

/** What those with some scopes are to be answered. */
function expectedFor(scopes: readonly Scope[]): Record<string, string> {
  const may = (scope: RouteScope) => scope === 'any' || (scopes as readonly RouteScope[]).includes(scope)
  return Object.fromEntries(calls.map(({ name, scope }) => [name, may(scope) ? 'let through' : 'forbidden']))
}

const owner = new Client()
let provider: IdentityProvider
beforeAll(async () => {
  provider = await IdentityProvider.start()
})

const clientOf = (key: string) => new Client(owner.workspace, { key })
const identified = async (scope: string, claims: Record<string, unknown> = {}) => {
  const key = await provider.token(owner.workspace, scope, claims)
  return new Client(owner.workspace, { key, target: provider.target })
}

test('the operator may make every call', async () => {
  expect(await answersTo(owner)).toEqual(allAre('let through'))
})

describe('no call is made', () => {
  test('without a key', async () => {
    expect(await answersTo(owner, { Authorization: null })).toEqual(allAre('unknown'))
  })

  test.each<[string, () => Promise<Client>]>([
    ['another text', async () => clientOf('something_else')],
    ['a key that does not exist', async () => clientOf(makeApiKey().text)],
    ['a key with another secret', async () => clientOf(makeApiKey({ id: (await admin()).id }).text)],
    [
      'an expired key',
      async () => {
        const key = await admin()
        await expire(key)
        return clientOf(key.key)
      },
    ],
    [
      'a revoked key',
      async () => {
        const key = await admin()
        await owner.call('DELETE', `/keys/${key.id}`)
        return clientOf(key.key)
      },
    ],
    [
      'a portal token that is bent in one bit',
      async () => {
        const { token } = await makePortalToken(owner, { scopes: SCOPES })
        return clientOf(`${token.slice(0, 9)}${token.charAt(9) === 'A' ? 'B' : 'A'}${token.slice(10)}`)
      },
    ],
    [
      'a portal token that was ended',
      async () => {
        const client = await portalClient(owner, { scopes: SCOPES })
        await owner.call('DELETE', '/portal-tokens')
        return client
      },
    ],
    ['an expired token', async () => await identified(SCOPES.join(' '), { exp: 1 })],
    ['a token of another issuer', async () => await identified(SCOPES.join(' '), { iss: 'https://evil' })],
    [
      'a token where none are taken',
      async () => clientOf(await provider.token(owner.workspace, SCOPES.join(' '))),
    ],
  ])('with %s', async (_, client) => {
    expect(await answersTo(await client())).toEqual(allAre('unknown'))
  })

  async function admin() {
    return await makeKey(owner, { role: 'integration-administrator' })
  }

  test('in another workspace', async () => {
    const headers = { 'X-Company-Id': 'another' }
    const { key } = await admin()
    expect(await answersTo(clientOf(key), headers)).toEqual(allAre('forbidden'))
    expect(await answersTo(await identified(SCOPES.join(' ')), headers)).toEqual(allAre('forbidden'))
    const holder = await portalClient(owner, { scopes: SCOPES })
    expect(await answersTo(holder, headers)).toEqual(allAre('forbidden'))
  })

  test('from another address', async () => {
    const { key } = await makeKey(owner, {
      role: 'integration-administrator',
      allowedIps: ['192.0.2.0/24'],
    })
    const headers = { 'CF-Connecting-IP': '198.51.100.1' }
    expect(await answersTo(clientOf(key), headers)).toEqual(allAre('forbidden'))
  })
})

describe.each<[string, (grant: Record<string, unknown>, scope: string) => Promise<Client>]>([
  ['a key', async (grant) => clientOf((await makeKey(owner, grant)).key)],
  ['an identity token', async (_, scope) => await identified(scope)],
  ['a portal token', async (grant) => await portalClient(owner, { scopes: scopesOf(grant) })],
])('%s', (_, client) => {
  test.each(SCOPES)('with the scope %s makes the calls that ask for it, and no other', async (scope) => {
    expect(await answersTo(await client({ scopes: [scope] }, scope))).toEqual(expectedFor([scope]))
  })

  test.each(ROLE_NAMES)('with the role %s makes the calls of its scopes, and no other', async (role) => {
    expect(await answersTo(await client({ role }, role))).toEqual(expectedFor(ROLES[role]))
  })
})

const scopesOf = (grant: Record<string, unknown>) => grant['scopes'] ?? ROLES[grant['role'] as Role]

describe('a portal token that is bound to subscriptions', () => {
  const webhooks = { metadata: { customerId: '42' } }

  test.each(BOUND_SCOPES)(
    'with the scope %s makes the calls that ask for it and are for such',
    async (scope) => {
      const refused = calls
        .filter(({ forBound }) => forBound === 'refused')
        .map(({ name }) => [name, 'forbidden'])
      const expected = { ...expectedFor([scope as Scope]), ...Object.fromEntries(refused) }
      expect(await answersTo(await portalClient(owner, { scopes: [scope], webhooks }))).toEqual(expected)
    },
  )

  test('has no scope beside these', async () => {
    for (const scope of SCOPES.filter((each) => !BOUND_SCOPES.includes(each)))
      expect((await owner.post('/portal-tokens', { scopes: [scope], webhooks })).status).toBe(400)
  })
})

test('an identity token without scopes makes no call but the one that shows who it is', async () => {
  expect(await answersTo(await identified('openid'))).toEqual(expectedFor([]))
})

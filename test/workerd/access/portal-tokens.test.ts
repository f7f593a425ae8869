import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { PortalTokens } from '../../../src/access/portal/token.ts'
import { fromBase64 } from '../../../src/base/secret/sealing-key.ts'
import { appOf, appWith, Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'
import { clientWith } from '../../support/process/keys.ts'
import { customerClient, makePortalToken, portalClient } from '../../support/process/portal.ts'
import { createRig } from '../../support/rig/builders.ts'

const BOUND = { webhooks: { metadata: { customerId: '42' } } }
const THEME = { name: 'Ledgerly', logo: 'https://cdn.example.com/logo.svg', accentColor: '#0a5fd8' }
const event = { event: 'a', data: {} }
const HOUR_MS = 3_600_000

const owner = new Client()

describe('POST /portal-tokens', () => {
  test('answers a token that its holder can use for an hour, and a link that sends it to no server', async () => {
    const { token, url, scopes, expiresAt } = await makePortalToken(owner)
    expect(url).toBe(`https://relay.example.com/portal#${token}`)
    expect(scopes).toEqual(['webhooks:read', 'webhooks:write', 'deliveries:read', 'deliveries:retry'])
    const leftMs = Date.parse(expiresAt) - Date.now()
    expect(leftMs).toBeGreaterThan(HOUR_MS - 60_000)
    expect(leftMs).toBeLessThanOrEqual(HOUR_MS)
    const holder = new Client(owner.workspace, { key: token })
    expect((await holder.get('/webhooks')).status).toBe(200)
  })

  test('makes links of the origin that the operator names', async () => {
    const target = appWith(({ settings }) => ({
      settings: { ...settings, portalOrigin: 'https://hooks.example.com' },
    }))
    const { url } = await makePortalToken(new Client(owner.workspace, { target }))
    expect(url).toMatch(/^https:\/\/hooks\.example\.com\/portal#php_/)
  })

  test.each<[object, string, RegExp]>([
    [{ expiresInSeconds: 299 }, 'expiresInSeconds', /300-604800/],
    [{ expiresInSeconds: 604_801 }, 'expiresInSeconds', /300-604800/],
    [{ expiresInSeconds: 300.5 }, 'expiresInSeconds', /300-604800/],
    [{ scopes: ['everything'] }, 'scopes[0]', /must be one of/],
    [{ webhooks: { metadata: {} } }, 'webhooks.metadata', /1-5 entries/],
    [{ webhooks: {} }, 'webhooks.metadata', /must be an object/],
    [{ theme: { logo: 'http://cdn.example.com/a.svg' } }, 'theme.logo', /https URL/],
    [{ theme: { logo: 'javascript:alert(1)' } }, 'theme.logo', /https URL/],
    [{ theme: { accentColor: 'red' } }, 'theme.accentColor', /colour/],
    [{ theme: { accentColor: '#0a5fd8;' } }, 'theme.accentColor', /colour/],
    [{ theme: { name: '' } }, 'theme.name', /1-100/],
    [{ theme: { css: 'body {}' } }, 'theme.css', /not a field/],
    [{ subject: 'a\nb' }, 'subject', /control characters/],
    [{ ...BOUND, scopes: ['workspace:read'] }, 'scopes', /bound to subscriptions/],
    [{ ...BOUND, scopes: ['events:publish'] }, 'scopes', /bound to subscriptions/],
  ])('refuses %j', async (body, path, message) => {
    expectInvalid(await owner.post('/portal-tokens', body), path, message)
  })

  test('refuses what would make a token longer than a header may be', async () => {
    const metadata = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`name${n}`, 'ö'.repeat(500)]))
    expectInvalid(
      await owner.post('/portal-tokens', { webhooks: { metadata } }),
      'webhooks.metadata',
      /too long/,
    )
  })

  test('gives no scope that its maker lacks, and only those that are named of secrets and the workspace', async () => {
    const maker = await clientWith(owner, { scopes: ['workspace:admin', 'webhooks:read'] })
    const usual = await makePortalToken(maker)
    expect(usual.scopes).toEqual(['webhooks:read'])
    expectRefusal(await maker.post('/portal-tokens', { scopes: ['webhooks:secret'] }), 403, 'forbidden')
    expect((await makePortalToken(maker, { scopes: ['workspace:admin'] })).scopes).toEqual([
      'workspace:admin',
    ])
  })

  test('makes a token that ends no later than the key of its maker', async () => {
    const expiresAt = new Date(Date.now() + 600_000).toISOString()
    const maker = await clientWith(owner, { role: 'integration-administrator', expiresAt })
    expect((await makePortalToken(maker, { expiresInSeconds: 3_600 })).expiresAt).toBe(expiresAt)
  })

  test.each([{ allowedIps: ['192.0.2.0/24'] }, { limits: { requestsPerSecond: 5 } }])(
    'keeps workspace:admin from the token of a key with %j, whose keys would have none',
    async (held) => {
      const headers = { 'CF-Connecting-IP': '192.0.2.7' }
      const maker = await clientWith(owner, { role: 'integration-administrator', ...held })
      const refused = await maker.post('/portal-tokens', { scopes: ['workspace:admin'] }, { headers })
      expectRefusal(refused, 403, 'forbidden')
    },
  )

  test('lets a token that may make keys make none that outlives it', async () => {
    const holder = await portalClient(owner, { scopes: ['workspace:admin', 'webhooks:read'] })
    expectRefusal(await holder.post('/keys', { name: 'k', scopes: ['webhooks:read'] }), 403, 'forbidden')
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const key = { name: 'k', scopes: ['webhooks:read'], expiresAt }
    expect((await holder.post('/keys', key)).status).toBe(201)
  })
})

describe('GET /session', () => {
  test('says that it is a portal token, whose, for which subscriptions and how the page is to look', async () => {
    const settings = { ...BOUND, theme: THEME, subject: 'jane@example.com' }
    const holder = await portalClient(owner, settings)
    const { data } = await holder.get('/session')
    expect(data).toMatchObject({
      kind: 'portal',
      actor: `portal:${holder.shown.id}:jane@example.com`,
      workspaceId: owner.workspace,
      scopes: holder.shown.scopes,
      expiresAt: holder.shown.expiresAt,
      portal: { id: holder.shown.id, subject: 'jane@example.com', theme: THEME },
      webhooks: { metadata: { customerId: '42' } },
    })
  })

  test('says nothing of them where there are none', async () => {
    expect((await (await portalClient(owner)).get('/session')).data).toMatchObject({
      portal: { subject: null, theme: null },
      webhooks: null,
    })
    expect((await owner.get('/session')).data).toMatchObject({ portal: null, webhooks: null })
  })

  test('tells a bound caller nothing of what others of the workspace use', async () => {
    const limited = new Client()
    const limits = { subscriptions: 9, requestsPerSecond: 100 }
    await limited.call('PUT', `/workspaces/${limited.workspace}`, { json: { limits } })
    const session = async (settings: object) => (await portalClient(limited, settings)).get('/session')
    const [whole, part] = [await session({}), await session(BOUND)]
    expect(whole.data['limits']).not.toEqual([])
    expect(whole.headers.get('RateLimit')).not.toBeNull()
    expect(part.data['limits']).toEqual([])
    expect(part.headers.get('RateLimit')).toBeNull()
  })
})

describe('a token that is over', () => {
  /** A token as this relay signs it, with some claims of a test's own. */
  async function signed(claims: object): Promise<Client> {
    const { token } = await makePortalToken(owner)
    const key = String((env as unknown as Record<string, unknown>)['KEY_ENCRYPTION_KEY'])
    const tokens = new PortalTokens([fromBase64(key)])
    const read = await tokens.read(token)
    if (read === null) throw new Error('the relay signs with another key')
    return new Client(owner.workspace, { key: await tokens.sign({ ...read, ...claims }) })
  }

  test('by its expiry is told so', async () => {
    const holder = await signed({ expiresAtMs: Date.now() - 1 })
    for (const answer of [await holder.get('/session'), await holder.post('/events', event)]) {
      expectRefusal(answer, 401, 'unauthorized')
      expect(answer.error).toMatchObject({
        message: 'This link has expired; ask for a new one.',
        details: [{ path: 'expiresAt', message: 'has passed' }],
      })
    }
  })

  test('by the end of its workspace counts in no other one of the name', async () => {
    const holder = await signed({ workspaceMadeAtMs: 1 })
    expectRefusal(await holder.get('/session'), 401, 'unauthorized')
  })

  test('says nothing of it to one who has made it up', async () => {
    const { token } = await makePortalToken(owner)
    const answer = await new Client(owner.workspace, { key: `${token.slice(0, -1)}_` }).get('/session')
    expectRefusal(answer, 401, 'unauthorized')
    expect(answer.error.message).toBe('This key is not valid.')
  })
})

describe('DELETE /portal-tokens', () => {
  /** Two isolates over one database, both of which have the workspace cached. */
  async function isolates() {
    const rigs = [await createRig(), await createRig()]
    const [{ workspace }] = rigs as [(typeof rigs)[0]]
    const admin = new Client(workspace)
    const { token } = await makePortalToken(admin, { scopes: ['events:publish', 'webhooks:read'] })
    const clients = rigs.map(({ relay }) => {
      return new Client(workspace, { target: appOf(() => ({ ok: true, relay })), key: token })
    })
    for (const client of clients) expect((await client.post('/events', event)).status).toBe(202)
    return { admin, clients }
  }

  test('ends them all: no call and no publish is accepted on any isolate once it has answered', async () => {
    const { admin, clients } = await isolates()
    expect((await admin.call('DELETE', '/portal-tokens')).data).toEqual({ ended: true })
    for (const client of clients) {
      for (const answer of [await client.post('/events', event), await client.get('/webhooks')]) {
        expectRefusal(answer, 401, 'unauthorized')
        expect(answer.error.details).toEqual([{ path: 'token', message: 'was ended with all others' }])
      }
    }
  })

  test('leaves keys, other workspaces and later tokens as they are', async () => {
    const { admin } = await isolates()
    const key = await clientWith(admin, { role: 'viewer' })
    const other = await portalClient(new Client())
    await admin.call('DELETE', '/portal-tokens')
    const later = await portalClient(admin)
    for (const client of [key, other, later]) expect((await client.get('/webhooks')).status).toBe(200)
  })
})

test('rows of the audit log name the token and its subject, and never the token', async () => {
  const audited = new Client()
  const holder = await portalClient(audited, { ...BOUND, subject: 'jane' })
  const settings = { url: 'https://receiver.example.com/hooks', events: ['*'] }
  await holder.post('/webhooks', settings)
  const { data, text } = await audited.get<Record<string, unknown>[]>('/audit-log')
  expect(data).toMatchObject([
    { actor: `portal:${holder.shown.id}:jane`, action: 'createWebhook' },
    { actor: 'operator', action: 'createPortalToken', object: `portal-tokens/${holder.shown.id}` },
  ])
  expect(text).not.toContain(holder.shown.token.slice(-40))
})

test('callers with different rights do not get each other’s answers by an Idempotency-Key', async () => {
  const headers = { 'Idempotency-Key': 'k-1' }
  const settings = { url: 'https://receiver.example.com/hooks', events: ['*'] }
  const [one, two] = [await customerClient(owner, 'a'), await customerClient(owner, 'b')]
  const first = await one.post('/webhooks', settings, { headers })
  const other = await two.post('/webhooks', settings, { headers })
  const blind = await customerClient(owner, 'a', { scopes: ['webhooks:write'] })
  expect(other.data['id']).not.toBe(first.data['id'])
  expect((await blind.post('/webhooks', settings, { headers })).text).not.toContain(
    String(first.data['secret']),
  )
  expect((await one.post('/webhooks', settings, { headers })).data).toEqual(first.data)
})

import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { makeApiKey } from '../../../../../src/access/api-key.ts'
import { ROLES, SCOPES } from '../../../../../src/access/scopes.ts'
import { NO_LIMITS } from '../../../../../src/limits/limits.ts'
import { Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { clientWith, expire, makeKey, type ShownKey } from '../../../../support/process/keys.ts'
import { textsAtRest } from '../../../../support/rig/at-rest.ts'

const versionOf = (id: string) =>
  env.DB.prepare('SELECT config_version FROM workspace WHERE id = ?1')
    .bind(id)
    .first<number>('config_version')

describe('POST /keys', () => {
  test('shows the key once, and nothing stored or shown later has its secret', async () => {
    const client = new Client()
    const made = await makeKey(client, { role: 'publisher' })
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9A-Za-z]{12}$/),
      key: expect.stringMatching(new RegExp(`^phk_${made.id}_[0-9A-Za-z]{38}$`)),
      name: 'a key',
      role: 'publisher',
      scopes: ['events:publish'],
      allowedIps: null,
      expiresAt: null,
      limits: NO_LIMITS,
      previousValidUntil: null,
      createdBy: 'operator',
      createdAt: expect.any(String),
      lastUsedAt: null,
    })
    const secret = made.key.slice(17, 49)
    const shown = [await client.get(`/keys/${made.id}`), await client.get('/keys')]
    for (const { status, text } of shown) {
      expect(status, text).toBe(200)
      expect(text).not.toContain(secret)
    }
    expect(await textsAtRest()).not.toContain(secret)
  })

  test('a request that is repeated under its Idempotency-Key makes another key: no secret is kept for it', async () => {
    const client = new Client()
    const headers = { 'Idempotency-Key': 'k' }
    const body = { name: 'a', role: 'viewer' }
    const [one, two] = [
      await client.post<ShownKey>('/keys', body, { headers }),
      await client.post<ShownKey>('/keys', body, { headers }),
    ]
    expect(one.data.id).not.toBe(two.data.id)
    expect(await textsAtRest()).not.toContain(one.data.key.slice(17, 49))
  })

  test.each([
    ['neither role nor scopes', {}, 'role', /not both/],
    ['both', { role: 'viewer', scopes: ['events:read'] }, 'role', /not both/],
    ['a role that there is not', { role: 'admin' }, 'role', /must be one of publisher, viewer/],
    ['a scope that there is not', { scopes: ['events:write'] }, 'scopes[0]', /must be one of events:publish/],
    ['no scope', { scopes: [] }, 'scopes', /at least one/],
    ['a time that has passed', { role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /future/],
    ['a time without offset', { role: 'viewer', expiresAt: '2036-01-01T00:00:00' }, 'expiresAt', /offset/],
    ['a range that is none', { role: 'viewer', allowedIps: ['10.0.0.0/33'] }, 'allowedIps[0]', /203.0.113.0/],
    [
      'a range with a slip',
      { role: 'viewer', allowedIps: ['10.0.0.1/8'] },
      'allowedIps[0]',
      /10\.0\.0\.0\/8/,
    ],
    ['no range', { role: 'viewer', allowedIps: [] }, 'allowedIps', /null lets/],
    ['no name', { name: '', role: 'viewer' }, 'name', /1-100 characters/],
    ['another field', { role: 'viewer', admin: true }, 'admin', /not a field/],
  ])('refuses %s', async (_, fields, path, message) => {
    expectInvalid(await new Client().post('/keys', { name: 'a', ...fields }), path, message)
  })

  test('refuses the hundred and first key, and takes another one once there is room', async () => {
    const client = new Client()
    const first = await makeKey(client, { role: 'viewer' })
    const { no } = (await env.DB.prepare('SELECT workspace_no AS no FROM api_key WHERE id = ?1')
      .bind(first.id)
      .first<{ no: number }>()) ?? { no: 0 }
    const fill = env.DB.prepare(
      "INSERT INTO api_key (workspace_no, id, name, grant_json, hash, created_by, created_at_ms) VALUES (?1, ?2, 'x', '{\"role\":\"viewer\"}', 'h', 'operator', 1)",
    )
    await env.DB.batch(Array.from({ length: 99 }, () => fill.bind(no, makeApiKey().id)))
    expectRefusal(await client.post('/keys', { name: 'a', role: 'viewer' }), 409, 'conflict')
    expect(await client.all('/keys', 7)).toHaveLength(100)
    await client.call('DELETE', `/keys/${first.id}`)
    await makeKey(client, { role: 'viewer' })
  })
})

describe('a key makes no key that may more than itself:', () => {
  test.each([
    ['a scope', { scopes: ['workspace:admin'] }, { scopes: ['workspace:admin', 'events:read'] }, 'scopes'],
    ['a role', { scopes: ['workspace:admin'] }, { role: 'viewer' }, 'role'],
    [
      'more time',
      { role: 'integration-administrator', expiresAt: '2035-01-01T00:00:00Z' },
      { role: 'viewer' },
      'expiresAt',
    ],
    [
      'more addresses',
      { role: 'integration-administrator', allowedIps: ['192.0.2.0/24'] },
      { role: 'viewer', allowedIps: ['192.0.2.0/23'] },
      'allowedIps',
    ],
  ])('not with %s', async (_, own, given, path) => {
    const client = new Client()
    const maker = await clientWith(client, own)
    const headers = { 'CF-Connecting-IP': '192.0.2.1' }
    const refused = await maker.post('/keys', { name: 'b', ...given }, { headers })
    expectRefusal(refused, 403, 'forbidden')
    expect(refused.error.details).toMatchObject([{ path }])
    // One that may more is neither changed nor rotated by it, which would show its secret.
    const stronger = await makeKey(client, given)
    for (const [method, call] of [
      ['PATCH', { json: { name: 'c' }, headers }],
      ['POST', { headers }],
    ] as const) {
      const path = method === 'POST' ? `/keys/${stronger.id}/rotate` : `/keys/${stronger.id}`
      expectRefusal(await maker.call(method, path, call), 403, 'forbidden')
    }
    expect((await client.get<ShownKey>(`/keys/${stronger.id}`)).data.name).toBe('a key')
    expect(await client.all('/keys', 10)).toHaveLength(2)
  })

  test('but one that may as much, which says who made it', async () => {
    const maker = await clientWith(new Client(), { role: 'integration-administrator' })
    const made = await makeKey(maker, { role: 'integration-administrator' })
    expect(made.createdBy).toBe(`key:${maker.shown.id}`)
  })

  test('and it does not raise itself', async () => {
    const maker = await clientWith(new Client(), { scopes: ['workspace:admin'] })
    const raise = { json: { scopes: [...SCOPES] } }
    expectRefusal(await maker.call('PATCH', `/keys/${maker.shown.id}`, raise), 403, 'forbidden')
    expect((await maker.get<ShownKey>(`/keys/${maker.shown.id}`)).data.scopes).toEqual(['workspace:admin'])
  })
})

describe('PATCH /keys/{id}', () => {
  test('changes what is named, leaves the rest, and raises the version that publishes check', async () => {
    const client = new Client()
    const { id, key: _, ...made } = await makeKey(client, { role: 'viewer', allowedIps: ['192.0.2.0/24'] })
    const before = await versionOf(client.workspace)
    const patch = (json: object) => client.call<ShownKey>('PATCH', `/keys/${id}`, { json })
    expect((await patch({ name: 'b' })).data).toEqual({ ...made, id, name: 'b' })
    expect(await versionOf(client.workspace)).not.toBe(before)
    expect((await patch({ scopes: ['events:publish'] })).data).toMatchObject({
      name: 'b',
      role: null,
      scopes: ['events:publish'],
      allowedIps: ['192.0.2.0/24'],
    })
    expect((await patch({ role: 'publisher', allowedIps: null })).data).toMatchObject({
      role: 'publisher',
      allowedIps: null,
    })
    const until = '2035-01-01T00:00:00.000Z'
    expect((await patch({ expiresAt: until })).data.expiresAt).toBe(until)
    expect((await patch({ expiresAt: null })).data.expiresAt).toBeNull()
  })

  test.each([[{ role: 'developer' }], [{ scopes: ['events:read', 'webhooks:read'] }]])(
    'takes a key of %j back as it was shown',
    async (grant) => {
      const client = new Client()
      const { id } = await makeKey(client, grant)
      const { data: shown } = await client.get<ShownKey>(`/keys/${id}`)
      const changed = await client.call<ShownKey>('PATCH', `/keys/${id}`, { json: { ...shown, name: 'b' } })
      expect(changed.data, changed.text).toEqual({ ...shown, name: 'b' })
    },
  )

  test('refuses scopes that are not those of the role beside them', async () => {
    const client = new Client()
    const { id } = await makeKey(client, { role: 'viewer' })
    const json = { role: 'viewer', scopes: ['events:publish'] }
    expectInvalid(await client.call('PATCH', `/keys/${id}`, { json }), 'scopes', /role "viewer"/)
  })
})

describe('POST /keys/{id}/rotate', () => {
  test('gives another secret, and the one before is valid until the overlap ends', async () => {
    const client = new Client()
    const old = await clientWith(client, { role: 'viewer' })
    const { id } = old.shown
    const rotated = await client.post<ShownKey>(`/keys/${id}/rotate`, { overlapSeconds: 3600 })
    expect(rotated.status, rotated.text).toBe(200)
    expect(rotated.data).toMatchObject({ id, previousValidUntil: expect.any(String) })
    const next = new Client(client.workspace, { key: rotated.data.key })
    for (const caller of [old, next]) expect((await caller.get('/webhooks')).status).toBe(200)
    await env.DB.prepare('UPDATE api_key SET before_until_ms = 1 WHERE id = ?1').bind(id).run()
    expectRefusal(await old.get('/webhooks'), 401, 'unauthorized')
    expect((await next.get('/webhooks')).status).toBe(200)
    expect((await client.get<ShownKey>(`/keys/${id}`)).data.previousValidUntil).toBeNull()
  })

  test('without an overlap ends the secret before at once', async () => {
    const client = new Client()
    const old = await clientWith(client, { role: 'viewer' })
    await client.post(`/keys/${old.shown.id}/rotate`, { overlapSeconds: 0 })
    expectRefusal(await old.get('/webhooks'), 401, 'unauthorized')
  })

  test('does not make an expired key valid', async () => {
    const client = new Client()
    const { id } = await makeKey(client, { role: 'viewer' })
    await expire({ id })
    const { data } = await client.post<ShownKey>(`/keys/${id}/rotate`)
    expectRefusal(await new Client(client.workspace, { key: data.key }).get('/webhooks'), 401, 'unauthorized')
  })
})

test('a key that is deleted is gone from every call', async () => {
  const client = new Client()
  const { id } = await makeKey(client, { role: 'viewer' })
  expect((await client.call('DELETE', `/keys/${id}`)).data).toEqual({ id, deleted: true })
  for (const [method, path] of [
    ['GET', `/keys/${id}`],
    ['PATCH', `/keys/${id}`],
    ['DELETE', `/keys/${id}`],
    ['POST', `/keys/${id}/rotate`],
  ] as const) {
    const call = method === 'PATCH' ? { json: { name: 'b' } } : {}
    expectRefusal(await client.call(method, path, call), 404, 'not_found')
  }
  expect((await client.get('/keys')).data).toEqual([])
})

test("another workspace's keys are not to be found", async () => {
  const [mine, others] = [new Client(), new Client()]
  const { id } = await makeKey(others, { role: 'viewer' })
  for (const [method, path] of [
    ['GET', `/keys/${id}`],
    ['PATCH', `/keys/${id}`],
    ['DELETE', `/keys/${id}`],
    ['POST', `/keys/${id}/rotate`],
  ] as const) {
    const call = method === 'PATCH' ? { json: { name: 'b' } } : {}
    expectRefusal(await mine.call(method, path, call), 404, 'not_found')
  }
  expect((await others.get<ShownKey>(`/keys/${id}`)).data.name).toBe('a key')
})

test('the hour of the last use is shown', async () => {
  const client = new Client()
  const user = await clientWith(client, { role: 'viewer' })
  await user.get('/webhooks')
  const shown = async () => (await client.get<ShownKey>(`/keys/${user.shown.id}`)).data.lastUsedAt
  await expect.poll(shown).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/)
})

describe('GET /session', () => {
  test('tells a key its scopes, its workspace and the address that the relay sees', async () => {
    const user = await clientWith(new Client(), { role: 'viewer', expiresAt: '2035-01-01T00:00:00Z' })
    const headers = { 'CF-Connecting-IP': '192.0.2.1', 'X-Company-Id': null }
    expect((await user.get('/session', { headers })).data).toEqual({
      kind: 'key',
      actor: `key:${user.shown.id}`,
      workspaceId: user.workspace,
      scopes: SCOPES.filter((scope) => (ROLES.viewer as readonly string[]).includes(scope)),
      key: { id: user.shown.id, name: 'a key' },
      expiresAt: '2035-01-01T00:00:00.000Z',
      address: '192.0.2.1',
      limits: [],
      portal: null,
      webhooks: null,
    })
  })

  test('tells the operator everything', async () => {
    const client = new Client()
    expect((await client.get('/session')).data).toMatchObject({
      kind: 'operator',
      actor: 'operator',
      workspaceId: client.workspace,
      scopes: [...SCOPES],
      key: null,
      expiresAt: null,
    })
  })
})

import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { NO_LIMITS } from '../../../../../src/limits/limits.ts'
import { Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { clientWith } from '../../../../support/process/keys.ts'

const DEFAULTS = {
  ...{ eventTypeEnforcement: 'off', apiVersion: 'v1', livemode: true },
  ...{ retentionDays: 90, retentionBytes: null, archive: false },
  ...{ allowedHosts: null, deniedHosts: [], allowHttp: false, allowedPorts: [] },
  ...{ verifyOwnership: false, allowedCertificates: null },
  limits: NO_LIMITS,
}
const put = (client: Client, json: unknown, id = client.workspace) =>
  client.call('PUT', `/workspaces/${id}`, { json })
const versionOf = (id: string) =>
  env.DB.prepare('SELECT config_version FROM workspace WHERE id = ?1')
    .bind(id)
    .first<number>('config_version')

test('a workspace has defaults from its first use on', async () => {
  const client = new Client()
  const shown = await client.get(`/workspaces/${client.workspace}`)
  expect(shown.status, shown.text).toBe(200)
  expect(shown.data).toEqual({
    id: client.workspace,
    status: 'active',
    deletion: null,
    ...DEFAULTS,
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
  expect((await client.get(`/workspaces/${client.workspace}`)).data).toEqual(shown.data)
})

test('PUT changes what is named, leaves the rest, and is seen by GET', async () => {
  const client = new Client()
  const changed = await put(client, { eventTypeEnforcement: 'warn' })
  expect([changed.status, changed.data]).toMatchObject([200, { ...DEFAULTS, eventTypeEnforcement: 'warn' }])
  expect((await put(client, { apiVersion: '2024-01-15', livemode: false })).data).toMatchObject({
    eventTypeEnforcement: 'warn',
    apiVersion: '2024-01-15',
    livemode: false,
  })
  const { data } = await client.get(`/workspaces/${client.workspace}`)
  expect(data).toMatchObject({ eventTypeEnforcement: 'warn', apiVersion: '2024-01-15', livemode: false })
})

test('a retention is set, and null lifts the limit of size again', async () => {
  const client = new Client()
  const retention = { retentionDays: 30, retentionBytes: 5_000_000, archive: true }
  expect((await put(client, retention)).data).toMatchObject(retention)
  expect((await put(client, { retentionBytes: null })).data).toMatchObject({
    ...retention,
    retentionBytes: null,
  })
  expect((await client.get(`/workspaces/${client.workspace}`)).data).toMatchObject({ retentionBytes: null })
})

test('the configuration version moves with a change, and only with a change', async () => {
  const client = new Client()
  await put(client, {})
  const first = await versionOf(client.workspace)
  await put(client, DEFAULTS)
  expect(await versionOf(client.workspace)).toBe(first)
  await put(client, { livemode: false })
  const second = await versionOf(client.workspace)
  expect(second).not.toBe(first)
  await put(client, { livemode: false })
  expect(await versionOf(client.workspace)).toBe(second)
})

test('no tenant can see or change another, nor learn that it exists', async () => {
  const one = new Client()
  const two = await clientWith(new Client(), { role: 'integration-administrator' })
  await put(one, { apiVersion: 'v9' })
  for (const id of [one.workspace, 'ws_nobody', 'default', '__proto__']) {
    expectRefusal(await two.get(`/workspaces/${id}`), 404, 'not_found')
    expectRefusal(await put(two, { apiVersion: 'v1' }, id), 404, 'not_found')
  }
  expect((await one.get(`/workspaces/${one.workspace}`)).data).toMatchObject({ apiVersion: 'v9' })
})

test.each<[string, unknown, string, RegExp]>([
  [
    'an unknown enforcement',
    { eventTypeEnforcement: 'strict' },
    'eventTypeEnforcement',
    /must be "off", "warn" or "reject"/,
  ],
  ['null', { apiVersion: null }, 'apiVersion', /1-64 characters/],
  ['an empty version', { apiVersion: '' }, 'apiVersion', /1-64 characters/],
  ['a text as livemode', { livemode: 'yes' }, 'livemode', /must be boolean/],
  ['no retention at all', { retentionDays: 0 }, 'retentionDays', /whole number of days, 1-3650/],
  ['hardly any bytes', { retentionBytes: 1_000 }, 'retentionBytes', /at least 1000000, or null/],
  ['an unknown setting', { retention: 5 }, 'retention', /is not a field/],
  ['nothing but what is read-only', { id: 'x' }, 'id', /is read-only/],
  ['a list', [], 'body', /must be object/],
])('%s is refused by name, and nothing changes', async (_, json, path, message) => {
  const client = new Client()
  expectInvalid(await put(client, json), path, message)
  expect((await client.get(`/workspaces/${client.workspace}`)).data).toMatchObject(DEFAULTS)
})

test('settings that somebody changes at once do not undo each other', async () => {
  const client = new Client()
  await put(client, {})
  await Promise.all([put(client, { livemode: false }), put(client, { apiVersion: 'v2' })])
  expect((await client.get(`/workspaces/${client.workspace}`)).data).toMatchObject({
    livemode: false,
    apiVersion: 'v2',
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import { Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { clientWith } from '../../../../support/process/keys.ts'
import { createRig, freshStore, SECRET } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const PRODUCTION = { settings: { allowPrivateDestinations: false } }
const FINE = 'https://hooks.example.com/a'
const OTHER = 'https://elsewhere.example.net/a'
const oauth = (tokenUrl: string) =>
  ({ type: 'oauth2', tokenUrl, clientId: 'crm', clientSecret: 's3cret' }) as const

const put = (client: Client, json: object) => client.call('PUT', `/workspaces/${client.workspace}`, { json })

async function workspaceWith(settings: object) {
  const rig = await createRig(PRODUCTION)
  const client = clientOf(rig)
  const { status, text } = await put(client, settings)
  expect(status, text).toBe(200)
  return { rig, client }
}

test('destinations are shown with the workspace, hosts as the URL parser writes them', async () => {
  const { client } = await workspaceWith({
    allowedHosts: ['*.Example.com', 'bücher.example.org'],
    deniedHosts: ['bad.example.com'],
    allowHttp: true,
    allowedPorts: [8443],
  })
  const shown = {
    allowedHosts: ['*.example.com', 'xn--bcher-kva.example.org'],
    deniedHosts: ['bad.example.com'],
    allowHttp: true,
    allowedPorts: [8443],
  }
  expect((await client.get(`/workspaces/${client.workspace}`)).data).toMatchObject(shown)
  expect((await put(client, { allowedHosts: null, allowedPorts: [] })).data).toMatchObject({
    ...shown,
    allowedHosts: null,
    allowedPorts: [],
  })
})

test.each<[string, object, string]>([
  ['a URL as a host', { allowedHosts: ['https://a.com'] }, 'allowedHosts[0]'],
  ['no host at all', { allowedHosts: [] }, 'allowedHosts'],
  ['a star alone', { deniedHosts: ['*'] }, 'deniedHosts[0]'],
  ['a port that is none', { allowedPorts: [70_000] }, 'allowedPorts[0]'],
  ['a text as allowHttp', { allowHttp: 'yes' }, 'allowHttp'],
])('%s is refused by name', async (_, settings, path) => {
  expectInvalid(await put(clientOf(await createRig(PRODUCTION)), settings), path, /must/)
})

describe('a host that the workspace does not allow', () => {
  const RULES = { allowedHosts: ['*.example.com'], deniedHosts: ['bad.example.com'] }

  test('is refused in subscriptions, changes, token endpoints, previews and dispatches', async () => {
    const { client } = await workspaceWith(RULES)
    const { id } = await client.subscribe({ url: FINE })
    for (const url of [OTHER, 'https://bad.example.com/']) {
      const settings = { url, events: ['*'] }
      expectInvalid(await client.post('/webhooks/subscribe', settings), 'url', /host that the workspace/)
      expectInvalid(await client.call('PATCH', `/webhooks/${id}`, { json: { url } }), 'url', /host that/)
      const fine = { url: FINE, events: ['*'], auth: oauth(url) }
      expectInvalid(await client.post('/webhooks/subscribe', fine), 'auth.tokenUrl', /host that/)
      const subscription = { subscription: settings }
      expectInvalid(await client.post('/webhooks/preview', subscription), 'subscription.url', /host that/)
      const dispatched = { url, secret: SECRET, event: 'a', data: {} }
      expectInvalid(await client.post('/dispatch', dispatched), 'url', /host that/)
    }
  })

  test('gets nothing from a subscription of before, nor is its token endpoint asked', async () => {
    const { rig, client } = await workspaceWith({})
    await rig.subscribe({ url: OTHER })
    await rig.subscribe({ url: FINE, auth: oauth(OTHER) })
    await put(client, RULES)
    await rig.publish({})
    await rig.drain()
    expect((await rig.deliveries()).map(({ error }) => error)).toEqual(['blocked', 'auth'])
    expect(rig.posts).toEqual([])
  })

  test('is not asked for a token that is at hand, and no delivery carries one', async () => {
    const { rig, client } = await workspaceWith({})
    rig.receivers.set(OTHER, () =>
      Response.json({ access_token: 't', token_type: 'bearer', expires_in: 600 }),
    )
    await rig.subscribe({ url: FINE, auth: oauth(OTHER) })
    await rig.publish({})
    await rig.drain()
    expect(rig.posts.map(({ url }) => url)).toEqual([OTHER, FINE])
    await put(client, RULES)
    await rig.publish({})
    await rig.drain()
    expect(rig.posts).toHaveLength(2)
  })

  test('gets no dispatch like one of before, and no preview of a subscription of before', async () => {
    const { rig, client } = await workspaceWith({})
    const dispatched = { url: OTHER, secret: SECRET, event: 'a', data: {} }
    expect((await client.post('/dispatch', dispatched)).status).toBe(202)
    await rig.drain()
    const subscription = await rig.subscribe({ url: OTHER })
    await put(client, RULES)
    expectInvalid(await client.post('/dispatch', dispatched), 'url', /host that the workspace/)
    const preview = await client.post(`/webhooks/${subscription.id}/preview`)
    expect(preview.data).toMatchObject({ request: null, failure: { error: 'blocked' } })
    expect(rig.posts).toHaveLength(1)
  })

  test('is one of this workspace only', async () => {
    await workspaceWith(RULES)
    const other = clientOf(await createRig(PRODUCTION))
    await other.subscribe({ url: OTHER })
  })
})

describe('http and another port', () => {
  test('are taken and delivered to where the workspace allows them', async () => {
    const { rig, client } = await workspaceWith({ allowHttp: true, allowedPorts: [8443] })
    const urls = ['http://hooks.example.com/a', 'https://hooks.example.com:8443/a']
    for (const url of urls) await client.subscribe({ url })
    await rig.publish({})
    await rig.drain()
    expect(rig.posts.map(({ url }) => url).sort()).toEqual(urls)
  })

  test('are taken back: what is stored is refused at the attempt', async () => {
    const { rig, client } = await workspaceWith({ allowHttp: true, allowedPorts: [8443] })
    await client.subscribe({ url: 'https://hooks.example.com:8443/a' })
    await put(client, { allowedPorts: [] })
    await rig.publish({})
    await rig.drain()
    expect(await rig.deliveries()).toMatchObject([{ error: 'blocked' }])
  })

  test('are refused without', async () => {
    const client = clientOf(await createRig(PRODUCTION))
    for (const url of ['http://hooks.example.com/', 'https://hooks.example.com:8443/']) {
      expectRefusal(await client.post('/webhooks/subscribe', { url, events: ['*'] }), 400, 'invalid_request')
    }
  })
})

test('a workspace’s own administrator narrows, and is refused what widens, by name', async () => {
  const operator = new Client()
  await put(operator, { allowedHosts: ['*.example.com'], allowHttp: true })
  const own = await clientWith(operator, { role: 'integration-administrator' })
  expect((await put(own, { allowedHosts: ['hooks.example.com'], livemode: false })).status).toBe(200)
  const refused = await put(own, { allowedHosts: ['*.example.com'], allowedPorts: [8443], livemode: true })
  expectRefusal(refused, 403, 'forbidden')
  expect(refused.error.details?.map(({ path }) => path)).toEqual(['allowedHosts', 'allowedPorts'])
  expect((await own.get(`/workspaces/${own.workspace}`)).data).toMatchObject({
    ...{ allowedHosts: ['hooks.example.com'], allowedPorts: [], livemode: false },
  })
  expect((await put(operator, { allowedHosts: null, allowedPorts: [8443] })).status).toBe(200)
})

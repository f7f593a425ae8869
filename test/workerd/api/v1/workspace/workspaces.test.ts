import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { routes } from '../../../../../src/api/v1/routes.ts'
import { Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { deletionOf, eraseWhole } from '../../../retention/erase/erasing.ts'

const operator = new Client()
const newId = () => `ws-${crypto.randomUUID()}`

describe('POST /workspaces', () => {
  test('creates a workspace with its settings, which its calls find', async () => {
    const id = newId()
    const created = await operator.post('/workspaces', { id, retentionDays: 7, livemode: false })
    expect([created.status, created.data]).toMatchObject([
      201,
      { id, status: 'active', deletion: null, retentionDays: 7, livemode: false, apiVersion: 'v1' },
    ])
    expect((await new Client(id).get(`/workspaces/${id}`)).data).toEqual(created.data)
  })

  test('refuses the name of a workspace that exists', async () => {
    const id = newId()
    await operator.post('/workspaces', { id })
    const again = await operator.post('/workspaces', { id, retentionDays: 7 })
    expectRefusal(again, 409, 'conflict')
    expect(again.error.details?.[0]?.path).toBe('id')
    expect((await operator.get(`/workspaces/${id}`)).data).toMatchObject({ retentionDays: 90 })
  })

  test.each(['', 'a b', 'a/b', 'deleted/1', 'ä', 'x'.repeat(129)])('refuses the name %j', async (id) => {
    expectInvalid(await operator.post('/workspaces', { id }), 'id', /must be 1-128 characters/)
  })
})

describe('GET /workspaces', () => {
  test('lists all of them, newest first, page by page', async () => {
    const ids = [newId(), newId(), newId()]
    for (const id of ids) await operator.post('/workspaces', { id })
    const listed = await operator.all<{ id: string }>('/workspaces', 2)
    expect(listed.map(({ id }) => id).filter((id) => ids.includes(id))).toEqual(ids.toReversed())
  })
})

test('the operator sees and changes any workspace that exists, and makes none by asking', async () => {
  const id = newId()
  expectRefusal(await operator.get(`/workspaces/${id}`), 404, 'not_found')
  expectRefusal(
    await operator.call('PUT', `/workspaces/${id}`, { json: { retentionDays: 7 } }),
    404,
    'not_found',
  )
  await operator.post('/workspaces', { id })
  const changed = await operator.call('PUT', `/workspaces/${id}`, { json: { retentionDays: 7 } })
  expect([changed.status, changed.data]).toMatchObject([200, { id, retentionDays: 7 }])
  expect((await operator.get(`/workspaces/${id}`)).data).toEqual(changed.data)
})

describe('DELETE /workspaces/{id}', () => {
  /** A workspace with an event and a subscription, whose deletion was requested. */
  async function deleting() {
    const rig = await createRig()
    const client = clientOf(rig)
    await client.subscribe()
    await client.publish({ event: 'a', data: {} })
    const answer = await client.call('DELETE', `/workspaces/${rig.workspace}`)
    return { rig, client, answer }
  }

  test('is answered with what will be shown until it is done', async () => {
    const { rig, client, answer } = await deleting()
    expect([answer.status, answer.data]).toMatchObject([
      202,
      { id: rig.workspace, status: 'deleting', deletion: { phase: 'stopping', erased: { events: 0 } } },
    ])
    const shown = await client.get(`/workspaces/${rig.workspace}`)
    expect([shown.status, shown.data]).toMatchObject([200, { status: 'deleting' }])
    const again = await client.call<{ deletion: object }>('DELETE', `/workspaces/${rig.workspace}`)
    expect([again.status, again.data.deletion]).toMatchObject([
      202,
      { requestedAt: (answer.data as { deletion: { requestedAt: string } }).deletion.requestedAt },
    ])
    const { data } = await client.get<{ id: string; status: string }[]>('/workspaces?limit=1')
    expect(data).toMatchObject([{ id: rig.workspace, status: 'deleting' }])
  })

  test('refuses one that does not exist', async () => {
    expectRefusal(await operator.call('DELETE', `/workspaces/${newId()}`), 404, 'not_found')
  })

  /** Calls that are the operator's, or show how far it is. */
  const ANSWERED = /^(list|create|get|delete)Workspaces?$/
  const CALLS = routes
    .map(({ definition }) => definition)
    .filter(({ operationId, scope }) => scope !== 'operator' && !ANSWERED.test(operationId))
    .map(({ method, path }): [string, string] => [method.toUpperCase(), path.replace(/\{\w+\}/, 'some')])

  test('has every call of the workspace refused with its reason, and its name kept', async () => {
    const { rig, client } = await deleting()
    const bodies: Record<string, object> = {
      '/events': { event: 'a', data: {} },
      '/dispatch': { url: 'https://a.example.com', event: 'a', data: {} },
    }
    for (const [method, path] of CALLS) {
      const json = method === 'GET' || method === 'DELETE' ? undefined : (bodies[path] ?? {})
      const answer = await client.call(method, path, json === undefined ? {} : { json })
      expect([method, path, answer.status, answer.error?.code]).toEqual([method, path, 410, 'gone'])
      expect(answer.error.message).toContain(rig.workspace)
    }
    expectRefusal(await client.post('/workspaces', { id: rig.workspace }), 410, 'gone')
  })

  test('is known to another isolate: to its publishes at once, to its other calls within five seconds', async () => {
    const rig = await createRig()
    const other = clientOf(await createRig({ world: rig.world, workspace: rig.workspace }))
    await other.publish({ event: 'a', data: {} })
    await other.get('/webhooks')
    await clientOf(rig).call('DELETE', `/workspaces/${rig.workspace}`)
    expectRefusal(await other.post('/events', { event: 'a', data: {} }), 410, 'gone')
    expectRefusal(
      await other.post('/webhooks/subscribe', { url: 'https://a.example.com', events: ['*'] }),
      410,
      'gone',
    )
    rig.clock.nowMs += 5_000
    expectRefusal(await other.get('/webhooks'), 410, 'gone')
  })

  test('frees the name when nothing is left: then it is a new workspace', async () => {
    const { rig, client } = await deleting()
    // The request itself takes the first steps, and has the deletion in hand meanwhile.
    for (let runs = 0; runs < 10 && (await deletionOf(rig.workspace)) !== null; runs++) await eraseWhole(rig)
    rig.clock.nowMs += 5_000
    expectRefusal(await operator.get(`/workspaces/${rig.workspace}`), 404, 'not_found')
    const created = await client.post('/workspaces', { id: rig.workspace })
    expect([created.status, created.data]).toMatchObject([201, { status: 'active', retentionDays: 90 }])
    expect((await client.get('/events')).data).toEqual([])
    expect((await client.get('/webhooks')).data).toEqual([])
    expect(await client.publish({ event: 'a', data: {} })).toMatchObject({ status: 'accepted', matched: 0 })
  })

  test('leaves the relay’s other workspaces as they are', async () => {
    const { rig } = await deleting()
    const neighbour = new Client()
    expect(await neighbour.publish({ event: 'a', data: {} })).toMatchObject({ status: 'accepted' })
    const { results } = await env.DB.prepare('SELECT id FROM workspace WHERE deletion IS NOT NULL').all<{
      id: string
    }>()
    expect(results.map(({ id }) => id)).not.toContain(neighbour.workspace)
    expect(results.map(({ id }) => id)).toContain(rig.workspace)
  })
})

import assert from 'node:assert/strict'
import type { Check } from '../row.ts'
import type { Json, Scene } from '../scene.ts'

/** A key of the workspace; answers what to call with. */
async function makeKey(scene: Scene, settings: Json): Promise<Record<string, string>> {
  const { key } = await scene.ask('POST', '/keys', { name: 'a service', ...settings })
  return { Authorization: `Bearer ${key}` }
}

/** A key acts in its own workspace, and in no other. */
export const keyPerCustomer: Check = async (scene) => {
  const own = await makeKey(scene, { role: 'developer' })
  const other = { ...own, 'X-Company-Id': `${scene.workspace}-other` }
  const statuses = [
    (await scene.call('POST', '/webhooks/subscribe', { url: scene.url(), events: ['*'] }, own)).status,
    (await scene.call('GET', '/webhooks', undefined, own)).status,
    (await scene.call('GET', '/webhooks', undefined, other)).status,
  ]
  assert.deepEqual(statuses, [201, 200, 403])
  return 'a key of the workspace: 201 and 200 in its own, 403 in another'
}

/** A role may do what it is for: a viewer reads, an administrator of integrations does all. */
export const hasRoles: Check = async (scene) => {
  const [viewer, administrator] = [
    await makeKey(scene, { role: 'viewer' }),
    await makeKey(scene, { role: 'integration-administrator' }),
  ]
  const body = { url: scene.url(), events: ['*'] }
  const statuses = [
    (await scene.call('GET', '/webhooks', undefined, viewer)).status,
    (await scene.call('POST', '/webhooks/subscribe', body, viewer)).status,
    (await scene.call('POST', '/webhooks/subscribe', body, administrator)).status,
    (await scene.call('GET', '/keys', undefined, administrator)).status,
  ]
  assert.deepEqual(statuses, [200, 403, 201, 200])
  return 'viewer: 200 and 403; integration-administrator: 201 and 200'
}

/** A key is refused from an address that it was not given for. */
export const allowsAddresses: Check = async (scene) => {
  const own = await makeKey(scene, { role: 'viewer', allowedIps: ['203.0.113.0/24'] })
  const from = (address: string) => ({ ...own, 'CF-Connecting-IP': address })
  const statuses = [
    (await scene.call('GET', '/webhooks', undefined, from('203.0.113.7'))).status,
    (await scene.call('GET', '/webhooks', undefined, from('198.51.100.7'))).status,
  ]
  assert.deepEqual(statuses, [200, 403])
  return '200 from an address of the list, 403 from another'
}

/** A workspace's deliveries go to the hosts that it allows. */
export const allowsHosts: Check = async (scene) => {
  await scene.ask('PUT', `/workspaces/${scene.workspace}`, { allowedHosts: ['api.crm.com'] })
  const subscribe = (url: string) => scene.call('POST', '/webhooks/subscribe', { url, events: ['*'] })
  const statuses = [
    (await subscribe('https://api.crm.com/webhooks/customers')).status,
    (await subscribe('https://another.example.com/hooks')).status,
  ]
  assert.equal(statuses[0], 201)
  assert.ok((statuses[1] ?? 0) >= 400)
  return `${statuses[0]} for an allowed host, ${statuses[1]} for another`
}

/** A change and a look at a secret have rows in the audit log, whose chain is whole. */
export const isAudited: Check = async (scene) => {
  const { id } = await scene.subscribe()
  await scene.ask('PUT', `/webhooks/${id}`, { description: 'Billing' })
  await scene.ask('GET', `/webhooks/${id}/secret`)
  const rows = await scene.ask<Json[]>('GET', '/audit-log')
  const shown = rows.map((row) => `${row['actor']} ${row['route']} ${row['outcome']}`)
  assert.deepEqual(shown.slice(0, 2), [
    'operator GET /webhooks/{id}/secret done',
    'operator PUT /webhooks/{id} done',
  ])
  assert.equal((await scene.ask('GET', '/audit-log/verify'))['intact'], true)
  return `${rows.length} rows, ${shown[0]}; the chain is whole`
}

/** A workspace is cut to its limit, and told when to try again. */
export const isLimited: Check = async (scene) => {
  await scene.publish({ event: 'a.b', data: {} })
  await scene.ask('PUT', `/workspaces/${scene.workspace}`, { limits: { eventsPerDay: 2 } })
  const statuses: number[] = []
  for (let n = 0; n < 3; n++) {
    statuses.push((await scene.call('POST', '/events', { event: 'a.b', data: { n } })).status)
  }
  assert.deepEqual(statuses, [202, 202, 429])
  return `eventsPerDay 2: ${statuses.join(', ')}`
}

import { beforeAll, describe, expect, test } from 'vitest'
import { routes } from '../../../src/api/v1/routes.ts'
import { type Answer, Client, expectRefusal } from '../../support/process/http-client.ts'
import { makeKey } from '../../support/process/keys.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const alice = new Client()
const mallory = new Client()

/** An id of Alice's by the first word of a call's path, and one of the same kind that nobody has. */
const ids: Record<string, { hers: string[]; nobodys: string }> = {}

beforeAll(async () => {
  const webhook = await alice.subscribe({ url: receivers.url({ status: 500 }) })
  const event = await alice.publish({ event: 'a', data: { secret: 'of alice' }, id: 'alices-own-id' })
  const generated = await alice.publish({ event: 'a', data: {} })
  const rows = await alice.settled(webhook.id, 'failed', 2)
  const replay = await alice.post<{ id: string }>(`/webhooks/${webhook.id}/replay`, { status: ['failed'] })
  await alice.call('PUT', '/event-types/a.b', { json: { description: 'hers' } })
  const key = await makeKey(alice, { scopes: ['events:publish'] })
  const listener = await alice.post<{ id: string }>('/listeners', { events: ['none'] })
  await mallory.publish({ event: 'a', data: {} })
  Object.assign(ids, {
    webhooks: { hers: [webhook.id], nobodys: 'webhook_00000000000000000000000000000000' },
    listeners: { hers: [listener.data.id, webhook.id], nobodys: 'webhook_00000000000000000000000000000000' },
    events: { hers: [event.id, generated.id], nobodys: 'nobodys-own-id' },
    deliveries: { hers: [String(rows[0]?.id)], nobodys: 'log_000000000000000000x' },
    replays: { hers: [replay.data.id], nobodys: 'replay_00000000000000000000000000000000' },
    'event-types': { hers: ['a.b'], nobodys: 'nobodys.type' },
    workspaces: { hers: [alice.workspace], nobodys: 'nobodys-workspace' },
    keys: { hers: [key.id], nobodys: '000000000000' },
    archives: { hers: ['archive_1'], nobodys: 'archive_2' },
  })
})

/** Bodies that the calls take; others are called with an empty object, or without a body. */
const BODIES: Record<string, object> = {
  updateKey: { name: 'a name' },
  updateSubscription: { active: false },
  patchSubscription: { active: false },
}

/** Calls whose names are not ids: they make what they name, are the operator's, or count in each log. */
const NOT_BY_ID = /^(put|get)EventType$|Workspace$|^getAuditEntry$/

const CALLS = routes
  .map(({ definition }) => definition)
  .filter(({ path, operationId }) => path.includes('{') && !NOT_BY_ID.test(operationId))
  .map(({ method, path, operationId }): [string, string, string] => [method.toUpperCase(), path, operationId])

test('every call with an id is looked at', () => {
  expect(CALLS.length).toBeGreaterThan(20)
})

describe("another workspace's id answers in every word like one that does not exist:", () => {
  test.each(CALLS)('%s %s', async (method, path, operationId) => {
    const { hers, nobodys } = ids[path.split('/')[1] ?? ''] ?? { hers: [], nobodys: '' }
    expect(hers.length).toBeGreaterThan(0)
    const json = ['GET', 'DELETE'].includes(method) ? undefined : (BODIES[operationId] ?? {})
    const call = (id: string) =>
      mallory.call(method, path.replace(/\{\w+\}/, id), json === undefined ? {} : { json })
    const missing = await call(nobodys)
    expectRefusal(missing, 404, 'not_found')
    for (const id of hers) expect(partsOf(await call(id))).toEqual(partsOf(missing))
  })

  test('and none of it has changed anything', async () => {
    const [webhook = ''] = ids['webhooks']?.hers ?? []
    expect((await alice.get(`/webhooks/${webhook}`)).data).toMatchObject({ active: true, pausedAt: null })
    expect((await alice.get<unknown[]>('/events')).data).toHaveLength(2)
    expect((await alice.get('/event-types/a.b')).data).toMatchObject({ description: 'hers' })
  })
})

/** All of an answer but its request's id, and the names of its headers. */
function partsOf({ status, text, headers }: Answer) {
  const names = [...headers.keys()].toSorted()
  return { status, text: text.replace(/req_[0-9a-f]{32}/g, ''), names }
}

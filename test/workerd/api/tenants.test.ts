import { beforeAll, describe, expect, test } from 'vitest'
import { type Answer, Client, type DeliveryAnswer, expectRefusal } from '../../support/process/http-client.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const alice = new Client()
const mallory = new Client()
const ids = { webhook: '', event: '', own: 'shared-own-id', delivery: '' }

beforeAll(async () => {
  ids.webhook = (await alice.subscribe({ url: receivers.url({ status: 500 }), headers: { 'X-A': 'b' } })).id
  ids.event = (await alice.publish({ event: 'a', data: { secret: 'of alice' } })).id
  await alice.publish({ event: 'a', data: {}, id: ids.own })
  const rows = await alice.settled(ids.webhook, 'failed', 2)
  ids.delivery = rows[0]?.id ?? ''
  await mallory.publish({ event: 'a', data: {} })
})

/** Every call with an id, and an id of the same kind that nobody has. */
const CALLS: [string, string, keyof typeof ids, string, object?][] = [
  ['GET', '/webhooks/%', 'webhook', 'webhook_00000000000000000000000000000000'],
  ['PUT', '/webhooks/%', 'webhook', 'webhook_00000000000000000000000000000000', { active: false }],
  ['PATCH', '/webhooks/%', 'webhook', 'webhook_00000000000000000000000000000000', { active: false }],
  ['DELETE', '/webhooks/%', 'webhook', 'webhook_00000000000000000000000000000000'],
  ['GET', '/webhooks/%/secret', 'webhook', 'webhook_00000000000000000000000000000000'],
  ['GET', '/webhooks/%/logs', 'webhook', 'webhook_00000000000000000000000000000000'],
  ['GET', '/webhooks/%/statistics', 'webhook', 'webhook_00000000000000000000000000000000'],
  ['POST', '/webhooks/%/test', 'webhook', 'webhook_00000000000000000000000000000000', {}],
  ['GET', '/events/%', 'event', 'evt_000000000000000000x'],
  ['GET', '/events/%/deliveries', 'event', 'evt_000000000000000000x'],
  ['GET', '/events/%', 'own', 'nobodys-own-id'],
  ['GET', '/events/%/deliveries', 'own', 'nobodys-own-id'],
  ['GET', '/deliveries/%', 'delivery', 'log_000000000000000000x'],
  ['POST', '/deliveries/%/retry', 'delivery', 'log_000000000000000000x'],
]

describe("another workspace's id answers like one that does not exist:", () => {
  test.each(CALLS)('%s %s (%s)', async (method, pattern, kind, nobodys, json) => {
    const before = receivers.all().length
    const call = json === undefined ? {} : { json }
    const others = await mallory.call(method, pattern.replace('%', ids[kind]), call)
    const missing = await mallory.call(method, pattern.replace('%', nobodys), call)
    expectRefusal(others, 404, 'not_found')
    expect(withoutRequestId(others)).toEqual(withoutRequestId(missing))
    expect(receivers.all()).toHaveLength(before)
  })

  test('and none of it has changed anything', async () => {
    expect((await alice.get(`/webhooks/${ids.webhook}`)).data).toMatchObject({ active: true })
    expect((await alice.get<unknown[]>(`/webhooks/${ids.webhook}/logs`)).data).toHaveLength(2)
    for (const [method, pattern, kind] of CALLS.filter(([verb]) => verb === 'GET'))
      expect((await alice.call(method, pattern.replace('%', ids[kind]))).status).toBe(200)
  })
})

test('no list shows the rows of another workspace', async () => {
  expect((await mallory.get<unknown[]>('/webhooks')).data).toEqual([])
  expect((await mallory.get<unknown[]>('/events')).data).toHaveLength(1)
  expect((await new Client().get<unknown[]>('/events')).data).toEqual([])
  const { data } = await mallory.get<{ id: string }[]>('/events')
  const deliveries = await mallory.get<unknown[]>(`/events/${data[0]?.id}/deliveries`)
  expect(deliveries.data).toEqual([])
})

test("a cursor from another workspace's list shows nothing of it", async () => {
  for (let i = 0; i < 2; i++) await alice.subscribe({ url: receivers.url(), active: false })
  for (const path of ['/webhooks', '/events']) {
    const { nextCursor } = await alice.get(`${path}?limit=1`)
    const answer = await new Client().get<unknown[]>(`${path}?cursor=${nextCursor}`)
    expect(answer.data).toEqual([])
  }
})

test('an event reaches the subscriptions of its own workspace only', async () => {
  const [one, two] = [new Client(), new Client()]
  const [mine, others] = [receivers.url(), receivers.url()]
  const { id } = await one.subscribe({ url: mine })
  const other = await two.subscribe({ url: others })
  expect(await one.publish({ event: 'a', data: {} })).toMatchObject({ matched: 1 })
  await one.settled(id, 'success', 1)
  expect(receivers.received(mine)).toHaveLength(1)
  expect(receivers.received(others)).toHaveLength(0)
  expect((await two.get<DeliveryAnswer[]>(`/webhooks/${other.id}/logs`)).data).toEqual([])
})

test('own ids and Idempotency-Keys of two workspaces do not collide', async () => {
  const [one, two] = [new Client(), new Client()]
  const headers = { 'Idempotency-Key': 'k' }
  for (const [client, n] of [
    [one, 1],
    [two, 2],
  ] as const) {
    expect(await client.publish({ event: 'a', data: { n }, id: 'x' })).toMatchObject({ status: 'accepted' })
    expect(await client.publish({ event: 'a', data: { n } }, { headers })).toMatchObject({
      status: 'accepted',
    })
    const { data } = await client.get<{ payload: string }>('/events/x')
    expect(data.payload).toContain(`"data":{"n":${n}}`)
  }
})

test('without X-Company-Id the workspace is the default one', async () => {
  const anonymous = { headers: { 'X-Company-Id': null } }
  const { data } = await alice.post<{ id: string }>('/events', { event: 'a', data: {} }, anonymous)
  expect((await new Client('default').get(`/events/${data.id}`)).status).toBe(200)
  expectRefusal(await alice.get(`/events/${data.id}`), 404, 'not_found')
})

function withoutRequestId({ text }: Answer): unknown {
  const { error, ...rest } = JSON.parse(text) as { error: { requestId: string } }
  return { ...rest, error: { ...error, requestId: '' } }
}

import { beforeAll, describe, expect, test } from 'vitest'
import { routes } from '../../../src/api/v1/routes.ts'
import { type Answer, Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'
import { BOUND_SCOPES, customerClient, portalClient } from '../../support/process/portal.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const owner = new Client()
const settings = { url: 'https://receiver.example.com/hooks', events: ['invoice.*'] }

type Filled = Awaited<ReturnType<typeof fill>>

/** One customer's subscription, what it was delivered, and a replay of it. */
async function fill(customerId: string) {
  const failing = { url: receivers.url({ status: 500 }), retryPolicy: { maxRetries: 0 } }
  const own = {
    ...failing,
    events: [`${customerId}.*`],
    metadata: { customerId },
    description: `of ${customerId}`,
  }
  const webhook = await owner.subscribe({ ...own, uid: `uid-${customerId}` })
  const event = await owner.publish({ event: `${customerId}.paid`, data: { of: customerId } })
  const [row] = await owner.settled(webhook.id, 'failed', 1)
  const replay = await owner.post<{ id: string }>(`/webhooks/${webhook.id}/replay`, { status: ['failed'] })
  return { webhook, event, delivery: String(row?.id), replay: replay.data.id }
}

let alice: Client
let mallory: Client
let hers: Filled
let his: Filled
beforeAll(async () => {
  hers = await fill('alice')
  his = await fill('mallory')
  alice = await customerClient(owner, 'alice')
  mallory = await customerClient(owner, 'mallory')
})

/** An id by the first word of a call's path. */
const idsOf = ({ webhook, event, delivery, replay }: Filled): Record<string, string> => ({
  webhooks: webhook.id,
  events: event.id,
  deliveries: delivery,
  replays: replay,
})

/** Lists over several subscriptions. A new one is tried by itself. */
const LISTS = routes
  .map(({ definition }) => definition)
  .filter(({ method, path, forBound }) => method === 'get' && forBound === 'own' && !path.includes('{'))
  .filter(({ answerType }) => answerType === undefined)
  .map(({ path }) => path)

const NOBODYS: Record<string, string> = {
  webhooks: 'webhook_00000000000000000000000000000000',
  events: 'nobodys-own-id',
  deliveries: 'log_000000000000000000x',
  replays: 'replay_00000000000000000000000000000000',
}

const OWN = routes.map(({ definition }) => definition).filter(({ forBound }) => forBound === 'own')
const BY_ID = OWN.filter(({ path }) => path.includes('{')).map(
  ({ method, path }) => [method.toUpperCase(), path] as const,
)

test('every call says what it is to callers who are bound, and most calls with an id are for them', () => {
  expect(BY_ID.length).toBeGreaterThan(20)
  const kinds = Map.groupBy(routes, ({ definition }) => definition.forBound)
  expect([...(kinds.get('shared') ?? [])].map(({ definition }) => definition.operationId).sort()).toEqual([
    'getEventType',
    'getSession',
    'listEventTypes',
    'previewDraft',
  ])
})

describe("what is another customer's answers in every word like what does not exist:", () => {
  test.each(BY_ID)('%s %s', async (method, path) => {
    const kind = path.split('/')[1] ?? ''
    const call = async (id: string) => {
      const body = /PUT|PATCH/.test(method) ? { active: false } : {}
      const sent = ['GET', 'DELETE'].includes(method) ? {} : { json: body }
      return await mallory.call(method, path.replace(/\{\w+\}/, id), sent)
    }
    const missing = await call(NOBODYS[kind] ?? '')
    expectRefusal(missing, 404, 'not_found')
    expect(partsOf(await call(idsOf(hers)[kind] ?? ''))).toEqual(partsOf(missing))
  })

  test('a subscription whose secret a request is to be checked by', async () => {
    const received = { headers: { 'webhook-id': 'a' }, body: '{}' }
    const verify = (webhookId: string) => mallory.post('/verify', { ...received, webhookId })
    expect((await verify(his.webhook.id)).status).toBe(200)
    expectRefusal(await verify(hers.webhook.id), 404, 'not_found')
    const data = { of: 'alice' }
    const { text } = await mallory.post('/verify', { ...received, body: JSON.stringify(data) })
    expect(text).not.toContain(hers.webhook.id)
  })

  test('a subscription by its uid as well', async () => {
    expectRefusal(await mallory.get('/webhooks/uid-alice'), 404, 'not_found')
    expect((await mallory.get('/webhooks?uid=uid-alice')).data).toEqual([])
    expect((await mallory.get('/webhooks/uid-mallory')).data).toMatchObject({ id: his.webhook.id })
  })

  test('and none of it has changed anything', async () => {
    expect((await owner.get(`/webhooks/${hers.webhook.id}`)).data).toMatchObject({
      active: true,
      pausedAt: null,
      description: 'of alice',
    })
  })
})

/** All of an answer but its request's id, and the names of its headers. */
function partsOf({ status, text, headers }: Answer) {
  return { status, text: text.replace(/req_[0-9a-f]{32}/g, ''), names: [...headers.keys()].toSorted() }
}

describe('lists show what is theirs', () => {
  test.each([
    ['/webhooks', () => his.webhook.id],
    ['/events', () => his.event.id],
    ['/replays', () => his.replay],
  ] as const)('GET %s', async (path, id) => {
    for (const limit of [1, 100]) {
      const items = await mallory.all<{ id: string }>(path, limit)
      expect(items.map((item) => item.id)).toEqual([id()])
    }
  })

  test.each(LISTS)('%s shows no word of another customer', async (path) => {
    const { status, text } = await mallory.get(path)
    expect(status, text).toBe(200)
    expect(text).not.toContain('alice')
    for (const id of Object.values(idsOf(hers))) expect(text).not.toContain(id)
  })

  test('GET /deliveries', async () => {
    for (const query of ['', '?status=failed', '?waiting=true', '?responseCode=500']) {
      const rows = await mallory.all<{ webhookId: string }>(`/deliveries${query}`, 100)
      expect(new Set(rows.map(({ webhookId }) => webhookId))).toEqual(
        new Set(query.includes('waiting') ? [] : [his.webhook.id]),
      )
    }
    expectRefusal(await mallory.get(`/deliveries?webhook=${hers.webhook.id}`), 404, 'not_found')
  })

  test('an event that both were owed is shown with the deliveries of one', async () => {
    const event = await owner.publish({ event: 'alice.paid', data: {} })
    await owner.call('PUT', `/webhooks/${his.webhook.id}`, { json: { events: ['mallory.*', 'both'] } })
    await owner.call('PUT', `/webhooks/${hers.webhook.id}`, { json: { events: ['alice.*', 'both'] } })
    const both = await owner.publish({ event: 'both', data: {} })
    expect(both.matched).toBe(2)
    expect((await mallory.get(`/events/${both.id}`)).data).toMatchObject({ matched: 1 })
    const rows = await mallory.get<{ webhookId: string }[]>(`/events/${both.id}/deliveries`)
    expect(rows.data.map(({ webhookId }) => webhookId)).toEqual([his.webhook.id])
    expectRefusal(await mallory.get(`/events/${event.id}`), 404, 'not_found')
    expectRefusal(await mallory.get(`/events/${event.id}/deliveries`), 404, 'not_found')
  })
})

describe('what they create and change', () => {
  test('is theirs, whatever they ask for, and stays it', async () => {
    const created = await mallory.post('/webhooks', { ...settings, metadata: { team: 'a' } })
    expect(created.data['metadata']).toEqual({ team: 'a', customerId: 'mallory' })
    const path = `/webhooks/${String(created.data['id'])}`
    const changed = await mallory.call('PUT', path, { json: { metadata: { team: 'b' } } })
    expect(changed.data['metadata']).toEqual({ team: 'b', customerId: 'mallory' })
    for (const json of [{ metadata: { customerId: 'alice' } }, { metadata: { customerId: '' } }])
      expectInvalid(await mallory.call('PUT', path, { json }), 'metadata.customerId', /must be "mallory"/)
    expectRefusal(await alice.get(path), 404, 'not_found')
    expect((await mallory.call('DELETE', path)).status).toBe(200)
  })

  test.each<[object, string]>([
    [{ metadata: { customerId: 'alice' } }, 'metadata.customerId'],
    [{ uid: 'uid-alice' }, 'uid'],
    [{ uid: 'uid-of-mine' }, 'uid'],
    [{ events: ['a', 'posthorn.delivery.exhausted'] }, 'events[1]'],
    [{ events: ['posthorn.*'] }, 'events[0]'],
    [{ auth: { type: 'mtls', certificate: 'BANK' } }, 'auth.type'],
  ])('never reaches beyond it: %j', async (asked, path) => {
    expectInvalid(await mallory.post('/webhooks', { ...settings, ...asked }), path, /token|mallory/)
  })

  test('a subscription that the operator gives to another customer is theirs no more', async () => {
    const { id } = await owner.subscribe({ metadata: { customerId: 'mallory' } })
    expect((await mallory.get(`/webhooks/${id}`)).status).toBe(200)
    await owner.call('PUT', `/webhooks/${id}`, { json: { metadata: { customerId: 'alice' } } })
    expectRefusal(await mallory.get(`/webhooks/${id}`), 404, 'not_found')
    expect((await alice.all<{ id: string }>('/webhooks', 1)).map((each) => each.id)).toContain(id)
    await owner.call('DELETE', `/webhooks/${id}`)
    expect((await alice.get(`/webhooks/${id}/logs`)).status).toBe(200)
    expectRefusal(await mallory.get(`/webhooks/${id}/logs`), 404, 'not_found')
  })
})

describe('a token with filters', () => {
  const webhooks = { metadata: { customerId: 'carol' }, filters: { 'data.customerId': 'carol' } }
  const carol = () => portalClient(owner, { scopes: BOUND_SCOPES, webhooks })

  test('makes subscriptions that get the events with these values, and no others', async () => {
    const holder = await carol()
    const { data } = await holder.post('/webhooks', { ...settings, filters: { 'data.total': { min: 5 } } })
    expect(data['filters']).toEqual({ 'data.total': { min: 5 }, 'data.customerId': 'carol' })
    const publish = (customerId: string) =>
      owner.publish({ event: 'invoice.paid', data: { customerId, total: 7 } })
    expect((await publish('dave')).matched).toBe(0)
    expect((await publish('carol')).matched).toBe(1)
  })

  test.each<object>([
    { filters: null },
    { filters: { 'data.total': 5 } },
    { events: ['*'] },
    { conditions: null },
    { livemode: false },
  ])('keeps them at a change of what it selects: %j', async (change) => {
    const holder = await carol()
    const { data } = await holder.post('/webhooks', settings)
    const changed = await holder.call('PUT', `/webhooks/${String(data['id'])}`, { json: change })
    expect(changed.status, changed.text).toBe(200)
    expect(changed.data['filters']).toMatchObject({ 'data.customerId': 'carol' })
  })

  test('gives them to a subscription of the operator’s as soon as it changes what that selects', async () => {
    const holder = await carol()
    const { id } = await owner.subscribe({ metadata: { customerId: 'carol' } })
    const change = async (json: object) =>
      (await holder.call('PUT', `/webhooks/${id}`, { json })).data['filters']
    expect(await change({ description: 'mine' })).toBeNull()
    expect(await change({ events: ['*'] })).toEqual({ 'data.customerId': 'carol' })
  })

  test('refuses other values and filters of another form', async () => {
    const holder = await carol()
    const asked = (filters: unknown) => holder.post('/webhooks', { ...settings, filters })
    expectInvalid(await asked({ 'data.customerId': 'dave' }), 'filters.data.customerId', /must be "carol"/)
    expectInvalid(await asked({ 'data.customerId': ['carol', 'dave'] }), 'filters.data.customerId', /"carol"/)
    expectInvalid(await asked(['data.customerId == "dave" || true']), 'filters', /must be an object/)
  })
})

describe('a replay of one event', () => {
  test('is of their subscriptions only, and seen by those whom all of it is about', async () => {
    const event = await owner.publish({ event: 'both', data: {} })
    const started = await mallory.post<{ id: string; request: object }>(`/events/${event.id}/replay`)
    expect(started.status, started.text).toBe(202)
    expect(started.data.request).toEqual({ webhooks: [his.webhook.id] })
    const { data: ofAll } = await owner.post<{ id: string }>(`/events/${event.id}/replay`)
    expect((await mallory.get(`/replays/${started.data.id}`)).status).toBe(200)
    expectRefusal(await alice.get(`/replays/${started.data.id}`), 404, 'not_found')
    expectRefusal(await mallory.get(`/replays/${ofAll.id}`), 404, 'not_found')
    const listed = await mallory.all<{ id: string }>('/replays', 1)
    expect(listed.map(({ id }) => id)).toEqual([started.data.id, his.replay])
  })

  test('names none of another customer', async () => {
    const event = await owner.publish({ event: 'both', data: {} })
    const asked = { webhooks: [hers.webhook.id] }
    expectInvalid(await mallory.post(`/events/${event.id}/replay`, asked), 'webhooks[0]', /must be the id/)
  })
})

test('a token that is bound makes no call about the whole workspace, whatever its scopes', async () => {
  const refused = routes.map(({ definition }) => definition).filter(({ forBound }) => forBound === 'refused')
  for (const { method, path } of refused) {
    const json = ['get', 'delete'].includes(method) ? {} : { json: {} }
    const answer = await mallory.call(method.toUpperCase(), path.replace(/\{\w+\}/, 'x'), json)
    expectRefusal(answer, 403, 'forbidden')
  }
})

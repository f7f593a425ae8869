import { beforeAll, describe, expect, test } from 'vitest'
import { Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'

const client = new Client()
const DATE = /must be a date such as "2024-01-15" or an ISO 8601 time/
const CURSOR = /must be the nextCursor of an earlier page of this list/
const base64 = (text: string) => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

type List = 'subscriptions' | 'events' | 'log' | 'event-deliveries'
let paths: Record<List, string>
const cursors = {} as Record<List, string>

beforeAll(async () => {
  const { id } = await client.subscribe({ active: false })
  await client.subscribe({ active: false })
  const event = await client.publish({ event: 'a', data: {} })
  for (let i = 0; i < 2; i++) await client.post(`/webhooks/${id}/test`, { event: 'a' })
  paths = {
    subscriptions: '/webhooks',
    events: '/events',
    log: `/webhooks/${id}/logs`,
    'event-deliveries': `/events/${event.id}/deliveries`,
  }
  for (const [name, path] of Object.entries(paths)) {
    const { nextCursor } = await client.get(`${path}?limit=1`)
    cursors[name as List] = String(nextCursor)
  }
})

const LISTS: List[] = ['subscriptions', 'events', 'log', 'event-deliveries']

/** Rows of a page: rows that are large, each with all that it holds, are bounded lower. */
const LIMITS: Record<List, number> = { subscriptions: 1000, events: 1000, log: 1000, 'event-deliveries': 100 }

test.each(LISTS)('the list of %s takes the largest limit', async (list) => {
  expect((await client.get(`${paths[list]}?limit=${LIMITS[list]}`)).status).toBe(200)
})

describe.each(LISTS)('the list of %s refuses', (list) => {
  test.each([
    '0',
    String(LIMITS[list] + 1),
    'abc',
    '-1',
    '1.5',
    '1e1',
    '',
    ' 5',
    '99999999999999999999',
    'null',
  ])('limit=%s', async (limit) => {
    const answer = await client.get(`${paths[list]}?limit=${encodeURIComponent(limit)}`)
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.details?.[0]).toEqual({
      path: 'limit',
      message: expect.stringMatching(new RegExp(`must be.*1-${LIMITS[list]}`)),
    })
  })

  test.each([
    ['a made-up cursor', 'made-up'],
    ['an empty cursor', ''],
    ['no base64', '%%%'],
    ['a number', '5'],
    ['a long cursor', 'A'.repeat(2000)],
    ['base64 of nothing known', base64('5.nothing')],
    ['base64 of a negative place', base64('-5.events')],
    ['base64 of a place with zeros', base64(`005.${list}`)],
    ['base64 of a place beyond all', base64(`9999999999999999.${list}`)],
    ['base64 of SQL', base64(`5.${list}' OR 1=1`)],
  ])('%s', async (_, cursor) => {
    const answer = await client.get(`${paths[list]}?cursor=${encodeURIComponent(cursor)}`)
    expectInvalid(answer, 'cursor', CURSOR)
  })

  test.each(LISTS.filter((other) => other !== list))('a cursor of the list of %s', async (other) => {
    expect((await client.get(`${paths[other]}?cursor=${cursors[other]}`)).status).toBe(200)
    expectInvalid(await client.get(`${paths[list]}?cursor=${cursors[other]}`), 'cursor', CURSOR)
  })

  test.each(['offset', 'page', '__proto__', 'constructor', 'LIMIT', 'status[]'])(
    'the unknown parameter %s by its name',
    async (name) => {
      const answer = await client.get(`${paths[list]}?${encodeURIComponent(name)}=1`)
      expectInvalid(answer, name, /is not a field of this request/)
    },
  )
})

describe.each(['events', 'log'] as const)('the list of %s refuses', (list) => {
  test.each([
    'yesterday',
    '2024-02-30',
    '2024-13-01',
    '2023-02-29',
    '2024-1-5',
    '15.01.2024',
    '1705312800',
    '2024-01-15 10:30:00',
    '2024-01-15T25:00:00Z',
    '2024-01-15T10:30:00+25:00',
    '',
  ])('dates that are none: %j', async (date) => {
    const query = `dateFrom=${encodeURIComponent(date)}&dateTo=${encodeURIComponent(date)}`
    const answer = await client.get(`${paths[list]}?${query}`)
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.details).toEqual([
      { path: 'dateFrom', message: expect.stringMatching(DATE) },
      { path: 'dateTo', message: expect.stringMatching(DATE) },
    ])
  })

  test.each(['a b', 'a.*.b', '', 'a..b'])('event=%j', async (event) => {
    const answer = await client.get(`${paths[list]}?event=${encodeURIComponent(event)}`)
    expectInvalid(answer, 'event', /must be an event type/)
  })
})

test.each(['done', 'SUCCESS', '', '1'])('a log refuses status=%j and lists the states', async (status) => {
  const answer = await client.get(`${paths.log}?status=${status}`)
  expectInvalid(answer, 'status', /must be pending, success, failed or skipped/)
})

test.each(['a b', 'a.b', 'a/b', '', 'a'.repeat(129), 'ws_1, ws_2', '../admin'])(
  'X-Company-Id %j is refused on every call',
  async (workspace) => {
    for (const path of ['/webhooks', '/events', '/webhooks/x/logs']) {
      const answer = await client.get(path, { headers: { 'X-Company-Id': workspace } })
      expectInvalid(answer, 'X-Company-Id', /1-128 characters of A-Z a-z 0-9 _ -/)
    }
  },
)

describe.each(['/webhooks/%', '/webhooks/%/secret', '/webhooks/%/logs', '/events/%', '/deliveries/%'])(
  'GET %s',
  (pattern) => {
    test.each([
      ['a dot', 'a.b'],
      ['an encoded slash', 'a%2Fb'],
      ['NUL', '%00'],
      ['bytes that are not UTF-8', '%ff%fe'],
      ['a surrogate', '%ED%A0%80'],
      ['a broken escape', '%zz'],
      ['a quote', `'%20OR%201=1--`],
      ['dots up', '%2e%2e%2fadmin'],
      ['4,000 characters', 'a'.repeat(4000)],
      ['an id of another kind', 'req_00000000000000000000000000000000'],
      ['a made-up generated id', 'evt_000000000000000000x'],
      ['a made-up delivery id', 'log_000000000000000000x'],
    ])('answers 404 for an id with %s', async (_, id) => {
      expectRefusal(await client.get(pattern.replace('%', id)), 404, 'not_found')
    })
  },
)

test.each([
  ['GET', '/nowhere'],
  ['GET', '/'],
  ['GET', '/webhooks/a/b/c'],
  ['GET', '/webhooks/subscribe/x'],
  ['GET', '/v1/nowhere'],
])('%s %s is no call: 404, and where the calls are listed', async (method, path) => {
  const answer = await client.call(method, path)
  expectRefusal(answer, 404, 'not_found')
  expect(answer.error.message).toContain(method)
  expect(answer.error.message).toContain('GET /openapi.json')
})

test.each([
  ['DELETE', '/events', 'GET, HEAD, POST'],
  ['PUT', '/events/x', 'DELETE, GET, HEAD'],
  ['PATCH', '/webhooks', 'GET, HEAD, POST'],
  ['PATCH', '/webhooks/', 'GET, HEAD, POST'],
  ['GET', '/webhooks/x/test', 'POST'],
  ['POST', '/deliveries/x', 'GET, HEAD'],
  ['OPTIONS', '/events', 'GET, HEAD, POST'],
  ['DELETE', '/v1/webhooks', 'GET, HEAD, POST'],
  ['POST', '/webhooks/x', 'DELETE, GET, HEAD, PATCH, PUT'],
  ['POST', '/healthz', 'GET, HEAD'],
  ['POST', '/openapi.json', 'GET, HEAD'],
])('%s %s is answered 405, and Allow names %s', async (method, path, allow) => {
  const answer = await client.call(method, path)
  expectRefusal(answer, 405, 'method_not_allowed')
  expect(answer.headers.get('Allow')).toBe(allow)
  expect(answer.error.message).toContain(allow)
})

test('a slash at the end of a path changes nothing', async () => {
  const created = await client.post<{ id: string }>('/webhooks/subscribe/', {
    url: 'https://a.example.com/',
    events: ['a'],
  })
  expect(created.status).toBe(201)
  expect((await client.get(`/webhooks/${created.data.id}/`)).data['id']).toBe(created.data.id)
  expect((await client.get('/webhooks/?limit=1')).status).toBe(200)
  expect((await client.post('/v1/events/', { event: 'b', data: {} })).status).toBe(202)
  expect((await client.call('PUT', '/event-types/a.b/', { json: {} })).status).toBe(201)
  expect((await client.get('/event-types/a.b/')).data['name']).toBe('a.b')
})

test('POST /webhooks creates a subscription, as POST /webhooks/subscribe does', async () => {
  const body = { url: 'https://a.example.com/', events: ['a'] }
  const { status, data } = await client.post<{ id: string }>('/webhooks', body)
  expect(status).toBe(201)
  expect((await client.get(`/webhooks/${data.id}`)).data['id']).toBe(data.id)
  expectInvalid(await client.post('/webhooks', { events: ['a'] }), 'url', /is required/)
})

test.each([
  ['a number as event', { event: 5 }, 'event', /must be string/],
  ['an event outside the grammar', { event: 'a b' }, 'event', /must be an event type/],
  ['a list as testData', { testData: [] }, 'testData', /must be a JSON object/],
  ['null as testData', { testData: null }, 'testData', /must be a JSON object/],
  ['an unknown field beside a known one', { event: 'a', invoiceId: 1 }, 'invoiceId', /is not a field/],
  ['a name that is nearly one', { test_data: {} }, 'test_data', /is not a field/],
  ['data beside testData', { data: {}, testData: {} }, 'data', /cannot be combined with "testData"/],
  ['a list as data', { data: [] }, 'data', /must be a JSON object/],
])('POST /webhooks/{id}/test refuses %s', async (_, body, path, message) => {
  const { id } = await client.subscribe()
  expectInvalid(await client.post(`/webhooks/${id}/test`, body), path, message)
})

test.each([129, 200])('POST /webhooks/{id}/test refuses testData nested %i deep', async (depth) => {
  const { id } = await client.subscribe()
  const body = `{"testData":${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}}`
  const answer = await client.call('POST', `/webhooks/${id}/test`, { body })
  expectInvalid(answer, 'testData', /nested at most 128 levels deep/)
  const bare = `{"a":${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}}`
  expectInvalid(
    await client.call('POST', `/webhooks/${id}/test`, { body: bare }),
    'body',
    /nested at most 128/,
  )
})

import { describe, expect, test } from 'vitest'
import { type Bulk, Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'

const client = new Client()
const TYPE = /event type: segments of A-Z a-z 0-9 _ - joined by dots, at most 128 characters/
const ID = /1-128 characters of A-Z a-z 0-9 _ -/
const OBJECT = /must be a JSON object/
const TIME = /ISO 8601 date and time with a time zone, such as/
const nested = (depth: number) =>
  JSON.parse(`${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`) as object

/** What is wrong, the fields that replace or join a good event, the path, and what is said of it. */
const CASES: [string, object, string, RegExp][] = [
  ['no event type', { event: undefined }, 'event', /is required.*"invoice\.paid"/],
  ['a number as event type', { event: 5 }, 'event', /must be string, not number/],
  ['null as event type', { event: null }, 'event', /must be string, not null/],
  ['an empty event type', { event: '' }, 'event', TYPE],
  ['a space in the event type', { event: 'invoice paid' }, 'event', TYPE],
  ['an empty segment', { event: 'invoice..paid' }, 'event', TYPE],
  ['a leading dot', { event: '.paid' }, 'event', TYPE],
  ['a trailing dot', { event: 'invoice.' }, 'event', TYPE],
  ['a slash', { event: 'invoice/paid' }, 'event', TYPE],
  ['a pattern', { event: 'invoice.*' }, 'event', TYPE],
  ['an umlaut', { event: 'Überweisung' }, 'event', TYPE],
  ['a line break', { event: 'invoice.paid\n' }, 'event', TYPE],
  ['129 characters', { event: 'a'.repeat(129) }, 'event', TYPE],
  ['a bad alias', { event: undefined, type: 'a b' }, 'type', TYPE],
  ['an alias that says something else', { type: 'b' }, 'type', /is an alias of "event"/],
  [
    'two different times',
    { timestamp: '2024-01-15T10:30:00Z', created_at: '2024-01-15T10:30:01Z' },
    'created_at',
    /is an alias of "timestamp"/,
  ],
  ['a word as timestamp', { timestamp: 'yesterday' }, 'timestamp', TIME],
  ['a date as timestamp', { timestamp: '2024-01-15' }, 'timestamp', TIME],
  ['a time without a zone', { timestamp: '2024-01-15T10:30:00' }, 'timestamp', TIME],
  ['a day that never was', { timestamp: '2023-02-29T10:30:00Z' }, 'timestamp', TIME],
  ['unix seconds', { timestamp: 1705314600 }, 'timestamp', TIME],
  ['a word as created_at', { created_at: 'now' }, 'created_at', TIME],
  ['no data', { data: undefined }, 'data', OBJECT],
  ['null as data', { data: null }, 'data', OBJECT],
  ['an array as data', { data: [] }, 'data', OBJECT],
  ['a text as data', { data: 'x' }, 'data', OBJECT],
  ['an array as context', { context: [] }, 'context', OBJECT],
  ['null as context', { context: null }, 'context', OBJECT],
  ['data nested 129 deep', { data: nested(129) }, 'data', /nested at most 128 levels/],
  ['data nested 200 deep', { data: nested(200) }, 'data', /nested at most 128 levels/],
  ['context nested 200 deep', { context: nested(200) }, 'context', /nested at most 128 levels/],
  ['an id with a slash', { id: 'a/b' }, 'id', ID],
  ['an id with a dot', { id: 'a.b' }, 'id', ID],
  ['an id with a space', { id: 'a b' }, 'id', ID],
  ['an empty id', { id: '' }, 'id', ID],
  ['an id of 129 characters', { id: 'a'.repeat(129) }, 'id', ID],
  ['a number as id', { id: 7 }, 'id', /must be string, not number/],
  ['a lone surrogate as id', { id: '\ud800' }, 'id', ID],
  ['a text as livemode', { livemode: 'true' }, 'livemode', /must be boolean, not string/],
  ['a number as api_version', { api_version: 1 }, 'api_version', /must be 1-64 characters/],
  ['an unknown field', { payload: {} }, 'payload', /is not a field of this request/],
]
const good = { event: 'invoice.paid', data: {} }

test.each(CASES)(
  'a publish with %s is refused, and says what would be right',
  async (_, fields, path, message) => {
    expectInvalid(await client.post('/events', { ...good, ...fields }), path, message)
  },
)

test('in a bulk publish each of them is rejected with its place, and none sinks the good ones', async () => {
  const events = CASES.flatMap(([, fields]) => [{ ...good, ...fields }, good])
  const { status, data } = await client.post<Bulk>('/events', { events })
  expect(status).toBe(202)
  expect(data.events).toEqual(
    CASES.flatMap(([, , path, message], i) => [
      {
        status: 'rejected',
        error: {
          code: 'invalid_request',
          message: expect.stringMatching(message),
          details: [{ path: `events[${2 * i}].${path}`, message: expect.stringMatching(message) }],
        },
      },
      { id: expect.stringMatching(/^evt_/), status: 'accepted', matched: 0 },
    ]),
  )
})

test('every offending field is named at once', async () => {
  const answer = await client.post('/events', { id: 'a.b', event: 'a b', data: [], livemode: 0, extra: 1 })
  expectRefusal(answer, 400, 'invalid_request')
  expect(answer.error.details?.map(({ path }) => path).sort()).toEqual([
    ...['data', 'event', 'extra', 'id', 'livemode'],
  ])
})

describe('a bulk publish as a whole is refused', () => {
  const list = (length: number) => Array.from({ length }, () => good)
  test.each([
    ['no events', { events: [] }, 'events', /at least one event/],
    [
      '1,001 events',
      { events: list(1001) },
      'events',
      /at most 1000 events; send the rest in another request/,
    ],
    ['an object of events', { events: { a: good } }, 'events', /must be an array of events/],
    ['null', { events: null }, 'events', /must be an array of events/],
    ['a text', { events: 'invoice.paid' }, 'events', /must be an array of events/],
    [
      'a field beside events',
      { events: list(1), event: 'a' },
      'event',
      /not a field of a request with "events"/,
    ],
  ])('%s', async (_, body, path, message) => {
    expectInvalid(await client.post('/events', body), path, message)
  })

  test('__proto__ beside events', async () => {
    const answer = await client.call('POST', '/events', {
      body: '{"events":[{"event":"a","data":{}}],"__proto__":{}}',
    })
    expectInvalid(answer, '__proto__', /not a field/)
  })
})

test.each([
  ['a number', 5],
  ['null', null],
  ['an array', []],
  ['a text', 'invoice.paid'],
])('%s among the events is rejected as events[i]', async (_, item) => {
  const { data } = await client.post<Bulk>('/events', { events: [good, item] })
  expect(data.events).toMatchObject([
    { status: 'accepted' },
    {
      status: 'rejected',
      error: {
        code: 'invalid_request',
        details: [{ path: 'events[1]', message: expect.stringMatching(/must be object/) }],
      },
    },
  ])
})

test.each(['a/b', 'a.b', 'a b', '', 'a'.repeat(129), 'a,b'])('Idempotency-Key %j is refused', async (key) => {
  const answer = await client.post('/events', good, { headers: { 'Idempotency-Key': key } })
  expectInvalid(answer, 'Idempotency-Key', ID)
})

describe('what looks odd and is right', () => {
  test.each([
    ['__proto__ in data', '{"event":"a","data":{"__proto__":{"admin":true},"constructor":{"prototype":1}}}'],
    ['a lone surrogate, escaped', '{"event":"a","data":{"half":"\\ud800","escape":"\\u0000"}}'],
    ['data 128 deep', `{"event":"a","data":${JSON.stringify(nested(128))}}`],
    ['brackets in texts', `{"event":"a","data":{"t":"${'[{'.repeat(200)}","u":"\\"}{"}}`],
    ['__proto__ as event type', '{"event":"__proto__","data":{}}'],
    ['a type of 128 characters', `{"event":"${'a'.repeat(128)}","data":{}}`],
    ['numbers beyond double precision', '{"event":"a","data":{"n":12345678901234567890,"z":-0.0,"e":1E400}}'],
    ['space everywhere', ' {\n"event" : "a" ,\t"data"\r: { "a" : [ 1 , 2 ] } } '],
    ['an escaped name', '{"\\u0065vent":"a","d\\u0061ta":{"x":1}}'],
  ])('%s arrives as it was sent', async (_, body) => {
    const { status, text, data } = await client.call<{ id: string }>('POST', '/events', { body })
    expect(status, text).toBe(202)
    const { payload } = (await client.get<{ payload: string }>(`/events/${data.id}`)).data
    const sent = /"d(?:a|\\u0061)ta"\s*:\s*([\s\S]*)\}\s*$/.exec(body)?.[1]?.trimEnd()
    expect(payload).toContain(`"data":${sent},"context":{}}`)
  })

  test('of names given twice the last counts, in what is checked and in what is sent', async () => {
    const body = '{"event":"first one!","event":"b.c","data":{"n":1},"data":{"n":2.50}}'
    const { data } = await client.call<{ id: string }>('POST', '/events', { body })
    const event = await client.get<{ event: string; payload: string }>(`/events/${data.id}`)
    expect(event.data.event).toBe('b.c')
    expect(event.data.payload).toContain('"event":"b.c"')
    expect(event.data.payload).toContain('"data":{"n":2.50},')
  })
})

import { describe, expect, test } from 'vitest'
import { Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'

const client = new Client()
const REQUEST_BYTES_MAX = 10_485_760

/** Every call that takes a body. */
const CALLS = [
  ['POST', '/events'],
  ['POST', '/webhooks/subscribe'],
  ['PUT', '/webhooks/webhook_x'],
  ['PATCH', '/webhooks/webhook_x'],
  ['POST', '/webhooks/webhook_x/test'],
] as const

describe.each(CALLS)('%s %s refuses', (method, path) => {
  test.each([
    ['broken JSON', '{"event":', /not valid JSON: it ends too early/],
    [
      'JSON that goes wrong in the middle',
      '{"event":"a",}',
      /not valid JSON: something is wrong at character \d+/,
    ],
    ['two JSON texts', '{} {}', /not valid JSON/],
    ['a form in a JSON coat', 'event=a&data=b', /not valid JSON/],
    ['NaN', '{"data":NaN}', /not valid JSON/],
    ['a single quote', "{'event':'a'}", /not valid JSON/],
    ['a lone space', ' ', /not valid JSON: it ends too early/],
    ['an array', '[]', /must be object, not array/],
    ['null', 'null', /must be object, not null/],
    ['a text', '"invoice.paid"', /must be object, not string/],
    ['a number', '42', /must be object, not number/],
  ])('%s', async (_, body, message) => {
    expectInvalid(await client.call(method, path, { body }), 'body', message)
  })

  test('bytes that are not UTF-8', async () => {
    const body = new Uint8Array([...new TextEncoder().encode('{"event":"'), 0xff, 0xfe, 0x22, 0x7d])
    expectInvalid(await client.call(method, path, { body }), 'body', /not valid UTF-8/)
  })

  test('a surrogate encoded as UTF-8', async () => {
    const body = new Uint8Array([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])
    expectInvalid(await client.call(method, path, { body }), 'body', /not valid UTF-8/)
  })

  test.each([
    ['text/plain', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['a multipart form', 'multipart/form-data; boundary=x'],
    ['JSON lines', 'application/jsonlines'],
    ['nonsense', 'json'],
  ])('Content-Type: %s', async (_, type) => {
    const answer = await client.call(method, path, { body: '{}', headers: { 'Content-Type': type } })
    expectRefusal(answer, 415, 'unsupported_media_type')
    const [name] = type.split(';')
    expect(answer.error.details).toEqual([
      { path: 'Content-Type', message: expect.stringContaining(`must be application/json`) },
    ])
    expect(answer.error.details?.[0]?.message).toContain(name)
  })

  test('a body without Content-Type', async () => {
    const body = new TextEncoder().encode('{}')
    const answer = await client.call(method, path, { body, headers: { 'Content-Type': null } })
    expectRefusal(answer, 415, 'unsupported_media_type')
    expect(answer.error.details).toEqual([
      { path: 'Content-Type', message: 'must be application/json when there is a body' },
    ])
  })

  test('a field called __proto__', async () => {
    const answer = await client.call(method, path, { body: '{"event":"a.b","__proto__":{"admin":true}}' })
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.details).toContainEqual({
      path: '__proto__',
      message: 'is not a field of this request',
    })
  })

  test('each unknown field by its name', async () => {
    const json = { event: 'a.b', colour: 1, constructor: 2, toString: 3 }
    const answer = await client.call(method, path, { json })
    expectRefusal(answer, 400, 'invalid_request')
    for (const name of ['colour', 'constructor', 'toString'])
      expect(answer.error.details).toContainEqual({ path: name, message: 'is not a field of this request' })
  })
})

describe.each(CALLS.slice(0, 4))('%s %s refuses', (method, path) => {
  test('an empty body', async () => {
    const answer = await client.call(method, path, { headers: { 'Content-Type': 'application/json' } })
    expectInvalid(answer, 'body', /it ends too early/)
  })
})

describe.each([
  ['/events', REQUEST_BYTES_MAX],
  ['/webhooks/subscribe', 1_000_000],
])('POST %s takes %i bytes and no more', (path, bytesMax) => {
  const text = (bytes: number) => {
    const [head, tail] = ['{"event":"big.one","data":{"t":"', '"}}']
    return head + 'x'.repeat(bytes - head.length - tail.length) + tail
  }
  const message = `must be at most ${bytesMax.toLocaleString('en-US')} bytes`

  test('with the length announced', async () => {
    const answer = await client.call('POST', path, { body: text(bytesMax + 1) })
    expectRefusal(answer, 413, 'payload_too_large')
    expect(answer.error.details).toEqual([{ path: 'body', message }])
  })

  test('in chunks', async () => {
    const answer = await client.call('POST', path, { body: inChunks(text(bytesMax + 1)) })
    expectRefusal(answer, 413, 'payload_too_large')
    expect(answer.error.details).toEqual([{ path: 'body', message }])
  })

  test.each([
    ['with the length announced', (body: string) => body],
    ['in chunks', inChunks],
  ])('just that many are read, %s', async (_, send) => {
    const answer = await client.call('POST', path, { body: send(text(bytesMax)) })
    expect(answer.status).toBe(path === '/events' ? 202 : 400)
    if (path !== '/events')
      expect(answer.error.details).toContainEqual({ path: 'data', message: expect.anything() })
  })
})

test.each(['br', 'deflate', 'zstd', 'identity, gzip', 'gzip, gzip'])(
  'Content-Encoding: %s is refused by its name',
  async (encoding) => {
    const headers = { 'Content-Encoding': encoding }
    const answer = await client.call('POST', '/events', { json: { event: 'a', data: {} }, headers })
    expectRefusal(answer, 415, 'unsupported_media_type')
    expect(answer.error.details).toEqual([
      { path: 'Content-Encoding', message: `must be gzip or left out, not ${encoding}` },
    ])
  },
)

test('Content-Encoding: identity is none', async () => {
  const headers = { 'Content-Encoding': 'identity' }
  const answer = await client.call('POST', '/events', { json: { event: 'a', data: {} }, headers })
  expect(answer.status).toBe(202)
})

describe('JSON values', () => {
  const list = (values: number) => `{"event":"big.one","data":{"x":[1${',1'.repeat(values - 1)}]}}`
  // The event itself, its two members more than its first, and data.
  const OTHERS = 4

  test('are taken up to 1,200,000', async () => {
    const answer = await client.call('POST', '/events', { body: list(1_200_000 - OTHERS) })
    expect(answer.status, answer.text).toBe(202)
  })

  test('beyond that are refused, and the limit is named', async () => {
    const answer = await client.call('POST', '/events', { body: list(1_200_001) })
    expectRefusal(answer, 413, 'payload_too_large')
    expect(answer.error.message).toContain('at most 1,200,000 JSON values')
  })

  test('are lists and objects up to 500,000, beyond which they are refused', async () => {
    const nested = (lists: number) => `{"event":"big.one","data":{"x":[[]${',[]'.repeat(lists - 4)}]}}`
    expect((await client.call('POST', '/events', { body: nested(500_000) })).status).toBe(202)
    const answer = await client.call('POST', '/events', { body: nested(500_001) })
    expectRefusal(answer, 413, 'payload_too_large')
    expect(answer.error.message).toContain('at most 500,000 JSON lists and objects')
  })
})

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'application/cloudevents+json',
])('Content-Type: %s is JSON', async (type) => {
  const answer = await client.call('POST', '/events', {
    json: { event: 'a', data: {} },
    headers: { 'Content-Type': type },
  })
  expect(answer.status).toBe(202)
})

test('a byte order mark is no part of the JSON', async () => {
  const { data, status } = await client.call<{ id: string }>('POST', '/events', {
    body: '\ufeff{"event":"a","data":{"n":2567.50}}',
  })
  expect(status).toBe(202)
  const event = await client.get<{ payload: string }>(`/events/${data.id}`)
  expect(event.data.payload).toContain('"data":{"n":2567.50}')
})

function inChunks(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + 65_536))
      at += 65_536
    },
  })
}

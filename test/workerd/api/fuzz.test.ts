import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../../src/api/app.ts'
import { routes } from '../../../src/api/v1/routes.ts'
import { relayOf } from '../../../src/relay.ts'
import { atFullCount } from '../../support/full-count.ts'
import { type Answer, type Call, Client } from '../../support/process/http-client.ts'
import { clientWith } from '../../support/process/keys.ts'

const operator = new Client()
/** The holder of a key with all scopes, who makes every call but the operator's. */
let member: Client
const ids: string[] = ['x', 'evt_000000000000000000x', '%00', '%ff', 'a%2Fb', '__proto__']

/** Every mounted call, with a place for an id. */
const ROUTES = createApp(() => relayOf(env))
  .routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
  .map(({ method, path }): [string, string] => [method, path])

const OPERATORS = new Set(
  routes.flatMap(({ definition: { method, path, scope } }) =>
    scope === 'operator' ? [`${method.toUpperCase()} /api/v1${path.replace(/\{(\w+)\}/g, ':$1')}`] : [],
  ),
)

beforeAll(async () => {
  const { id } = await operator.subscribe()
  const event = await operator.publish({ event: 'a', data: {}, id: 'own' })
  const [delivery] = await operator.settled(id, 'success', 1)
  ids.push(id, event.id, String(delivery?.id))
  member = await clientWith(operator, { role: 'integration-administrator' })
})

/** Refused or done, never a failure of ours, and always in one of the two shapes, or a stream of events. */
function expectSound(answer: Answer, sent: unknown): void {
  expect(answer.status, `${JSON.stringify(sent)?.slice(0, 2000)} → ${answer.text}`).toBeLessThan(500)
  const requestId = answer.headers.get('x-request-id')
  expect(requestId).toMatch(/^req_/)
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) return
  if (answer.status < 300) expect(answer.success).toBe(true)
  else expect(answer).toMatchObject({ success: false, error: { requestId, code: expect.any(String) } })
}

/** The names calls know, and names that break careless code. */
const name = fc.oneof(
  fc.constantFrom(
    ...['id', 'event', 'type', 'timestamp', 'created_at', 'livemode', 'api_version', 'workspace_id', 'data'],
    ...['context', 'events', 'url', 'secret', 'description', 'active', 'metadata', 'headers', 'retryPolicy'],
    ...['timeoutSeconds', 'profile', 'testData', 'maxRetries', 'schedule', 'tries', 'backoff', 'byEvent'],
    ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '\0', '\ud800'],
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      'a.b',
      '*',
      'a.*',
      'https://a.example.com/',
      'http://[::1]/',
      'whsec_',
      'whsec_AAAA',
      '2024-01-15T10:30:00Z',
    ],
    ...[null, true, 0, -1, 1e308, 5e-324, -0, 2 ** 53, {}, [], [[]]],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(name, tie('json'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))
/** A body that is right but for some members: it gets past the first checks. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom<object>(
      { event: 'a', data: {} },
      { url: 'https://a.example.com/', events: ['never.published'] },
      { events: [{ event: 'a', data: {} }, 5, { event: 'b', data: {} }] },
      { event: 'a', testData: {} },
      {},
    ),
    fc.dictionary(name, json, { maxKeys: 2, noNullPrototype: true }),
  )
  .map(([right, wrong]) => ({ ...right, ...wrong }))
const body = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(nearlyRight, json).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)
/** A name that is half a surrogate pair can be neither written as UTF-8 nor percent-encoded. */
const ALWAYS_TRIED: [string][] = [['{"\\ud800":{}}'], ['{"data":{"\\udc00":1}}']]
const headerText = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,30}[\x21-\x7e])?$/)
const BODY_ROUTES = ROUTES.filter(
  ([method, path]) => method !== 'GET' && method !== 'DELETE' && !path.endsWith('retry'),
)

async function send(method: string, path: string, id: string, call: Call): Promise<void> {
  const { body: text, ...rest } = call
  const mayCarry = method !== 'GET' && method !== 'DELETE'
  const client = OPERATORS.has(`${method} ${path.split('?')[0]}`) ? operator : member
  const answer = await client.call(method, path.replace(':id', id), mayCarry ? call : rest)
  expectSound(answer, { method, path, id, text, ...rest })
}

describe.each(BODY_ROUTES)('%s %s', (method, path) => {
  test('never answers 500, whatever the body', async () => {
    const isTest = path.endsWith('/test')
    await fc.assert(
      fc.asyncProperty(body, (text) => send(method, path, ids.at(-3) ?? '', { body: text })),
      { numRuns: atFullCount(isTest ? 60 : 250, { short: 15 }), examples: ALWAYS_TRIED },
    )
  })
})

test('no call answers 500, whatever the bytes of its body', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...BODY_ROUTES),
      fc.uint8Array({ maxLength: 60 }),
      ([method, path], bytes) => send(method, path, ids.at(-3) ?? '', { body: new Uint8Array(bytes) }),
    ),
    { numRuns: atFullCount(150, { short: 50 }) },
  )
})

describe.each(ROUTES.filter(([method]) => method === 'GET'))('%s %s', (method, path) => {
  const parameter = fc.oneof(
    fc.constantFrom('limit', 'cursor', 'event', 'status', 'dateFrom', 'dateTo', '__proto__', 'constructor'),
    fc.string({ unit: 'binary', maxLength: 8 }).map(encoded),
  )
  const value = fc.oneof(
    fc.constantFrom(
      ...[
        '1',
        '100',
        '0',
        'success',
        'a.b',
        '2024-01-15',
        '0000-01-01',
        '9999-12-31',
        '9999-12-31T23:59:59Z',
      ],
      ...['0001-01-01T00:00:00+23:59', '%', '%ff', '', btoa('999999999999999.log').replaceAll('=', '')],
      ...(['subscriptions', 'events', 'event-deliveries'] as const).map((list) =>
        btoa(`999999999999999.${list}`).replaceAll('=', ''),
      ),
    ),
    fc.string({ unit: 'binary', maxLength: 12 }).map(encoded),
    fc.date({ noInvalidDate: true }).map((date) => encoded(date.toISOString())),
  )

  test('never answers 500, whatever the query and the id', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.nat(20), fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).map(encoded)),
        fc.array(fc.tuple(parameter, value), { maxLength: 3 }),
        async (id, pairs) => {
          const query = pairs.map((pair) => pair.join('=')).join('&')
          const some = typeof id === 'number' ? (ids[id % ids.length] ?? '') : id
          await send(method, `${path}?${query}`, some, {})
        },
      ),
      { numRuns: atFullCount(80, { short: 12 }) },
    )
  })
})

test('no call answers 500, whatever its headers', async () => {
  const header = fc.tuple(
    fc.constantFrom(
      ...['Authorization', 'X-Company-Id', 'Idempotency-Key', 'Content-Type', 'Accept', 'X-Request-Id'],
    ),
    headerText,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ROUTES.filter(([method]) => method !== 'DELETE')),
      fc.array(header, { minLength: 1, maxLength: 3 }),
      ([method, path], headers) =>
        send(method, path, ids.at(-3) ?? '', {
          body: '{"event":"a","data":{}}',
          headers: Object.fromEntries(headers),
        }),
    ),
    { numRuns: atFullCount(300, { short: 60 }) },
  )
})

/** Percent-encoded, lone surrogates and all. */
function encoded(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

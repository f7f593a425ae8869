import { HTTPException } from 'hono/http-exception'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type ErrorBody, errorResponse, invalidInput } from '../../../src/api/error-response.ts'
import type { LogFields } from '../../../src/base/log.ts'
import { ERROR_CODES, invalidField, notFound, RelayError } from '../../../src/model/errors.ts'
import { publishedEventSchema } from '../../../src/model/event.ts'
import { createSubscriptionSchema } from '../../../src/subscription/input.ts'

const SECRET = 'whsec_hidden'

type Answer = {
  status: number
  headers: Headers
  error: ErrorBody['error']
  text: string
  logged: LogFields[]
}

async function answerTo(error: unknown): Promise<Answer> {
  const logged: LogFields[] = []
  const response = errorResponse(error, 'req_1', (event, fields) => logged.push({ event, ...fields }))
  const text = await response.text()
  const { status, headers } = response
  return { status, headers, error: (JSON.parse(text) as ErrorBody).error, text, logged }
}

function refusalOf(schema: z.ZodType, value: unknown, prefix = ''): RelayError {
  const parsed = schema.safeParse(value)
  if (parsed.success) throw new Error('the value is valid')
  return invalidInput(parsed.error, prefix)
}

function pathsOf(refusal: RelayError): string[] {
  return (refusal.details ?? []).map(({ path }) => path)
}

describe('an error nobody foresaw', () => {
  test.each([
    ['an Error', new Error(`cannot read ${SECRET}`)],
    ['a TypeError', new TypeError(`${SECRET} is not a function`)],
    ['a text', SECRET],
    ['an object', { secret: SECRET }],
    ['nothing', undefined],
    ['a broken constraint', new Error(`D1_ERROR: UNIQUE constraint failed: ${SECRET}`)],
    ['a syntax error in SQL', new Error(`D1_ERROR: near "${SECRET}": syntax error at offset 1`)],
    ['an HTTP exception of the server', new HTTPException(500, { message: SECRET })],
    ['stored data that is not as it should be', z.object({ url: z.string(SECRET) }).safeParse({}).error],
  ])('such as %s tells the client the request id and nothing else', async (_, error) => {
    expect((await answerTo(error)).text).toBe(
      '{"success":false,"error":{"code":"internal","message":"Something went wrong on our side; the request id will help to find out what.","requestId":"req_1"}}',
    )
  })

  test('is answered with 500', async () => {
    expect((await answerTo(new Error('x'))).status).toBe(500)
  })

  test('is logged with its request id', async () => {
    const { logged } = await answerTo(new Error('the cause'))
    expect(logged).toEqual([{ event: 'request.failed', requestId: 'req_1', error: 'Error: the cause' }])
  })
})

describe('a refusal', () => {
  test.each([
    ['invalid_request', 400],
    ['unauthorized', 401],
    ['forbidden', 403],
    ['not_found', 404],
    ['method_not_allowed', 405],
    ['conflict', 409],
    ['payload_too_large', 413],
    ['unsupported_media_type', 415],
    ['rate_limited', 429],
    ['internal', 500],
    ['unavailable', 503],
  ] as const)('as %s is answered with %i', async (code, status) => {
    expect((await answerTo(new RelayError(code, 'no'))).status).toBe(status)
  })

  test('has one of fourteen codes', () => {
    expect(ERROR_CODES).toHaveLength(14)
  })

  test.each([
    ['a refusal', new RelayError('conflict', 'no')],
    ['an unknown error', new Error('x')],
    ['a failing store', new Error('D1_ERROR: overloaded')],
  ])('carries the request id in its body, for %s', async (_, error) => {
    expect((await answerTo(error)).error.requestId).toBe('req_1')
  })

  test('carries the request id in its header', async () => {
    expect((await answerTo(notFound('event'))).headers.get('X-Request-Id')).toBe('req_1')
  })

  test('is JSON', async () => {
    expect((await answerTo(notFound('event'))).headers.get('Content-Type')).toBe(
      'application/json; charset=UTF-8',
    )
  })

  test('has no details when there are none', async () => {
    expect((await answerTo(notFound('event'))).error).not.toHaveProperty('details')
  })

  test('of one field names it', async () => {
    const { error } = await answerTo(invalidField('url', 'must be https'))
    expect(error.details).toEqual([{ path: 'url', message: 'must be https' }])
  })

  test('says after how many seconds to try again', async () => {
    const { headers } = await answerTo(new RelayError('unavailable', 'full', { retryAfterSeconds: 7 }))
    expect(headers.get('Retry-After')).toBe('7')
  })

  test('without such a time says nothing of it', async () => {
    expect((await answerTo(new RelayError('conflict', 'no'))).headers.has('Retry-After')).toBe(false)
  })

  test('for want of a key says how to authenticate', async () => {
    expect((await answerTo(new RelayError('unauthorized', 'no'))).headers.get('WWW-Authenticate')).toBe(
      'Bearer',
    )
  })

  test('is not logged as a failure', async () => {
    expect((await answerTo(notFound('event'))).logged).toEqual([])
  })

  test('by the framework keeps its sentence', async () => {
    const { error } = await answerTo(new HTTPException(400, { message: 'Malformed JSON' }))
    expect(error).toMatchObject({ code: 'invalid_request', message: 'Malformed JSON' })
  })
})

describe('a store that does not answer', () => {
  test.each([
    'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
    'D1_ERROR: Network connection lost.',
    'D1_ERROR: storage operation exceeded timeout which caused object to be reset.',
    'D1_ERROR: internal error',
    'Network connection lost.',
    'internal error; reference = te7fpgj8d3nu4aue3p2bi4sl',
    'put: Unspecified error (0)',
    'get: We encountered an internal error. Please try again. (10001)',
    'D1_ERROR: database is locked: SQLITE_BUSY',
    'D1 DB reset because its code was updated.',
    'D1_ERROR: no such table: event: SQLITE_ERROR',
    'D1_ERROR: no such column: s.pacing_level: SQLITE_ERROR',
    'D1_ERROR: table delivery has no column named crashes: SQLITE_ERROR',
  ])('%s is answered with 503 and a time to try again', async (message) => {
    const { status, headers } = await answerTo(new Error(message))
    expect([status, headers.get('Retry-After')]).toEqual([503, '2'])
  })

  test.each(['D1_ERROR: Exceeded maximum DB size.', 'D1_ERROR: database or disk is full: SQLITE_FULL'])(
    '%s is answered with 503 and a longer time: space does not come back by itself',
    async (message) => {
      const { status, headers, error } = await answerTo(new Error(message))
      expect([status, headers.get('Retry-After')]).toEqual([503, '60'])
      expect(error.message).toMatch(/is full/)
    },
  )

  test('is not quoted', async () => {
    expect((await answerTo(new Error('D1_ERROR: internal error 0xdead'))).text).not.toContain('0xdead')
  })
})

describe('a validation error', () => {
  const FINE = { event: 'a', data: {} }

  test.each([
    ['a wrong member', publishedEventSchema, { ...FINE, data: [] }, '', ['data']],
    [
      'a wrong member of one of several',
      publishedEventSchema,
      { ...FINE, data: 1 },
      'events[3]',
      ['events[3].data'],
    ],
    ['an unknown member', publishedEventSchema, { ...FINE, x: 1, y: 2 }, '', ['x', 'y']],
    [
      'an unknown member of one of several',
      publishedEventSchema,
      { ...FINE, x: 1 },
      'events[0]',
      ['events[0].x'],
    ],
    ['a value of the wrong kind', publishedEventSchema, null, '', ['body']],
    ['one of several of the wrong kind', publishedEventSchema, 7, 'events[9]', ['events[9]']],
    ['an element', createSubscriptionSchema, { url: 'a', events: ['a', '!'] }, '', ['events[1]']],
    [
      'an unknown member deep inside',
      createSubscriptionSchema,
      { url: 'a', events: ['a'], retryPolicy: { x: 1 } },
      '',
      ['retryPolicy.x'],
    ],
    ['everything that is missing', createSubscriptionSchema, {}, '', ['url', 'events']],
  ])('names %s', (_, schema, value, prefix, paths) => {
    expect(pathsOf(refusalOf(schema, value, prefix))).toEqual(paths)
  })

  test('begins with its first field and counts the others', () => {
    const { message } = refusalOf(publishedEventSchema, { ...FINE, x: 1, y: 2 })
    expect(message).toBe('x: is not a field of this request (and 1 more; see details)')
  })

  test.each([
    ['a missing field', z.object({ a: z.string() }), {}, 'is required (string)'],
    ['a field of another type', z.object({ a: z.string() }), { a: 1 }, 'must be string, not number'],
    ['an unknown field', z.strictObject({}), { a: 1 }, 'is not a field of this request'],
  ])('says of %s what would be right', (_, schema, value, message) => {
    expect(refusalOf(schema, value).details).toEqual([{ path: 'a', message }])
  })

  test('cuts a name somebody made long', () => {
    expect(pathsOf(refusalOf(z.strictObject({}), { ['n'.repeat(5_000)]: 1 }))).toEqual(['n'.repeat(100)])
  })

  test('never repeats a wrong value', () => {
    const refusal = refusalOf(createSubscriptionSchema, { url: 1, events: [SECRET], secret: [SECRET] })
    expect(JSON.stringify([refusal.message, refusal.details])).not.toContain('hidden')
  })

  test('is answered with 400 and every field', async () => {
    const { status, error } = await answerTo(refusalOf(createSubscriptionSchema, {}))
    expect([status, error.details?.length]).toEqual([400, 2])
  })
})

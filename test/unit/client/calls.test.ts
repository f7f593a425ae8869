import { afterEach, describe, expect, test } from 'vitest'
import {
  isPosthornError,
  Posthorn,
  PosthornError,
  type PosthornOptions,
} from '../../../packages/client/src/index.ts'
import { ok, refused, type StubAnswer, StubRelay } from './stub-relay.ts'

const QUICK = { firstDelayMs: 1, maxDelayMs: 2 }
const event = { event: 'invoice.paid', data: { total: 1 } }

let relay: StubRelay
afterEach(async () => await relay?.close())

async function clientOf(
  answer: StubRelay['answer'],
  options: Partial<PosthornOptions> = {},
): Promise<Posthorn> {
  relay = await StubRelay.start(answer)
  return new Posthorn({ url: relay.url, key: 'ph_key', workspace: 'acme', retries: QUICK, ...options })
}

async function errorOf(call: Promise<unknown>): Promise<PosthornError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(PosthornError)
  return error as PosthornError
}

/** The given answers in turn, the last one for good. */
const inTurn =
  (...answers: (StubAnswer | null)[]) =>
  (_: unknown, no: number) =>
    answers[Math.min(no, answers.length) - 1] ?? null

describe('a call', () => {
  test('has the key, the workspace, its path and its body', async () => {
    const posthorn = await clientOf(() => ok({ id: 'webhook_1' }))
    await posthorn.subscriptions.update('a/b c', { active: false })
    expect(relay.seen).toMatchObject([
      {
        method: 'PATCH',
        path: '/api/v1/webhooks/a%2Fb%20c',
        headers: {
          authorization: 'Bearer ph_key',
          'x-company-id': 'acme',
          'content-type': 'application/json',
        },
        body: '{"active":false}',
      },
    ])
  })

  test('of any path is made by its template', async () => {
    const posthorn = await clientOf(() => ok({ id: 'webhook_1' }))
    const path = { id: 'webhook_1' }
    await posthorn.call('post', '/api/v1/webhooks/{id}/replay', { path, body: { dryRun: true } })
    await posthorn.deliveries.list({ status: 'failed,skipped' }).page()
    await posthorn.subscriptions.check('webhook_1')
    await posthorn.diagnose({ headers: {}, body: '{}' })
    await posthorn.statistics({ window: '7d' })
    await posthorn.deliveries.attempt('log_1', 2)
    await posthorn.portalTokens.deleteAll()
    expect(relay.seen.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
      'POST /api/v1/webhooks/webhook_1/replay {"dryRun":true}',
      'GET /api/v1/deliveries?status=failed%2Cskipped ',
      'POST /api/v1/webhooks/webhook_1/check ',
      'POST /api/v1/verify {"headers":{},"body":"{}"}',
      'GET /api/v1/statistics?window=7d ',
      'GET /api/v1/deliveries/log_1/attempts/2 ',
      'DELETE /api/v1/portal-tokens ',
    ])
  })

  test('in another workspace names that one', async () => {
    const posthorn = await clientOf(() => ok({}))
    await posthorn.in('other').session()
    expect(relay.seen[0]?.headers['x-company-id']).toBe('other')
  })

  test('with an id that would make it another call is not made', async () => {
    const posthorn = await clientOf(() => ok({}))
    for (const id of ['', '.', '..']) await expect(posthorn.events.get(id)).rejects.toBeInstanceOf(TypeError)
    expect(relay.seen).toEqual([])
  })
})

describe('a call that fails for the moment', () => {
  test.each([
    ['429', refused(429, 'rate_limited', { 'Retry-After': '0' })],
    ['500', refused(500, 'internal')],
    ['503', refused(503, 'unavailable')],
    ['a page of a proxy', { status: 502, text: '<html>Bad gateway</html>' }],
    [
      'an Idempotency-Key whose first request is being answered',
      refused(409, 'conflict', { 'Retry-After': '0' }),
    ],
    ['a connection that is cut', null],
  ])('is made again: %s', async (_, failure) => {
    const posthorn = await clientOf(
      inTurn(failure, failure, ok({ id: 'evt_1', status: 'accepted', matched: 1 })),
    )
    expect(await posthorn.events.publish(event)).toMatchObject({ id: 'evt_1' })
    expect(relay.seen).toHaveLength(3)
  })

  test('is made again under the same Idempotency-Key, which is another one for each call', async () => {
    const posthorn = await clientOf(inTurn(refused(503, 'unavailable'), ok({ id: 'evt_1' })))
    await posthorn.events.publish(event)
    await posthorn.events.publish(event)
    const [first, second, third] = relay.seen.map(({ headers }) => headers['idempotency-key'])
    expect(first).toMatch(/^[A-Za-z0-9_:-]{1,128}$/)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
  })

  test('waits for as long as Retry-After says', async () => {
    const posthorn = await clientOf(
      inTurn(refused(503, 'unavailable', { 'Retry-After': '1' }), ok({ id: 'evt_1' })),
    )
    const startedAt = performance.now()
    await posthorn.events.publish(event)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990)
  })

  test('is given up after its retries, and at once where Retry-After asks for too much', async () => {
    const posthorn = await clientOf(() => refused(503, 'unavailable'))
    expect(await errorOf(posthorn.events.publish(event))).toMatchObject({ code: 'unavailable', status: 503 })
    expect(relay.seen).toHaveLength(5)
    expect((await errorOf(posthorn.events.publish(event, { maxRetries: 1 }))).isTransient).toBe(true)
    expect(relay.seen).toHaveLength(7)
    relay.answer = () => refused(429, 'rate_limited', { 'Retry-After': '3600' })
    const error = await errorOf(posthorn.events.publish(event))
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 })
    expect(relay.seen).toHaveLength(8)
  })
})

describe('a call that is refused', () => {
  test.each([
    [400, 'invalid_request'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [409, 'conflict'],
    [410, 'gone'],
    [413, 'payload_too_large'],
  ])('%i is not made again, and is an error of its code', async (status, code) => {
    const posthorn = await clientOf(() => refused(status, code))
    const error = await errorOf(posthorn.events.publish(event))
    expect(error).toMatchObject({ code, status, requestId: 'req_1', isTransient: false })
    expect(isPosthornError(error)).toBe(true)
    expect(relay.seen).toHaveLength(1)
  })

  test('names the fields', async () => {
    const details = [{ path: 'event', message: 'must be an event type' }]
    const error = { code: 'invalid_request', message: 'event: must be', details, requestId: 'req_2' }
    const posthorn = await clientOf(() => ({ status: 400, json: { success: false, error } }))
    expect(await errorOf(posthorn.events.publish(event))).toMatchObject({ details, requestId: 'req_2' })
  })
})

describe('what is no answer of a relay', () => {
  test.each([
    [
      'a page',
      { status: 200, text: '<html>' },
      'unexpected_answer',
      /answered 200, not by a relay's API: <html>/,
    ],
    ['nothing', { status: 204, text: '' }, 'unexpected_answer', /answered 204/],
    ['a code of a later version', refused(418, 'teapot'), 'unexpected_answer', /refused as teapot/],
    [
      'a redirect, which would take the key elsewhere',
      { status: 301, text: '', headers: { Location: 'https://elsewhere.example.com/' } },
      'unexpected_answer',
      /redirected to https:\/\/elsewhere/,
    ],
  ])('is an error that says so: %s', async (_, answer, code, message) => {
    const posthorn = await clientOf(() => answer)
    const error = await errorOf(posthorn.events.publish(event))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(relay.seen).toHaveLength(1)
  })

  test('a relay that does not run is named, with what was wrong', async () => {
    const posthorn = await clientOf(() => null)
    const { url } = relay
    await relay.close()
    const error = await errorOf(posthorn.session())
    expect(error).toMatchObject({ code: 'connection', status: null })
    expect(error.message).toContain(url)
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('one that does not answer in time is told', async () => {
    const posthorn = await clientOf(() => new Promise<StubAnswer>(() => undefined), { timeoutMs: 200 })
    expect(await errorOf(posthorn.session({ maxRetries: 1 }))).toMatchObject({ code: 'timeout' })
    expect(relay.seen).toHaveLength(2)
  })
})

describe("a caller's signal", () => {
  test('ends a call that is on its way, with the reason of the signal', async () => {
    const posthorn = await clientOf(() => new Promise<StubAnswer>(() => undefined))
    const controller = new AbortController()
    const call = posthorn.session({ signal: controller.signal })
    controller.abort(new Error('the page was left'))
    await expect(call).rejects.toThrow('the page was left')
  })

  test('ends the wait for a retry', async () => {
    const posthorn = await clientOf(() => refused(503, 'unavailable', { 'Retry-After': '50' }))
    const controller = new AbortController()
    const call = posthorn.session({ signal: controller.signal })
    await expect.poll(() => relay.seen.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  test('that is aborted already lets nothing be sent', async () => {
    const posthorn = await clientOf(() => ok({}))
    await expect(posthorn.session({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    expect(relay.seen).toEqual([])
  })
})

describe('an answer that is a file', () => {
  test('is given as it stands, and outlives the time for an answer', async () => {
    const posthorn = await clientOf(() => ({ status: 200, text: 'gzip' }), { timeoutMs: 100 })
    const response = await posthorn.archives.download('archive_1')
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await response.text()).toBe('gzip')
  })

  test('that is refused is an error, as any other', async () => {
    const posthorn = await clientOf(() => refused(404, 'not_found'))
    expect(await errorOf(posthorn.archives.download('none'))).toMatchObject({ code: 'not_found' })
  })
})

describe('a list', () => {
  const pages: Record<string, StubAnswer> = {
    '/api/v1/events?event=invoice.*&limit=2': ok([{ id: 'a' }, { id: 'b' }], 'x'),
    '/api/v1/events?event=invoice.*&limit=2&cursor=x': ok([], 'y'),
    '/api/v1/events?event=invoice.*&limit=2&cursor=y': ok([{ id: 'c' }], null),
  }
  const query = { event: 'invoice.*', limit: 2 }
  const serve = () => clientOf(({ path }) => pages[decodeURIComponent(path)] ?? refused(404, 'not_found'))
  const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id)

  test('is walked over all its pages, empty ones too', async () => {
    const posthorn = await serve()
    const found: string[] = []
    for await (const { id } of posthorn.events.list(query)) found.push(id)
    expect(found).toEqual(['a', 'b', 'c'])
    expect(relay.seen).toHaveLength(3)
  })

  test('asks for no page that is not needed', async () => {
    const posthorn = await serve()
    expect(ids(await posthorn.events.list(query).take(2))).toEqual(['a', 'b'])
    expect(await posthorn.events.list(query).page()).toMatchObject({ nextCursor: 'x' })
    expect(relay.seen).toHaveLength(2)
  })
})

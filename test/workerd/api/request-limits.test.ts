import { describe, expect, test } from 'vitest'
import { BODY_DEPTH_MAX } from '../../../src/api/body/body.ts'
import {
  HEADER_BYTES_MAX,
  HEADERS_BYTES_MAX,
  HEADERS_MAX,
  PARAMETER_CHARS_MAX,
  PARAMETERS_MAX,
  URL_CHARS_MAX,
} from '../../../src/api/request/limits.ts'
import { routes } from '../../../src/api/v1/routes.ts'
import { Client, expectInvalid, expectRefusal } from '../../support/process/http-client.ts'

const client = new Client()
const CALLS = routes.map(({ definition: { method, path } }): [string, string] => [
  method.toUpperCase(),
  path.replace(/\{\w+\}/g, 'nothing'),
])

describe.each(CALLS)('%s %s', (method, path) => {
  test('refuses a path that is too long with 414, and names it', async () => {
    const answer = await client.call(method, `${path}?a=${'b'.repeat(URL_CHARS_MAX)}`)
    expectRefusal(answer, 414, 'uri_too_long')
    expect(answer.error.details?.[0]?.path).toBe('path')
  })

  test('refuses headers that are too many or too large with 431, and names them', async () => {
    const many = Object.fromEntries(Array.from({ length: HEADERS_MAX + 1 }, (_, i) => [`X-${i}`, 'x']))
    expectRefusal(await client.call(method, path, { headers: many }), 431, 'headers_too_large')
    const large = await client.call(method, path, { headers: { 'X-Large': 'x'.repeat(9_000) } })
    expectRefusal(large, 431, 'headers_too_large')
    expect(large.error.details?.[0]?.path).toBe('x-large')
  })

  test('refuses too many query parameters with 400, and a large one by its name', async () => {
    expectInvalid(await client.call(method, `${path}?${'a=1&'.repeat(60)}`), 'query', /at most 50 parameters/)
    const large = await client.call(method, `${path}?cursor=${'x'.repeat(3_000)}`)
    expectInvalid(large, 'cursor', /at most 2,048 characters/)
  })
})

test('a request without a key is told no more of its limits than one with', async () => {
  const headers = { Authorization: null, 'X-Large': 'x'.repeat(9_000) }
  expectRefusal(await client.get('/webhooks', { headers }), 431, 'headers_too_large')
})

/** Calls that read a body. */
const BODY_CALLS = routes.flatMap(({ definition: { method, path, body, sentBody } }) =>
  body === undefined && sentBody === undefined
    ? []
    : [[method.toUpperCase(), path.replace(/\{\w+\}/g, 'nothing')] as const],
)

describe.each(BODY_CALLS)('%s %s', (method, path) => {
  test.each([
    ['lists', (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`],
    ['objects', (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`],
  ])('refuses %s nested too deep with the limit, whatever member they are in', async (_, nested) => {
    const member = method === 'POST' ? 'data' : 'transform'
    for (const depth of [BODY_DEPTH_MAX, 100_000]) {
      const answer = await client.call(method, path, { body: `{"${member}":${nested(depth)}}` })
      expectInvalid(answer, 'body', new RegExp(`nested at most ${BODY_DEPTH_MAX} levels deep`))
    }
    const { status, text } = await client.call(method, path, {
      body: `{"${member}":${nested(BODY_DEPTH_MAX - 1)}}`,
    })
    expect(status, text).toBeLessThan(500)
    expect(text).not.toContain(`${BODY_DEPTH_MAX} levels`)
  })
})

test('a body that does not end is broken JSON, or nested too deep', async () => {
  for (const [depth, message] of [
    [BODY_DEPTH_MAX, /ends too early/],
    [1_000, /ends too early/],
    [100_000, /nested at most/],
  ] as const) {
    expectInvalid(await client.call('POST', '/events', { body: '['.repeat(depth) }), 'body', message)
  }
})

test('the API document says how large a head and how deep a body may be', async () => {
  const { text } = await client.get('/openapi.json')
  const shown = [BODY_DEPTH_MAX, URL_CHARS_MAX, HEADERS_MAX, HEADER_BYTES_MAX, HEADERS_BYTES_MAX]
  for (const limit of [...shown, PARAMETERS_MAX, PARAMETER_CHARS_MAX])
    expect(text).toMatch(new RegExp(`description":"[^"]*\\b${limit.toLocaleString('en-US')}\\b`))
})

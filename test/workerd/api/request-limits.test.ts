import { describe, expect, test } from 'vitest'
import { HEADERS_MAX, URL_CHARS_MAX } from '../../../src/api/request/limits.ts'
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

/** Calls with a body of the tenant's. */
const BODY_CALLS = CALLS.filter(
  ([method, path]) => method !== 'GET' && method !== 'DELETE' && path !== '/key-rotation',
)

describe.each(BODY_CALLS)('%s %s', (method, path) => {
  test.each([
    ['lists', (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`],
    ['objects', (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`],
  ])('refuses %s nested 100,000 deep, whatever member they are in', async (_, nested) => {
    const deep = nested(100_000)
    for (const member of [
      'data',
      'rules',
      'filters',
      'metadata',
      'transform',
      'schema',
      'testData',
      'event',
    ]) {
      const answer = await client.call(method, path, { body: `{"${member}":${deep}}` })
      expect([400, 404, 413], answer.text.slice(0, 300)).toContain(answer.status)
    }
  })
})

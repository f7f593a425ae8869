import { describe, expect, test } from 'vitest'
import { appWith, Client, expectRefusal } from '../../support/process/http-client.ts'

const APP = 'https://app.example.com'
/** A client of a relay that lets pages of some origins call, and how its preflights are answered. */
function allowing(...corsOrigins: string[]) {
  const target = appWith(({ settings }) => ({ settings: { ...settings, corsOrigins } }))
  const preflight = (origin: string) =>
    target(
      new Request('https://relay.example.com/api/v1/webhooks', {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization,content-type',
        },
      }),
    )
  return { client: new Client(undefined, { target }), preflight }
}

describe('a page of a named origin', () => {
  const { client, preflight } = allowing(APP, 'http://localhost:5173')

  test('is answered its preflight without a key, and told what it may send', async () => {
    const { status, headers } = await preflight(APP)
    expect(status).toBe(204)
    expect(headers.get('Access-Control-Allow-Origin')).toBe(APP)
    expect(headers.get('Access-Control-Allow-Methods')).toContain('PATCH')
    for (const name of ['Authorization', 'MCP-Protocol-Version'])
      expect(headers.get('Access-Control-Allow-Headers')).toContain(name)
    expect(headers.get('Access-Control-Max-Age')).toBe('7200')
    expect(headers.get('Vary')).toContain('Origin')
  })

  test.each([APP, 'http://localhost:5173'])('may read answers: %s', async (origin) => {
    const { status, headers } = await client.get('/webhooks', { headers: { Origin: origin } })
    expect([status, headers.get('Access-Control-Allow-Origin')]).toEqual([200, origin])
    expect(headers.get('Access-Control-Expose-Headers')).toContain('X-Request-Id')
    expect(headers.get('Vary')).toContain('Origin')
  })

  test('may read refusals, which need a key all the same', async () => {
    const answer = await client.get('/webhooks', { headers: { Origin: APP, Authorization: null } })
    expectRefusal(answer, 401, 'unauthorized')
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(APP)
  })

  test('never sends cookies', async () => {
    for (const { headers } of [
      await preflight(APP),
      await client.get('/webhooks', { headers: { Origin: APP } }),
    ])
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
  })
})

describe('a page of another origin', () => {
  test.each([
    'https://app.example.com.evil.example',
    'https://evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://sub.app.example.com',
    'HTTPS://APP.EXAMPLE.COM',
    'null',
    '*',
  ])('may not: %s', async (origin) => {
    const { client, preflight } = allowing(APP)
    expect((await preflight(origin)).status).toBe(401)
    const { status, headers } = await client.get('/webhooks', { headers: { Origin: origin } })
    expect([status, headers.get('Access-Control-Allow-Origin')]).toEqual([200, null])
    expect(headers.get('Vary')).toContain('Origin')
  })
})

test('without configured origins no page may, and no answer speaks of origins', async () => {
  const { client, preflight } = allowing()
  expect((await preflight(APP)).status).toBe(401)
  const { headers } = await client.get('/webhooks', { headers: { Origin: APP } })
  expect([headers.get('Access-Control-Allow-Origin'), headers.get('Vary')]).toEqual([null, null])
})

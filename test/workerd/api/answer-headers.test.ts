import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { relayOf } from '../../../src/relay.ts'
import { appOf, appWith, Client } from '../../support/process/http-client.ts'

const unconfigured = new Client(undefined, { target: appOf(() => ({ ok: false, message: 'no key is set' })) })

describe('an answer is data of the type it says: it stays out of caches and frames, runs nothing and tells nobody', () => {
  test.each<[string, () => Promise<{ status: number; headers: Headers }>, number]>([
    [
      'a creation',
      () => new Client().post('/webhooks/subscribe', { url: 'https://a.example.com', events: ['*'] }),
      201,
    ],
    ['a refusal', () => new Client().get('/webhooks/nowhere'), 404],
    ['a call without a key', () => new Client().get('/webhooks', { headers: { Authorization: null } }), 401],
    ['a path that is none', () => new Client().get('/nowhere'), 404],
    ['a verb that is none', () => new Client().call('PUT', '/events'), 405],
    ['a head that is too large', () => new Client().get(`/webhooks?a=${'b'.repeat(9_000)}`), 414],
    ['a relay without secrets', () => unconfigured.get('/webhooks'), 503],
    ['the metrics', () => new Client().get('/metrics'), 200],
    ['the API document', () => new Client().get('/openapi.json'), 200],
  ])('%s', async (_, call, status) => {
    const answer = await call()
    expect(answer.status).toBe(status)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'strict-transport-security': 'max-age=31536000',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('no cache keeps one that does not allow it', async () => {
    expect((await new Client().get('/webhooks')).headers.get('Cache-Control')).toBe('no-store')
  })

  test('over http there is no word of https', async () => {
    const local = new Client(undefined, {
      origin: 'http://127.0.0.1:8787',
      target: appOf(() => relayOf(env)),
    })
    expect((await local.get('/webhooks')).headers.get('Strict-Transport-Security')).toBeNull()
  })
})

describe('the portal', () => {
  const policyOf = async (portalFrameAncestors: string[], path: string) => {
    const target = appWith(({ settings }) => ({ settings: { ...settings, portalFrameAncestors } }))
    const { headers } = await target(new Request(`https://relay.example.com${path}`))
    return headers.get('Content-Security-Policy')
  }

  test('is shown in frames of the origins that the operator names, and nothing else is', async () => {
    const origins = ['https://app.example.com', 'https://b.example.com']
    expect(await policyOf(origins, '/portal')).toContain(`frame-ancestors ${origins.join(' ')}`)
    expect(await policyOf(origins, '/portal/subscriptions')).toContain(origins.join(' '))
    for (const path of ['/api/v1/webhooks', '/portals', '/api/portal', '/'])
      expect(await policyOf(origins, path)).toContain("frame-ancestors 'none'")
  })

  test('is shown in no frame where none is named', async () => {
    expect(await policyOf([], '/portal')).toContain("frame-ancestors 'none'")
  })
})

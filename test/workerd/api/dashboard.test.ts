import { createExecutionContext, env } from 'cloudflare:test'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../src/api/app.ts'
import { relayOf } from '../../../src/relay.ts'

const PAGE = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const FILES: Record<string, [type: string, text: string]> = {
  '/': ['text/html; charset=utf-8', '<!doctype html>'],
  '/favicon.svg': ['image/svg+xml', '<svg/>'],
  '/assets/index-8f3c.js': ['text/javascript; charset=utf-8', 'export {}'],
}
/** Stands for the platform's assets. */
const ASSETS = {
  fetch: async (request: Request) => {
    const [type, text] = FILES[new URL(request.url).pathname] ?? []
    if (type === undefined) return new Response(null, { status: 404 })
    return new Response(request.method === 'HEAD' ? null : text, { headers: { 'Content-Type': type } })
  },
}

const app = createApp(relayOf)

async function ask(path: string, init: RequestInit = {}, bindings: object = { ASSETS }): Promise<Response> {
  const request = new Request(`https://relay.example.com${path}`, init)
  return await app.fetch(request, { ...env, ...bindings } as Env, createExecutionContext())
}

describe('the dashboard', () => {
  test.each(['/', '/events', '/subscriptions/webhook_1?status=failed', '/w/acme/', '/portal', '/nowhere'])(
    'is the one document at %s, under a policy that lets it run and load its own files only',
    async (path) => {
      const answer = await ask(path, { headers: PAGE })
      expect(answer.status).toBe(200)
      expect(await answer.text()).toBe('<!doctype html>')
      const policy = answer.headers.get('Content-Security-Policy') ?? ''
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'strict-transport-security': 'max-age=31536000',
      })
    },
  )

  test('has files that run nothing when they are opened by themselves', async () => {
    const answer = await ask('/favicon.svg')
    expect(answer.headers.get('Content-Type')).toBe('image/svg+xml')
    expect(answer.headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  })

  test('has files that are kept for good where their name changes with their content', async () => {
    const caching = async (path: string) => (await ask(path)).headers.get('Cache-Control')
    expect(await caching('/assets/index-8f3c.js')).toBe('public, max-age=31536000, immutable')
    expect(await caching('/favicon.svg')).toBe('no-cache')
  })

  test.each(['/docs', '/docs/api/publishEvents', '/portal'])(
    'is at %s for who takes any form, not for who asks for JSON',
    async (path) => {
      for (const headers of [{ accept: '*/*' }, {}]) {
        const answer = await ask(path, { headers })
        expect([answer.status, await answer.text()]).toEqual([200, '<!doctype html>'])
      }
      expect((await ask(path, { headers: { accept: 'application/json' } })).status).toBe(404)
    },
  )

  test('answers HEAD like GET', async () => {
    const answer = await ask('/events', { method: 'HEAD', headers: PAGE })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })
})

describe('a call stays one, also where a browser asks for a page', () => {
  test.each([
    ['GET', '/api/v1/nowhere', 401],
    ['GET', '/v1/nowhere', 401],
    ['GET', '/api/v2/events', 404],
    ['GET', '/in/nowhere', 404],
    ['GET', '/healthz', 200],
    ['GET', '/openapi.json', 200],
    ['POST', '/events', 404],
    ['GET', '/assets/index-0000.js', 404],
  ])('%s %s', async (method, path, status) => {
    const answer = await ask(path, { method, headers: PAGE })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('Content-Type')).toMatch(/^application\/json/)
  })

  test('and where no page is asked for, an address that is none is not found', async () => {
    const answer = await ask('/nowhere', { headers: { accept: '*/*' } })
    expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'not_found' } }])
  })

  test('and where the relay has no assets, there are no pages', async () => {
    expect((await ask('/', { headers: PAGE }, { ASSETS: undefined })).status).toBe(404)
  })
})

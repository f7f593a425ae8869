import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { routes } from '../../../src/api/v1/routes.ts'
import { atFullCount } from '../../support/full-count.ts'
import { ADMIN_KEY, type Answer, Client } from '../../support/process/http-client.ts'
import { receivers } from '../../support/receivers/receivers.ts'

/** Texts that must come back nowhere, each in a place where the relay keeps a secret. */
const CANARIES = {
  secret: `whsec_${btoa('canary-of-a-signing-secret-0001')}`,
  header: 'canary-of-a-header-0002',
  password: 'canary-of-a-password-0003',
  token: 'canary-of-a-bearer-token-0004',
  query: 'canary-of-a-query-0005',
  payload: 'canary-of-a-payload-0006',
}
const client = new Client()
const ids: Record<string, string> = {}
const lines: string[] = []

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)))
  const auths = [
    { type: 'basic', username: 'user', password: CANARIES.password },
    { type: 'bearer', token: CANARIES.token },
  ]
  const query = { url: `https://receiver.example.com/?api_key=${CANARIES.query}`, active: false }
  await client.subscribe(query)
  for (const auth of auths) {
    const url = receivers.url({ status: 500 })
    const settings = { url, auth, secret: CANARIES.secret, headers: { 'X-Api-Key': CANARIES.header } }
    ids['webhooks'] = (await client.subscribe(settings)).id
  }
  ids['events'] = (await client.publish({ event: 'a', data: { text: CANARIES.payload } })).id
  const [row] = await client.settled(ids['webhooks'] ?? '', 'failed', 1)
  ids['deliveries'] = String(row?.id)
})

afterAll(() => {
  vi.restoreAllMocks()
})

/** The secrets that the relay itself is given, and the ones of its subscriptions. */
const SECRETS = [
  ...[CANARIES.secret, CANARIES.header, CANARIES.password, CANARIES.token, CANARIES.query],
  ...[ADMIN_KEY, String((env as unknown as Record<string, unknown>)['KEY_ENCRYPTION_KEY'])],
]
/** Files, functions and statements of the relay: nothing of them helps a caller. */
const INSIDE = /\.ts:\d|\bat \w+ \(|node_modules|\bSELECT \w|\bSQLITE_|D1_ERROR/

/** Calls that show a secret because they are for that, or echo the body they were sent. */
const SHOWING = new Set(['getSecret', 'rotateSecret', 'createSubscription', 'previewDraft'])

function expectNothingTold(answer: Answer, isShowing: boolean): void {
  expect(answer.status, answer.text).toBeLessThan(500)
  expect(answer.text).not.toMatch(INSIDE)
  const told = answer.text + JSON.stringify([...answer.headers])
  if (!isShowing) for (const secret of SECRETS) expect(told).not.toContain(secret)
}

const CALLS = routes.map(({ definition }) => definition)
const idOf = (path: string) => ids[path.split('/')[1] ?? ''] ?? 'none'

test.each(CALLS.map(({ method, path, operationId }) => [method.toUpperCase(), path, operationId] as const))(
  'no answer of %s %s tells a secret or anything of the inside, whatever it is sent',
  async (method, path, operationId) => {
    const member = fc.constantFrom(
      'url',
      'auth',
      'headers',
      'event',
      'data',
      'events',
      'rules',
      'transform',
      'limit',
    )
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('{{', '%00', '../..', "' OR 1=1 --", '\u0000'),
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(member, value, { maxKeys: 3 }), value, async (json, text) => {
        const id =
          typeof text === 'string' && text !== '' ? encodeURIComponent(text.toWellFormed()) : idOf(path)
        for (const own of [idOf(path), id]) {
          const target = path.replace(/\{\w+\}/, own)
          // A deletion would end the test's own subscription, and the workspace with it.
          if (method === 'DELETE' && own === idOf(path)) continue
          const call = method === 'GET' || method === 'DELETE' ? {} : { json }
          expectNothingTold(await client.call(method, target, call), SHOWING.has(operationId))
        }
      }),
      { numRuns: atFullCount(40, { short: 4 }) },
    )
  },
)

test('a wrong key is not repeated in the answer', async () => {
  const wrong = 'canary-of-a-wrong-key-0007'
  const answer = await client.get('/webhooks', { headers: { Authorization: `Bearer ${wrong}` } })
  expect(answer.text + JSON.stringify([...answer.headers])).not.toContain(wrong)
})

test('no log line of all this has a secret, a payload or a stack in it', () => {
  expect(lines.length).toBeGreaterThan(0)
  const all = lines.join('\n')
  for (const secret of [...SECRETS, CANARIES.payload]) expect(all).not.toContain(secret)
  expect(all).not.toMatch(/\.ts:\d|\\n\s+at /)
})

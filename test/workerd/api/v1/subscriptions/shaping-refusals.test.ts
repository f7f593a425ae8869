import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { appWith, Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { oauth, SHAPING_REFUSALS } from './shaping-cases.ts'

const good = { url: 'https://a.example.com/hooks', events: ['*'] }
const client = new Client()

/** Two facts of one field are two details: what counts is that each names a field and says what would be right. */
const isAbout = (path: string) => (each: { path: string }) => each.path === path

describe('POST /webhooks/subscribe refuses, by path:', () => {
  test.each(SHAPING_REFUSALS)('%s', async (_, fields, path, message) => {
    const answer = await client.post('/webhooks/subscribe', { ...good, ...fields })
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.details?.find(isAbout(path))?.message, answer.text.slice(0, 500)).toMatch(message)
  })

  test('and has written nothing', async () => {
    const fresh = new Client()
    for (const [, fields] of SHAPING_REFUSALS) await fresh.post('/webhooks/subscribe', { ...good, ...fields })
    const count =
      'SELECT count(*) AS n FROM subscription WHERE workspace_no = (SELECT no FROM workspace WHERE id = ?1)'
    expect(await env.DB.prepare(count).bind(fresh.workspace).first('n')).toBe(0)
  })
})

test.each(SHAPING_REFUSALS)('POST /webhooks/preview refuses %s', async (_, fields, path, message) => {
  const answer = await client.post('/webhooks/preview', { subscription: { ...good, ...fields } })
  expectRefusal(answer, 400, 'invalid_request')
  const detail = answer.error.details?.find(isAbout(`subscription.${path}`))
  expect(detail?.message, answer.text.slice(0, 500)).toMatch(message)
})

describe('PUT /webhooks/{id} refuses the same, by path:', () => {
  let id: string
  let before: unknown
  const row = () => env.DB.prepare('SELECT * FROM subscription WHERE id = ?1').bind(id).first()
  beforeAll(async () => {
    id = (await client.subscribe()).id
    before = await row()
  })

  test.each(SHAPING_REFUSALS)('%s', async (_, fields, path, message) => {
    const answer = await client.call('PUT', `/webhooks/${id}`, { json: fields })
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.details?.find(isAbout(path))?.message, answer.text.slice(0, 500)).toMatch(message)
    expect(await row()).toEqual(before)
  })
})

test.each([
  ['filters', '"filters":{"__proto__":1}', 'filters.__proto__'],
  ['a filter', '"filters":{"a":{"__proto__":1}}', 'filters.a.__proto__'],
  [
    'a condition',
    '"conditions":[{"field":"a","operator":"eq","value":1,"__proto__":1}]',
    'conditions[0].__proto__',
  ],
  ['transform', '"transform":{"template":"x","__proto__":1}', 'transform.__proto__'],
  ['custom', '"profile":"custom","custom":{"signature":{"header":"X-A"},"__proto__":1}', 'custom.__proto__'],
  [
    'custom.signature',
    '"profile":"custom","custom":{"signature":{"header":"X-A","__proto__":1}}',
    'custom.signature.__proto__',
  ],
  ['auth', '"auth":{"type":"bearer","token":"t","__proto__":{}}', 'auth.__proto__'],
  [
    'claims',
    '"auth":{"type":"jwt","algorithm":"HS256","key":"12345678","claims":{"__proto__":"x"}}',
    'auth.claims.__proto__',
  ],
  ['the subscription', '"__proto__":{"active":false}', '__proto__'],
])('__proto__ in %s is refused by name, not dropped', async (_, member, path) => {
  const body = `{"url":"https://a.example.com/","events":["*"],${member}}`
  expectInvalid(await client.call('POST', '/webhooks/subscribe', { body }), path, /./)
})

test('__proto__ in a template is a member like any other', async () => {
  const body = `{"subscription":{"url":"https://a.example.com/","events":["*"],"transform":{"template":{"__proto__":"{{event}}"}}},"event":{"event":"a"}}`
  const { data } = await client.call<{ request: { body: string } }>('POST', '/webhooks/preview', { body })
  expect(data.request.body).toBe('{"__proto__":"a"}')
})

test('a token URL in plain http, or that is not public, is refused where private destinations are', async () => {
  const target = appWith(({ settings }) => ({ settings: { ...settings, allowPrivateDestinations: false } }))
  const production = new Client(undefined, { target })
  for (const tokenUrl of ['http://auth.example.com/', 'https://127.0.0.1/', 'https://db.internal/']) {
    const answer = await production.post('/webhooks/subscribe', { ...good, auth: { ...oauth, tokenUrl } })
    expectInvalid(answer, 'auth.tokenUrl', /must/)
  }
})

test.each<[string, unknown, string]>([
  ['no schema', { type: 'money' }, 'schema.type'],
  ['a list of schemas as one', { properties: { a: [{}] } }, 'schema.properties.a'],
  [
    'a schema deep inside',
    { properties: { a: { items: { required: 'b' } } } },
    'schema.properties.a.items.required',
  ],
  ['200 levels', JSON.parse(`${'{"not":'.repeat(200)}{}${'}'.repeat(200)}`), 'schema'],
  ['100,000 alternatives', { enum: new Array(100_000).fill('x') }, 'schema'],
])('an event type is not saved with %s', async (_, schema, path) => {
  const answer = await client.call('PUT', '/event-types/never.saved', { json: { schema } })
  expectInvalid(answer, path, /must/)
  expectRefusal(await client.get('/event-types/never.saved'), 404, 'not_found')
})

import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { appWith, Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'

const client = new Client()
const URL_HINT = /absolute URL without spaces or backslashes, such as "https:/
const PATTERN = /event type, "prefix\.\*" or "\*"/
const RESERVED = /is reserved: the relay or the network sets it; choose another name/
const VALUE = /printable ASCII, spaces and tabs, without line breaks/
const NAME = /header name of letters, digits and/
const FORMS = /give \{maxRetries, retryDelay, backoffMultiplier\}, \{schedule\} or \{tries, backoff\}/

/** What is wrong, the fields that replace or join good settings, the path, and what is said of it. */
const CASES: [string, object, string, RegExp][] = [
  ['a url that is no URL', { url: 'not a url' }, 'url', URL_HINT],
  ['an empty url', { url: '' }, 'url', /is required: where to deliver/],
  ['a number as url', { url: 5 }, 'url', /must be string, not number/],
  ['a path as url', { url: '/hooks' }, 'url', URL_HINT],
  ['a line break in the url', { url: 'https://a.example.com/\r\nX: y' }, 'url', URL_HINT],
  ['a lone surrogate in the url', { url: 'https://a.example.com/\ud800' }, 'url', URL_HINT],
  ['ftp', { url: 'ftp://a.example.com/' }, 'url', /must begin with "http:\/\/" or "https:\/\/"/],
  ['javascript', { url: 'javascript:alert(1)' }, 'url', /must begin with "http:\/\/" or "https:\/\/"/],
  ['a user name in the url', { url: 'https://u@a.example.com/' }, 'url', /user name or password/],
  ['a password in the url', { url: 'https://u:p@a.example.com/' }, 'url', /user name or password/],
  ['a fragment in the url', { url: 'https://a.example.com/#x' }, 'url', /must not hold "#"/],
  ['a url of 2,049 characters', { url: `https://a.example.com/${'x'.repeat(2027)}` }, 'url', /at most 2,048/],
  ['no events', { events: undefined }, 'events', /is required \(array\)/],
  ['a text as events', { events: 'invoice.paid' }, 'events', /must be array, not string/],
  ['an empty list of events', { events: [] }, 'events', /at least one event type, "prefix\.\*" or "\*"/],
  ['201 events', { events: Array.from({ length: 201 }, (_, i) => `a.n${i}`) }, 'events', /at most 200/],
  ['a number among the events', { events: ['a', 5] }, 'events[1]', /must be string, not number/],
  ['an event outside the grammar', { events: ['a', 'b', 'a..b'] }, 'events[2]', PATTERN],
  ['a star in the middle', { events: ['a.*.b'] }, 'events[0]', PATTERN],
  ['a star on a stem', { events: ['invoice*'] }, 'events[0]', PATTERN],
  ['an empty event', { events: [''] }, 'events[0]', PATTERN],
  ['a secret of 3 characters', { secret: 'abc' }, 'secret', /at least 8 characters/],
  ['an empty secret', { secret: '' }, 'secret', /at least 8 characters/],
  ['a secret of 257 characters', { secret: 'a'.repeat(257) }, 'secret', /at most 256 characters/],
  ['whsec_ alone', { secret: 'whsec_' }, 'secret', /base64 after "whsec_"; leave it out/],
  ['whsec_ and no base64', { secret: 'whsec_not*base64*at*all' }, 'secret', /valid base64.*after "whsec_"/],
  ['whsec_ and cut base64', { secret: 'whsec_abcde' }, 'secret', /valid base64.*after "whsec_"/],
  ['a number as secret', { secret: 12345678 }, 'secret', /a string of 8-256 characters/],
  ['null as secret', { secret: null }, 'secret', /a string of 8-256 characters/],
  ['half a character in the secret', { secret: 'secret-\ud800-secret' }, 'secret', /well-formed Unicode/],
  ['a number as description', { description: 5 }, 'description', /must be string, not number/],
  ['a long description', { description: 'x'.repeat(1001) }, 'description', /at most 1,000 characters/],
  ['a text as active', { active: 'yes' }, 'active', /must be boolean, not string/],
  ['a list as metadata', { metadata: [] }, 'metadata', /must be an object/],
  ['null as metadata', { metadata: null }, 'metadata', /must be an object/],
  ['null as headers', { headers: null }, 'headers', /an object of header names and values/],
  ['a number in metadata', { metadata: { a: 1 } }, 'metadata.a', /must be string, not number/],
  ['an object in metadata', { metadata: { a: {} } }, 'metadata.a', /must be string, not object/],
  ['a long text in metadata', { metadata: { a: 'x'.repeat(501) } }, 'metadata.a', /at most 500 characters/],
  ['a metadata entry without a name', { metadata: { '': 'x' } }, 'metadata.', /a name of 1-100 characters/],
  [
    '51 metadata entries',
    { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) },
    'metadata',
    /at most 50 entries/,
  ],
  ['a text as headers', { headers: 'X-A: b' }, 'headers', /an object of header names and values/],
  ['CR LF in a header', { headers: { 'X-A': 'b\r\nX-B: c' } }, 'headers.X-A', VALUE],
  ['LF in a header', { headers: { 'X-A': 'b\nc' } }, 'headers.X-A', VALUE],
  ['NUL in a header', { headers: { 'X-A': 'b\0' } }, 'headers.X-A', VALUE],
  ['an umlaut in a header', { headers: { 'X-A': 'ä' } }, 'headers.X-A', VALUE],
  ['a number as header', { headers: { 'X-A': 5 } }, 'headers.X-A', /must be a string/],
  ['CR LF in a header name', { headers: { 'X-A\r\nHost': 'b' } }, 'headers.X-A\r\nHost', NAME],
  ['a space in a header name', { headers: { 'X A': 'b' } }, 'headers.X A', NAME],
  ['an empty header name', { headers: { '': 'b' } }, 'headers.', NAME],
  ['Host', { headers: { Host: 'b' } }, 'headers.Host', RESERVED],
  ['content-length', { headers: { 'content-length': '5' } }, 'headers.content-length', RESERVED],
  ['Content-Type', { headers: { 'Content-Type': 'text/plain' } }, 'headers.Content-Type', RESERVED],
  ['webhook-signature', { headers: { 'Webhook-Signature': 'v1,x' } }, 'headers.Webhook-Signature', RESERVED],
  ['X-Signature', { headers: { 'X-Signature': 'x' } }, 'headers.X-Signature', RESERVED],
  ['constructor as header', { headers: { constructor: 'x' } }, 'headers.constructor', RESERVED],
  ['one header twice', { headers: { 'X-A': '1', 'x-a': '2' } }, 'headers.x-a', /given twice/],
  ['a text as timeoutSeconds', { timeoutSeconds: '10' }, 'timeoutSeconds', /whole seconds/],
  ['half a second', { timeoutSeconds: 1.5 }, 'timeoutSeconds', /whole seconds/],
  ['0 seconds', { timeoutSeconds: 0 }, 'timeoutSeconds', /must be 1-30/],
  ['31 seconds', { timeoutSeconds: 31 }, 'timeoutSeconds', /must be 1-30/],
  ['null as timeoutSeconds', { timeoutSeconds: null }, 'timeoutSeconds', /whole seconds/],
  ['an unknown profile', { profile: 'mine' }, 'profile', /must be "standard"/],
  ['an unknown field', { retries: 3 }, 'retries', /is not a field of this request/],
  ['an id', { id: 'webhook_1' }, 'id', /is not a field of this request|is read-only/],
]

/** The same of `retryPolicy`, with paths below it. */
const POLICIES: [string, unknown, string, RegExp][] = [
  ['a text', 'exponential', '', /must be object, not string/],
  ['a list', [5, 10], '', /must be object, not array/],
  ['an unknown field', { attempts: 3 }, '.attempts', /is not a field/],
  ['two forms', { maxRetries: 3, schedule: [5] }, '.schedule', FORMS],
  ['a third form', { tries: 2, backoff: [1], retryDelay: 5 }, '.tries', FORMS],
  ['backoff alone', { backoff: [5] }, '.tries', /is required with "backoff"/],
  ['tries alone', { tries: 3 }, '.backoff', /is required with "tries".*such as \[10, 30, 60\]/],
  ['negative retries', { maxRetries: -1 }, '.maxRetries', />=0/],
  ['101 retries', { maxRetries: 101 }, '.maxRetries', /<=100/],
  ['half a retry', { maxRetries: 1.5 }, '.maxRetries', /int/],
  ['huge retries', { maxRetries: 1e10 }, '.maxRetries', /<=100/],
  ['retries as text', { maxRetries: '3' }, '.maxRetries', /must be number, not string/],
  ['a negative delay', { retryDelay: -5 }, '.retryDelay', />=0/],
  ['a delay of years', { retryDelay: 1e9 }, '.retryDelay', /<=2592000/],
  ['a delay as text', { retryDelay: '5s' }, '.retryDelay', /must be number, not string/],
  ['a negative multiplier', { backoffMultiplier: -2 }, '.backoffMultiplier', />=0/],
  ['a huge multiplier', { backoffMultiplier: 1e6 }, '.backoffMultiplier', /<=100/],
  ['a text as schedule', { schedule: '5,10' }, '.schedule', /must be array, not string/],
  ['a text in the schedule', { schedule: [5, '10'] }, '.schedule[1]', /must be number, not string/],
  ['a negative delay in the schedule', { schedule: [5, 10, -1] }, '.schedule[2]', />=0/],
  ['101 delays', { schedule: Array.from({ length: 101 }, () => 1) }, '.schedule', /<=100/],
  ['no tries', { tries: 0, backoff: [1] }, '.tries', />=1/],
  ['an empty backoff', { tries: 3, backoff: [] }, '.backoff', />=1/],
  ['a life of nothing', { maxAgeSeconds: 0 }, '.maxAgeSeconds', />=1/],
  ['jitter above 1', { jitter: 1.5 }, '.jitter', /<=1/],
  ['a text as retryClientErrors', { retryClientErrors: 'no' }, '.retryClientErrors', /must be boolean/],
  ['a list as byEvent', { byEvent: [] }, '.byEvent', /must be an object/],
  ['null as byEvent', { byEvent: null }, '.byEvent', /must be an object/],
  ['null by event', { byEvent: { a: null } }, '.byEvent.a', /must be object, not null/],
  ['a bad event type', { byEvent: { 'a b': {} } }, '.byEvent.a b', /must be an event type: segments/],
  ['a bad policy by event', { byEvent: { a: { tries: 0 } } }, '.byEvent.a.tries', />=1/],
  ['an unknown field by event', { byEvent: { a: { byEvent: {} } } }, '.byEvent.a.byEvent', /is not a field/],
  ['two forms by event', { byEvent: { a: { retryDelay: 1, schedule: [] } } }, '.byEvent.a.schedule', FORMS],
]
const ALL = [
  ...CASES,
  ...POLICIES.map(([name, retryPolicy, path, message]): (typeof CASES)[number] => [
    `as retryPolicy ${name}`,
    { retryPolicy },
    `retryPolicy${path}`,
    message,
  ]),
]
const good = { url: 'https://a.example.com/hooks', events: ['*'] }

test.each(ALL)(
  'a subscription with %s is refused, and says what would be right',
  async (_, fields, path, message) => {
    expectInvalid(await client.post('/webhooks/subscribe', { ...good, ...fields }), path, message)
  },
)

describe.each(['PUT', 'PATCH'])('%s with the same is refused:', (method) => {
  const present = ALL.filter(([, fields]) => Object.values(fields).some((value) => value !== undefined))
  let id: string
  let before: unknown
  beforeAll(async () => {
    id = (await client.subscribe()).id
    before = (await client.get(`/webhooks/${id}`)).data
  })

  test.each(present)('%s', async (_, fields, path, message) => {
    expectInvalid(await client.call(method, `/webhooks/${id}`, { json: fields }), path, message)
  })

  test('and nothing of it has changed the subscription', async () => {
    for (const [, fields] of present) await client.call(method, `/webhooks/${id}`, { json: fields })
    expect((await client.get(`/webhooks/${id}`)).data).toEqual(before)
  })
})

test.each([
  ['headers', '"headers":{"__proto__":"x"}', 'headers.__proto__', RESERVED],
  ['metadata', '"metadata":{"__proto__":"x"}', 'metadata.__proto__', /"__proto__" cannot be a name/],
  [
    'byEvent',
    '"retryPolicy":{"byEvent":{"__proto__":{}}}',
    'retryPolicy.byEvent.__proto__',
    /"__proto__" cannot be a name/,
  ],
  ['retryPolicy', '"retryPolicy":{"__proto__":{"tries":1}}', 'retryPolicy.__proto__', /is not a field/],
])('__proto__ in %s is refused by name, not dropped', async (_, member, path, message) => {
  const body = `{"url":"https://a.example.com/","events":["*"],${member}}`
  expectInvalid(await client.call('POST', '/webhooks/subscribe', { body }), path, message)
})

test('metadata 400 levels deep is a wrong type like any other', async () => {
  const deep = `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`
  const body = `{"url":"https://a.example.com/","events":["*"],"metadata":${deep}}`
  expectInvalid(await client.call('POST', '/webhooks/subscribe', { body }), 'metadata.a', /must be string/)
})

test('a refused secret is never repeated in the answer', async () => {
  for (const secret of ['s3cr-!', 'whsec_s3cr*et', `s3cr${'e'.repeat(300)}`]) {
    const answer = await client.post('/webhooks/subscribe', { ...good, secret })
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.text).not.toContain('s3cr')
  }
})

describe('in production settings', () => {
  const target = appWith(({ settings }) => ({
    settings: { ...settings, allowPrivateDestinations: false, ownHostnames: ['posthorn.example.org'] },
  }))
  const production = new Client(undefined, { target })

  test.each([
    ['http', 'http://a.example.com/', /must begin with "https:\/\/"/],
    ['localhost', 'https://localhost/', /public host/],
    ['a name below localhost', 'https://a.localhost/', /public host/],
    ['IPv4 loopback', 'https://127.0.0.1/', /not an IP address/],
    ['short IPv4', 'https://127.1/', /not an IP address/],
    ['decimal IPv4', 'https://2130706433/', /not an IP address/],
    ['octal IPv4', 'https://0177.0.0.1/', /not an IP address/],
    ['hexadecimal IPv4', 'https://0x7f000001/', /not an IP address/],
    ['full-width IPv4', 'https://１２７.0.0.1/', /not an IP address/],
    ['public IPv4', 'https://203.0.113.1/', /not an IP address/],
    ['IPv6 loopback', 'https://[::1]/', /not an IP address/],
    ['mapped IPv4', 'https://[::ffff:127.0.0.1]/', /not an IP address/],
    ['metadata address', 'https://169.254.169.254/latest', /not an IP address/],
    ['metadata name', 'https://metadata.google.internal/', /cloud metadata/],
    ['a single label', 'https://intranet-host/', /public host with a domain/],
    ['.local', 'https://printer.local/', /private network/],
    ['.internal', 'https://db.internal/', /private network/],
    ['another port', 'https://a.example.com:8443/', /standard port/],
    ['a trailing dot', 'https://a.example.com./', /with a dot/],
    ['the relay by its configured name', 'https://posthorn.example.org/v1/events', /this relay/],
    ['the relay by the name it was called by', 'https://relay.example.com/', /this relay/],
  ])('a url with %s is refused', async (_, url, message) => {
    expectInvalid(await production.post('/webhooks/subscribe', { ...good, url }), 'url', message)
    const { id } = await production.subscribe({ url: 'https://a.example.com/' })
    expectInvalid(await production.call('PATCH', `/webhooks/${id}`, { json: { url } }), 'url', message)
  })
})

test('nothing that was refused has left a subscription behind', async () => {
  const fresh = new Client()
  for (const [, fields] of ALL) await fresh.post('/webhooks/subscribe', { ...good, ...fields })
  const rows = await env.DB.prepare(
    'SELECT count(*) AS n FROM subscription s JOIN workspace w ON w.no = s.workspace_no WHERE w.id = ?1',
  )
    .bind(fresh.workspace)
    .first<{ n: number }>()
  expect(rows?.n).toBe(0)
})

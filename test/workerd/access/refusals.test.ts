import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeApiKey } from '../../../src/access/api-key.ts'
import { routes } from '../../../src/api/v1/routes.ts'
import { relayOf } from '../../../src/relay.ts'
import { ADMIN_KEY, type Answer, appOf, Client, expectRefusal } from '../../support/process/http-client.ts'
import { clientWith, expire, makeKey, withoutRequestId } from '../../support/process/keys.ts'

const owner = new Client()
const event = { event: 'a', data: {} }

/** A call that has its key's row read, and the publish, which goes by what is cached. */
const CALLS: [string, (client: Client) => Promise<Answer>][] = [
  ['GET /webhooks', (client) => client.get('/webhooks')],
  ['POST /events', (client) => client.post('/events', event)],
]

describe.each(CALLS)('%s', (_, call) => {
  const texts: Record<string, string> = {}

  beforeAll(async () => {
    const valid = await makeKey(owner, { role: 'developer' })
    const [expired, revoked, rotated] = [
      await makeKey(owner, { role: 'developer' }),
      await makeKey(owner, { role: 'developer' }),
      await makeKey(owner, { role: 'developer' }),
    ]
    // Known to the isolate before they end.
    for (const { key } of [expired, revoked, rotated]) await call(new Client(owner.workspace, { key }))
    await expire(expired)
    await owner.call('DELETE', `/keys/${revoked.id}`)
    await owner.post(`/keys/${rotated.id}/rotate`, { overlapSeconds: 0 })
    Object.assign(texts, {
      'a broken check': valid.key.slice(0, -1) + (valid.key.endsWith('0') ? '1' : '0'),
      'an id that no key has': makeApiKey().text,
      'another secret': makeApiKey({ id: valid.id }).text,
      'an expired key': expired.key,
      'a revoked key': revoked.key,
      'the secret before a rotation': rotated.key,
      'half a key': valid.key.slice(0, 30),
      'its id': valid.id,
      'a token of another family': `php_${'a'.repeat(60)}`,
      'any text': 'something',
    })
  })

  test.each([
    'a broken check',
    'an id that no key has',
    'another secret',
    'an expired key',
    'a revoked key',
    'the secret before a rotation',
    'half a key',
    'its id',
    'a token of another family',
    'any text',
  ])('%s is answered like any wrong key', async (name) => {
    const wrong = new Client(owner.workspace, { key: 'any wrong key'.replaceAll(' ', '_') })
    const answer = await call(new Client(owner.workspace, { key: texts[name] ?? '' }))
    expectRefusal(answer, 401, 'unauthorized')
    expect(withoutRequestId(answer)).toEqual(withoutRequestId(await call(wrong)))
  })

  test('a key acts in its own workspace, named or not, and in no other', async () => {
    const user = await clientWith(owner, { role: 'developer' })
    expect((await call(user)).status).toBeLessThan(300)
    const other = new Client(new Client().workspace, { key: user.shown.key })
    const refused = await call(other)
    expectRefusal(refused, 403, 'forbidden')
    expect(refused.error.message).toContain('X-Company-Id')
    expect(refused.text).not.toContain(owner.workspace)
  })

  test('a key without the scope is told which it needs', async () => {
    const user = await clientWith(owner, { scopes: ['sources:read'] })
    const refused = await call(user)
    expectRefusal(refused, 403, 'forbidden')
    expect(refused.error.message).toMatch(/the scope "(webhooks:read|events:publish)"/)
  })

  test('a wrong body is not looked at before the scope', async () => {
    const user = await clientWith(owner, { scopes: ['sources:read'] })
    const answer = await user.call('POST', '/events', { body: '{not json' })
    expectRefusal(answer, 403, 'forbidden')
  })
})

describe('a key with addresses', () => {
  test.each([
    ['192.0.2.7', 200],
    ['2001:db8::7', 200],
    ['192.0.3.7', 403],
    ['::ffff:192.0.2.7', 200],
    ['no address', 403],
    [null, 403],
  ])('is used from %j: %i', async (address, status) => {
    const user = await clientWith(owner, { role: 'viewer', allowedIps: ['192.0.2.0/24', '2001:db8::/32'] })
    const answer = await user.get('/webhooks', { headers: { 'CF-Connecting-IP': address } })
    expect(answer.status, answer.text).toBe(status)
    if (status === 403) expect(answer.error.message).toMatch(/may not be used from/)
  })

  test('is not told about them with a wrong secret', async () => {
    const { id } = await makeKey(owner, { role: 'viewer', allowedIps: ['192.0.2.0/24'] })
    const guess = new Client(owner.workspace, { key: makeApiKey({ id }).text })
    expectRefusal(await guess.get('/webhooks'), 401, 'unauthorized')
  })
})

describe('the operator', () => {
  const previous = appOf(relayOf, { ...env, ADMIN_KEY_PREVIOUS: 'the_key_of_yesterday' })

  test.each([ADMIN_KEY, 'the_key_of_yesterday'])('may use %s while keys change', async (key) => {
    expect((await new Client(undefined, { target: previous, key }).get('/webhooks')).status).toBe(200)
  })

  test('may not use the key before once it is not set any more', async () => {
    const client = new Client(undefined, { key: 'the_key_of_yesterday' })
    expectRefusal(await client.get('/webhooks'), 401, 'unauthorized')
  })

  test('may not use the key of local runs as the one before, but on loopback', async () => {
    const target = appOf(relayOf, { ...env, ADMIN_KEY_PREVIOUS: 'posthorn_local_admin' })
    const key = 'posthorn_local_admin'
    expectRefusal(await new Client(undefined, { target, key }).get('/webhooks'), 401, 'unauthorized')
    const local = new Client(undefined, { target, key, origin: 'http://127.0.0.1:8787' })
    expect((await local.get('/webhooks')).status).toBe(200)
  })

  test('alone reads the metrics and the state of the relay', async () => {
    const admin = await clientWith(owner, { role: 'integration-administrator' })
    expectRefusal(await admin.get('/metrics'), 403, 'forbidden')
    expect((await admin.get('/status')).data).not.toHaveProperty('relay')
    expect((await owner.get('/status')).data).toHaveProperty('relay')
  })
})

describe('a secret is seen and set with webhooks:secret only:', () => {
  test('a subscription made without it shows a mask', async () => {
    const writer = await clientWith(owner, { scopes: ['webhooks:write', 'webhooks:read'] })
    const made = await writer.subscribe({ active: false })
    expect(made.secret).toBe('********')
    const change = { json: { secret: 'a-secret-of-mine' } }
    expectRefusal(await writer.call('PATCH', `/webhooks/${made.id}`, change), 403, 'forbidden')
    expect((await writer.call('PATCH', `/webhooks/${made.id}`, { json: { name: 'n' } })).status).toBe(200)
  })

  test('with it, the secret is in the answer', async () => {
    const writer = await clientWith(owner, { scopes: ['webhooks:write', 'webhooks:secret'] })
    expect((await writer.subscribe({ active: false })).secret).toMatch(/^whsec_/)
  })
})

test('every route says who may call it, and the API document repeats it', async () => {
  const { text } = await owner.get('/openapi.json')
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, { security: object[] }>> }
  for (const { definition } of routes) {
    const { scope, path, method } = definition
    const scopes = scope === 'any' ? [] : [scope]
    expect(paths[`/api/v1${path}`]?.[method]?.security).toEqual([{ bearer: scopes }])
  }
})

import assert from 'node:assert/strict'
import type { Check } from '../row.ts'
import { bodyOf, type Json } from '../scene.ts'
import { arrives } from './deliveries.ts'

/** The six ways to prove who sends, each with the header that arrives. */
const AUTHS: [auth: Json, header: string, value: RegExp][] = [
  [{ type: 'basic', username: 'u', password: 'p' }, 'authorization', /^Basic dTpw$/],
  [{ type: 'bearer', token: 'a-token' }, 'authorization', /^Bearer a-token$/],
  [{ type: 'apiKey', header: 'X-API-Key', value: 'your-api-key' }, 'x-api-key', /^your-api-key$/],
  [{ type: 'oauth2', token: 'your-oauth-token' }, 'authorization', /^Bearer your-oauth-token$/],
  [
    { type: 'jwt', algorithm: 'HS256', key: 'a-key-of-thirty-two-characters-00', issuer: 'posthorn' },
    'authorization',
    /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/,
  ],
]

/** Every kind of `auth` arrives as its header, or those that are named do. */
export function authenticates(...types: string[]): Check {
  return async (scene) => {
    const chosen = AUTHS.filter(([{ type }]) => types.length === 0 || types.includes(String(type)))
    for (const [n, [auth]] of chosen.entries()) await scene.subscribe({ url: scene.url(`/${n}`), auth })
    await scene.publish({ event: 'a.b', data: {} })
    for (const [n, [, header, value]] of chosen.entries()) {
      assert.match((await scene.arrival(1, `/${n}`)).headers[header] ?? '', value)
    }
    return chosen.map(([{ type }]) => type).join(', ')
  }
}

/** An access token is fetched with client credentials, and sent. */
export const fetchesToken: Check = async (scene) => {
  scene.receiver.script(new URL(scene.url('/token')).pathname, {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: '{"access_token":"fetched","token_type":"Bearer","expires_in":300}',
  })
  const auth = {
    type: 'oauth2',
    tokenUrl: scene.url('/token'),
    clientId: 'crm',
    clientSecret: 's3cret-of-crm',
  }
  await scene.subscribe({ auth })
  await scene.publish({ event: 'customer.created', data: {} })
  assert.equal((await scene.arrival()).headers['authorization'], 'Bearer fetched')
  return 'a token was fetched and sent'
}

/** The body that a transform makes of an event is this. */
export function shaped(settings: Json, event: object | string, body: Json): Check {
  return arrives(settings, event, (got) => {
    assert.deepEqual(bodyOf(got), body)
    return String(got.body).slice(0, 100)
  })
}

/** Events published together arrive in one request. */
export function batches(settings: Json, events: Json[], see: (body: Json) => void): Check {
  return async (scene) => {
    await scene.subscribe(settings)
    await scene.publish({ events })
    const body = bodyOf(await scene.arrival())
    assert.equal(body['batch'], true)
    see(body)
    return `${(body['events'] as Json[]).length} events in one request`
  }
}

/** A workspace's events reach its own subscriptions only. */
export const isTenantAware: Check = async (scene) => {
  await scene.subscribe()
  const other = { 'X-Company-Id': `${scene.workspace}-other` }
  const { data } = await scene.call('POST', '/events', { event: 'a.b', data: {} }, other)
  assert.equal(data['matched'], 0)
  assert.equal((await scene.publish({ event: 'a.b', data: {} })).matched, 1)
  return 'another workspace’s event matched nothing, its own one'
}

/** The receiver gets no more than a limit allows, and the rest later. */
export function limits(rateLimit: Json, atOnce: number): Check {
  return async (scene) => {
    const { id } = await scene.subscribe({ rateLimit })
    const events = Array.from({ length: atOnce + 5 }, (_, n) => ({ event: 'a.b', data: { n } }))
    await scene.publish({ events })
    const path = `/webhooks/${id}/logs?status=pending&limit=1`
    const isLimited = ([row]: Json[]) => (row?.['waitingFor'] as Json | undefined)?.['reason'] === 'limit'
    await scene.until<Json[]>(path, isLimited)
    assert.ok(scene.requests().length <= atOnce, `${scene.requests().length} arrived`)
    return `${scene.requests().length} of ${events.length} arrived, the rest waits for the limit`
  }
}

/** A type that is not subscribed sends what was gathered, and what is left waits for its time. */
export function flushes(settings: Json): Check {
  return async (scene) => {
    const { id } = await scene.subscribe(settings)
    await scene.publish({ event: 'invoice.created', data: { object: { n: 1 } } })
    const path = `/webhooks/${id}/logs`
    const [waits] = await scene.until<Json[]>(path, ([row]) => row?.['waitingFor'] !== null)
    assert.partialDeepStrictEqual(waits?.['waitingFor'], { reason: 'batch' })
    await scene.publish({ event: 'invoice.paid', data: {} })
    const { batch, events } = bodyOf(await scene.arrival())
    assert.deepEqual([batch, (events as Json[]).map((event) => event['event'])], [true, ['invoice.created']])
    return 'it waited for its batch, and a type that is not subscribed flushed it'
  }
}

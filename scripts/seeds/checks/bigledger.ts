import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { checkDestination } from '../../../src/destination/url.ts'
import { waitUntil } from '../../../test/support/receivers/receiver.ts'
import { example } from '../examples.ts'
import type { Check } from '../row.ts'
import { bodyOf, type Json, retryInSeconds } from '../scene.ts'
import { SECRET } from './signatures.ts'

const SUBSCRIBE = example.subscription('002-subscription')

/** Every type of the catalogue is published and delivered. */
export function allTypes(catalogue: string | undefined, atLeast: number): Check {
  return async (scene) => {
    const types = example.types(catalogue)
    assert.ok(types.length >= atLeast, `${types.length} types`)
    assert.ok(types.every(({ description, group }) => description !== '' && group !== ''))
    await scene.subscribe()
    await scene.publish({ events: types.map(({ name }) => ({ event: name, data: { object: {} } })) })
    await waitUntil(() => scene.requests().length >= types.length, 20_000)
    const arrived = new Set(scene.requests().map((got) => got.headers['webhook-event-type']))
    assert.deepEqual(arrived, new Set(types.map(({ name }) => name)))
    return `${arrived.size} of ${types.length} types arrived`
  }
}

/** The seed's curl lines, with this relay, key and receiver in the place of its own. */
export const curls: Check = async (scene) => {
  const command = `curl -sS -X POST "${scene.relay.url}/v1/webhooks/subscribe" \\
  -H "Authorization: Bearer ${scene.relay.adminKey}" \\
  -H "X-Company-Id: ${scene.workspace}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "url": "${scene.url()}",
    "events": ["invoice.created", "invoice.paid"],
    "secret": "your-secret-key"
  }'`
  const { stdout } = await promisify(execFile)('bash', ['-c', command])
  const { success, data } = JSON.parse(stdout) as { success: boolean; data: Json }
  assert.deepEqual([success, data['secret']], [true, 'your-secret-key'])
  const listing = command
    .replace('-X POST', '-X GET')
    .replace('/subscribe', '')
    .replace(/ \\\n {2}-d.*/s, '')
  assert.match((await promisify(execFile)('bash', ['-c', listing])).stdout, /"success":true/)
  return 'both curl lines succeed'
}

/** Both prefixes take the body, and show it in the seed's shape. */
export const subscribes: Check = async (scene) => {
  for (const path of ['/v1/webhooks/subscribe', '/webhooks/subscribe']) {
    const reply = await scene.call('POST', path, { url: scene.url(), ...SUBSCRIBE })
    assert.equal(reply.status, 201)
    assert.partialDeepStrictEqual(reply.data, {
      ...SUBSCRIBE,
      url: scene.url(),
      statistics: { totalDelivered: 0, totalFailed: 0, lastDelivery: null },
    })
    assert.match(`${reply.data['id']} ${reply.data['createdAt']}`, /^webhook_\w+ \d{4}-\d\d-\d\dT/)
  }
  return 'both prefixes, all members of the seed’s answer'
}

/** url and events are required, and named where they are missing. */
export const requires: Check = async (scene) => {
  const { status, text } = await scene.call('POST', '/webhooks/subscribe', {})
  assert.equal(status, 400)
  for (const field of ['url', 'events']) assert.match(text, new RegExp(`"path":"${field}"`))
  return '400, which names url and events'
}

/** The rules of production refuse everything but https. */
export const takesHttpsOnly: Check = async () => {
  const rules = { allowPrivate: false, ownHostnames: [] }
  const at = (url: string) => checkDestination(url, rules).ok
  assert.deepEqual([at('https://your-app.com/webhooks'), at('http://your-app.com/webhooks')], [true, false])
  return 'https taken, http refused'
}

/** The list, a change and a deletion, as the seed writes them. */
export const changes: Check = async (scene) => {
  const { id } = await scene.subscribe(SUBSCRIBE)
  const [listed] = await scene.ask<Json[]>('GET', '/webhooks')
  assert.deepEqual([listed?.['id'], listed?.['secret']], [id, '********'])
  const change = { events: ['invoice.created', 'invoice.paid', 'customer.created'], active: true }
  const changed = await scene.ask('PUT', `/webhooks/${id}`, change)
  assert.partialDeepStrictEqual(changed, { ...change, description: SUBSCRIBE['description'] })
  await scene.ask('DELETE', `/webhooks/${id}`)
  assert.equal((await scene.call('GET', `/webhooks/${id}`)).status, 404)
  return 'listed masked, changed in part, deleted'
}

/** The seed's payload arrives as it is, member for member; `names` are those that a row is about. */
export function samePayload(name: string, ...names: string[]): Check {
  return async (scene) => {
    const text = example.event(name)
    const sent = JSON.parse(text) as Json
    await scene.subscribe({ secret: SECRET })
    await scene.publish(text)
    const { headers, body } = await scene.arrival()
    const got = bodyOf({ headers, body } as never)
    for (const member of names.length > 0 ? names : Object.keys(sent)) {
      assert.deepEqual(got[member], sent[member], member)
    }
    assert.match(headers['x-signature'] ?? '', /^sha256=[0-9a-f]{64}$/)
    return names.length === 0
      ? `${Object.keys(sent).length} members, as they were sent`
      : names.map((member) => `${member} ${JSON.stringify(got[member])}`.slice(0, 70)).join(', ')
  }
}

/** The first retry comes five seconds after the failure, though another receiver of the same event hangs meanwhile. */
export const retriesInTime: Check = async (scene) => {
  scene.answers(500, 200)
  scene.receiver.script(new URL(scene.url('/hangs')).pathname, 'hang')
  await scene.subscribe({ url: scene.url('/hangs'), retryPolicy: { maxRetries: 0 } })
  const { id } = await scene.subscribe({ profile: 'bigledger' })
  await scene.publish({ event: 'invoice.paid', data: {} })
  assert.equal(retryInSeconds(await scene.outcome(id)), 5)
  const [first, second] = [await scene.arrival(1), await scene.arrival(2)]
  const seconds = (second.atMs - (first.answeredAtMs ?? 0)) / 1000
  assert.ok(seconds > 4.5 && seconds < 8, `${seconds} s`)
  return `retried after ${seconds.toFixed(2)} s, beside a receiver that hangs`
}

/** Statistics of successes and failures, as the seed shows them. */
export const counts: Check = async (scene) => {
  scene.answers({ status: 200, body: 'Event processed successfully' })
  const { id } = await scene.subscribe({ retryPolicy: { maxRetries: 0 } })
  for (const event of ['invoice.paid', 'invoice.paid', 'invoice.paid'])
    await scene.publish({ event, data: {} })
  await scene.arrival(3)
  scene.answers(500)
  await scene.publish({ event: 'invoice.created', data: {} })
  const statistics = await scene.until<Json>(
    `/webhooks/${id}/statistics`,
    (data) => data['totalDelivered'] === 3 && data['totalFailed'] === 1,
  )
  assert.equal(statistics['successRate'], 75)
  const [recent] = statistics['recentDeliveries'] as Json[]
  assert.partialDeepStrictEqual(recent, { event: 'invoice.paid', responseCode: 200 })
  assert.match(
    `${recent?.['eventId']} ${recent?.['deliveredAt']} ${recent?.['responseTime']}`,
    /^evt_\S+ \d{4}\S+ \d+$/,
  )
  assert.equal(typeof statistics['averageResponseTime'], 'number')
  assert.ok(statistics['lastDelivery'])
  return 'totals, rate, last and recent deliveries, response time'
}

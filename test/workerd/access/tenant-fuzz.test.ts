import { beforeAll, expect, test } from 'vitest'
import { routes } from '../../../src/api/v1/routes.ts'
import { atFullCount } from '../../support/full-count.ts'
import { type Answer, Client } from '../../support/process/http-client.ts'
import { clientWith, makeKey } from '../../support/process/keys.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const CALLS = atFullCount(10_000, { short: 1_000 })
const MARK = `of-alice-${crypto.randomUUID()}`
/** Names that both workspaces use. */
const SHARED = { event: 'order-1', uid: 'erp', type: 'invoice.paid', key: 'k-1', name: 'billing' }

/** Numbers from a seed, so that a failure can be had again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

const seed = Math.floor(Math.random() * 2 ** 31)
const random = randomFrom(seed)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const alice = new Client()
let mallory: Client
/** Everything of Alice that a call could name: ids and cursors. */
const ids: string[] = [...Object.values(SHARED)]
const cursors = new Map<string, string>()

/** Fills a workspace; both are filled alike, but for the mark. */
async function fill(client: Client, mark: string) {
  const settings = { events: ['*'], uid: SHARED.uid, name: SHARED.name, metadata: { owner: mark } }
  const webhook = await client.subscribe({
    ...settings,
    url: receivers.url({ status: 500 }),
    description: mark,
    headers: { 'X-Owner': mark },
    retryPolicy: { maxRetries: 0 },
  })
  const other = await client.subscribe({ description: mark, active: false })
  const events = [
    await client.publish({ event: SHARED.type, data: { mark }, id: SHARED.event }),
    await client.publish({ event: 'a.b', data: { mark } }, { headers: { 'Idempotency-Key': SHARED.key } }),
  ]
  const rows = await client.settled(webhook.id, 'failed', 2)
  const example = { json: { description: mark, example: { mark } } }
  for (const type of [SHARED.type, 'a.b']) await client.call('PUT', `/event-types/${type}`, example)
  await makeKey(client, { name: `${SHARED.name} ${mark}`, role: 'viewer' })
  const key = await makeKey(client, { name: `${SHARED.name} ${mark}`, role: 'integration-administrator' })
  await client.post(`/webhooks/${other.id}/disable`)
  return { webhook, other, events, rows, key }
}

/** What Alice sees of her workspace. */
async function stateOfAlice(): Promise<string[]> {
  const { data: webhooks } = await alice.get<{ id: string }[]>('/webhooks')
  const paths = [
    ...['/webhooks', '/events', '/event-types', '/keys', '/replays', '/archives'],
    ...[`/workspaces/${alice.workspace}`, `/events/${SHARED.event}`, `/events/${SHARED.event}/deliveries`],
    ...webhooks.flatMap(({ id }) =>
      ['', '/logs', '/statistics', '/secret'].map((of) => `/webhooks/${id}${of}`),
    ),
  ]
  const texts: string[] = []
  for (const path of paths) texts.push(`${path} ${(await alice.get(path)).text}`)
  return texts
}

beforeAll(async () => {
  const filled = await fill(alice, MARK)
  const own = new Client()
  await fill(own, 'of-mallory')
  mallory = await clientWith(own, { role: 'integration-administrator' })
  const { webhook, other, events, rows, key } = filled
  ids.push(webhook.id, other.id, key.id, alice.workspace, ...events.map(({ id }) => id))
  ids.push(...rows.flatMap(({ id, attempts }) => [id, ...attempts.map((attempt) => attempt.id)]))
  for (const list of ['/webhooks', '/events', '/event-types', '/keys', '/audit-log', '/webhooks/{id}/logs']) {
    const { nextCursor } = await alice.get(`${list.replace('{id}', webhook.id)}?limit=1`)
    expect(nextCursor, list).toEqual(expect.any(String))
    cursors.set(list, String(nextCursor))
  }
})

/** Bodies that some call takes, with names of Alice in them. */
function anyBody(): unknown {
  const id = pick(ids)
  return pick<unknown>([
    {},
    { webhooks: [id] },
    { event: SHARED.type, data: { id }, id: SHARED.event },
    { events: [{ event: 'a.b', data: { id } }] },
    { event: 'a.b', data: {}, url: receivers.url(), secret: 'a-secret-of-mallory' },
    { url: receivers.url(), events: ['*'], uid: pick([SHARED.uid, id]), active: false },
    { metadata: { owner: id }, description: id },
    { secret: 'a-secret-of-mallory' },
    { status: 'failed', dryRun: random() < 0.5 },
    { name: id, role: 'viewer' },
    { name: SHARED.name },
    { overlapSeconds: 0 },
    { example: { id } },
    { retentionDays: 30 },
    { subscription: { url: receivers.url(), events: ['*'] }, event: { event: id, data: {} } },
  ])
}

/** A cursor of Alice: of this list, where she has one, or of another. */
function anyCursor(path: string): string {
  const own = random() < 0.8 ? cursors.get(path) : undefined
  return own ?? pick([...cursors.values()])
}

async function anyCall(): Promise<{ name: string; answer: Answer }> {
  const { method, path } = pick(routes).definition
  const named = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(pick(ids)))
  const query = method === 'get' && random() < 0.5 ? `?cursor=${anyCursor(path)}` : ''
  const headers = {
    ...(random() < 0.05 && { 'X-Company-Id': alice.workspace }),
    ...(random() < 0.2 && { 'Idempotency-Key': pick([SHARED.key, ...ids]) }),
  }
  const call = method === 'get' || method === 'delete' ? { headers } : { json: anyBody(), headers }
  const name = `${method.toUpperCase()} ${named}${query} ${JSON.stringify(call)}`
  return { name, answer: await mallory.call(method.toUpperCase(), named + query, call) }
}

test(`${CALLS} calls by one workspace with the names of another show and change nothing of it (seed ${seed})`, {
  timeout: atFullCount(900_000, { short: 180_000 }),
}, async () => {
  const before = await stateOfAlice()
  const statuses = new Map<number, number>()
  for (let n = 0; n < CALLS; n++) {
    const { name, answer } = await anyCall()
    expect(answer.text, name).not.toContain(MARK)
    expect(answer.status, `${name}: ${answer.text}`).toBeLessThan(500)
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
  }
  expect(await stateOfAlice()).toEqual(before)
  // Calls were made, and some of them reached what Mallory has under the same name.
  for (const status of [200, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(CALLS / 50)
})

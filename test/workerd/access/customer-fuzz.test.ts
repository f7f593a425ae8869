import { beforeAll, expect, test, vi } from 'vitest'
import { routes } from '../../../src/api/v1/routes.ts'
import { atFullCount } from '../../support/full-count.ts'
import { type Answer, Client, type DeliveryAnswer } from '../../support/process/http-client.ts'
import { BOUND_SCOPES, portalClient } from '../../support/process/portal.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const CALLS = atFullCount(10_000, { short: 600 })
const MARK = `of-alice-${crypto.randomUUID()}`

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

const owner = new Client()
let alice: Client
let mallory: Client
/** Everything of both that a call could name: ids and cursors. */
const ids: string[] = []
const cursors: string[] = []

/** Two customers of one workspace are filled alike, but for the mark. */
async function fill(customerId: string, mark: string): Promise<Client> {
  const webhooks = { metadata: { customerId }, filters: { 'data.of': customerId } }
  const client = await portalClient(owner, { scopes: BOUND_SCOPES, webhooks })
  const marked = { description: mark, name: mark, headers: { 'X-Owner': mark }, metadata: { mark } }
  const failing = { url: receivers.url({ status: 500 }), retryPolicy: { maxRetries: 0 } }
  const created = await client.post<{ id: string }>('/webhooks', { ...failing, ...marked, events: ['*'] })
  expect(created.status, created.text).toBe(201)
  const other = await client.post<{ id: string }>('/webhooks', { ...failing, ...marked, events: ['other'] })
  const event = await owner.publish({
    event: 'a.b',
    data: { of: customerId, mark },
    id: `event-${customerId}`,
  })
  await owner.publish({ event: 'a.c', data: { of: customerId, mark } })
  const rows = await client.settled(created.data.id, 'failed', 2)
  const replay = await client.post<{ id: string }>(`/events/${event.id}/replay`)
  await client.post(`/webhooks/${other.data.id}/disable`)
  ids.push(created.data.id, other.data.id, event.id, replay.data.id, ...rows.map(({ id }) => id))
  ids.push(...rows.flatMap(({ eventId, attempts }) => [eventId, ...attempts.map(({ id }) => id)]))
  for (const path of ['/webhooks', '/events', `/webhooks/${created.data.id}/logs`]) {
    const { nextCursor } = await client.get(`${path}?limit=1`)
    if (typeof nextCursor === 'string') cursors.push(nextCursor)
  }
  await vi.waitFor(
    async () => {
      const { data } = await client.get<DeliveryAnswer[]>(`/webhooks/${created.data.id}/logs`)
      expect(data.flatMap(({ attempts }) => attempts)).toHaveLength(3)
    },
    { timeout: 15_000, interval: 50 },
  )
  return client
}

beforeAll(async () => {
  alice = await fill('alice', MARK)
  mallory = await fill('mallory', 'of-mallory')
}, 40_000)

/** What Alice sees of the workspace, which no call of Mallory's may change. */
async function stateOfAlice(): Promise<string[]> {
  const { data: webhooks } = await alice.get<{ id: string }[]>('/webhooks')
  const paths = [
    ...['/webhooks', '/events', '/replays', '/events/event-alice', '/events/event-alice/deliveries'],
    ...webhooks.flatMap(({ id }) =>
      ['', '/logs', '/statistics', '/secret'].map((of) => `/webhooks/${id}${of}`),
    ),
  ]
  const texts: string[] = []
  for (const path of paths) texts.push(`${path} ${(await alice.get(path)).text}`)
  return texts
}

/** Bodies that some call takes, with names of both in them. */
function anyBody(): unknown {
  const id = pick(ids)
  const url = receivers.url()
  return pick<unknown>([
    {},
    { webhooks: [id] },
    { url, events: ['*'] },
    {
      url,
      events: ['*'],
      filters: pick<unknown>([null, {}, { 'data.of': 'alice' }, ['data.of == "alice"']]),
    },
    {
      url,
      events: ['*'],
      conditions: [{ field: 'data.of', operator: 'eq', value: 'alice' }],
      conditionLogic: 'OR',
    },
    { events: ['*'] },
    { filters: null },
    { metadata: { customerId: 'alice' } },
    { metadata: {}, description: id },
    { active: random() < 0.5 },
    { status: ['failed', 'skipped', 'success'], backfill: true, dryRun: random() < 0.3 },
    { secret: 'a-secret-of-mallory' },
    { overlapSeconds: 0 },
    { event: 'a.b', data: { of: 'alice' } },
    { subscription: { url, events: ['*'] }, event: { event: 'a.b', data: { id } } },
  ])
}

async function anyCall(): Promise<{ name: string; answer: Answer }> {
  const { method, path } = pick(CALLABLE).definition
  const named = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(pick(ids)))
  const query = method === 'get' && random() < 0.3 ? `?cursor=${pick(cursors)}` : ''
  const headers = { ...(random() < 0.2 && { 'Idempotency-Key': pick(['k-1', ...ids]) }) }
  const call = method === 'get' || method === 'delete' ? { headers } : { json: anyBody(), headers }
  const name = `${method.toUpperCase()} ${named}${query} ${JSON.stringify(call)}`
  return { name, answer: await mallory.call(method.toUpperCase(), named + query, call) }
}

/** Streams do not end. */
const CALLABLE = routes.filter(({ definition: { answerType } }) => answerType !== 'text/event-stream')

test(`${CALLS} calls by one customer with the names of another show and change nothing of theirs (seed ${seed})`, {
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
  // Calls were made, and some of them reached what is Mallory's own.
  for (const status of [200, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(CALLS / 50)
})

import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { appOf, Client } from '../../support/process/http-client.ts'
import { clientWith } from '../../support/process/keys.ts'
import { customerClient, portalClient } from '../../support/process/portal.ts'
import { createRig } from '../../support/rig/builders.ts'
import { type Meter, meterD1 } from '../../support/rig/d1-watch.ts'

const SUBSCRIPTIONS = 10_000
const event = { event: 'a', data: {} }

async function costOf(meter: Meter, work: () => Promise<unknown>): Promise<Meter> {
  const before = { ...meter }
  await work()
  const { rowsRead, rowsWritten, calls } = meter
  return {
    rowsRead: rowsRead - before.rowsRead,
    rowsWritten: rowsWritten - before.rowsWritten,
    calls: calls - before.calls,
  }
}

/** A relay of its own with its database metered, and clients that reach it. */
async function metered() {
  const { db, meter } = meterD1(env.DB)
  const { relay, workspace } = await createRig({ db })
  const target = appOf(() => ({ ok: true, relay }))
  const operator = new Client(workspace, { target })
  return { meter, target, operator, workspace }
}

/** Fills a workspace with copies of a subscription, each of a customer of its own. */
async function fillWorkspace(id: string): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO subscription (workspace_no, id, config, created_at_ms, updated_at_ms)
     SELECT s.workspace_no, s.id || i, json_set(s.config, '$.metadata', json_object('customerId', 'c' || i, 'plan', 'pro')), 1, 1
     FROM subscription s, n WHERE s.id = ?1`,
  )
    .bind(id, SUBSCRIPTIONS)
    .run()
}

describe(`in a workspace of ${SUBSCRIPTIONS} subscriptions`, () => {
  let shared: Awaited<ReturnType<typeof metered>>
  let holder: Client
  let webhookId: string
  let eventId: string

  beforeAll(async () => {
    shared = await metered()
    const { operator, target } = shared
    const own = { metadata: { customerId: 'mine', plan: 'pro' } }
    webhookId = (await operator.subscribe({ ...own, events: ['mine'] })).id
    const foreign = await operator.subscribe({ events: ['theirs'] })
    eventId = (await operator.publish({ event: 'mine', data: {} })).id
    await fillWorkspace(foreign.id)
    holder = await customerClient(operator, 'mine', { target })
    await holder.get('/webhooks')
  }, 60_000)

  test.each<[string, () => string, number]>([
    ['the list of subscriptions', () => '/webhooks', 12],
    ['one subscription', () => `/webhooks/${webhookId}`, 8],
    ['the log of one', () => `/webhooks/${webhookId}/logs`, 16],
    ['the list of events', () => '/events', 12],
    ['all their deliveries', () => '/deliveries', 24],
    ['those that failed', () => '/deliveries?status=failed', 24],
    ['one event', () => `/events/${eventId}`, 12],
    ['its deliveries', () => `/events/${eventId}/deliveries`, 20],
    ['the list of replays', () => '/replays', 10],
  ])('a bound caller reads %s at the cost of their own', async (_, path, rowsMax) => {
    const cost = await costOf(shared.meter, async () => {
      const answer = await holder.get(path())
      expect(answer.status, answer.text).toBe(200)
    })
    expect(cost.rowsWritten).toBe(0)
    expect(cost.rowsRead).toBeLessThanOrEqual(rowsMax)
    expect(cost.calls).toBeLessThanOrEqual(8)
  })

  test('a page of a caller who is bound to all of them reads a page', async () => {
    const webhooks = { metadata: { plan: 'pro' } }
    const { operator, target } = shared
    const wide = await portalClient(operator, { scopes: ['webhooks:read'], webhooks }, { target })
    const cost = await costOf(shared.meter, () => wide.get('/webhooks?limit=50'))
    // Some six rows for each of the 50, the counters of its last day among them.
    expect(cost.rowsRead).toBeLessThanOrEqual(320)
  })
})

describe('what is written', () => {
  test('a subscription without metadata costs no row more, one with them a row for each value', async () => {
    const { meter, operator } = await metered()
    await operator.subscribe()
    const without = await costOf(meter, () => operator.subscribe())
    const one = await costOf(meter, () => operator.subscribe({ metadata: { a: '1' } }))
    const two = await costOf(meter, () => operator.subscribe({ metadata: { a: '1', b: '2' } }))
    expect(one.rowsWritten - without.rowsWritten).toBe(1)
    expect(two.rowsWritten - without.rowsWritten).toBe(2)
    expect(two.calls).toBe(without.calls)
  })

  test('a change of anything else writes none of them', async () => {
    const { meter, operator } = await metered()
    const { id } = await operator.subscribe({ metadata: { a: '1', b: '2' } })
    const plain = await operator.subscribe()
    const change = (of: string) =>
      costOf(meter, () => operator.call('PUT', `/webhooks/${of}`, { json: { name: 'n' } }))
    await change(id)
    await change(plain.id)
    expect((await change(id)).rowsWritten).toBe((await change(plain.id)).rowsWritten)
  })
})

test('a publish by a portal token costs what one by a key costs', async () => {
  const { meter, target, operator } = await metered()
  const options = { target }
  const key = await clientWith(operator, { role: 'publisher' }, options)
  const holder = await portalClient(operator, { scopes: ['events:publish'] }, options)
  const accepted = async (client: Client) => expect((await client.post('/events', event)).status).toBe(202)
  for (const client of [key, holder, key, holder]) await accepted(client)
  expect(await costOf(meter, () => accepted(holder))).toEqual(await costOf(meter, () => accepted(key)))
})

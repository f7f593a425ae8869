import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { decodePublicId } from '../../../../../../src/base/ids/public-id.ts'
import { batchIdOf } from '../../../../../../src/model/delivery.ts'
import { findSubscription } from '../../../../../../src/subscription/subscriptions.sql.ts'
import { Client, type DeliveryAnswer, unhintedClient } from '../../../../../support/process/http-client.ts'

const BATCHED = { batchSettings: {} }
const OFF = { batchSettings: { enabled: false } }

type Settings = Record<string, unknown>
type Row = {
  no: number
  workspace_no: number
  pacing_level: number
  flush_until_seq: number
  flush_cause: string
}

async function rowOf(id: string): Promise<Row> {
  const row = await env.DB.prepare('SELECT * FROM subscription WHERE id = ?1').bind(id).first<Row>()
  if (row === null) throw new Error('there is no such subscription')
  return row
}

/** The number of the last event of a subscription's workspace. */
async function lastSeq(id: string): Promise<number> {
  const { workspace_no: no } = await rowOf(id)
  const sql = 'SELECT max(pk) - (?1 << 44) AS seq FROM event WHERE pk >> 44 = ?1'
  return (await env.DB.prepare(sql).bind(no).first<number>('seq')) ?? 0
}

const change = async (client: Client, id: string, json: object) =>
  expect((await client.call('PATCH', `/webhooks/${id}`, { json })).status).toBe(200)

describe('the stored level of a subscription', () => {
  test.each<[Settings, number, string]>([
    [{}, 0, 'none'],
    [OFF, 0, 'none'],
    [{ ordered: true }, 1, 'ordered'],
    [{ ordered: true, ...BATCHED }, 2, 'limited'],
    [BATCHED, 2, 'limited'],
    [{ concurrency: 1 }, 2, 'limited'],
    [{ rateLimit: { requests: 1, perSeconds: 1 } }, 2, 'limited'],
  ])('created with %j is %i, and read as such', async (settings, paced, level) => {
    const client = new Client()
    const { id } = await client.subscribe(settings)
    expect(await rowOf(id)).toMatchObject({ pacing_level: paced, flush_until_seq: 0, flush_cause: null })
    expect(await findSubscription(env.DB, client.workspace, id)).toMatchObject({
      pacingLevel: level,
      flushUntilSeq: 0,
      streamedUntilMs: 0,
    })
  })

  test.each<[Settings, object, number]>([
    [{}, { description: 'x' }, 0],
    [{}, { ordered: true }, 1],
    [{}, BATCHED, 2],
    [{ ordered: true }, { concurrency: 1 }, 2],
    [{ ordered: true, concurrency: 1 }, { concurrency: null }, 1],
    [{ ordered: true }, { ordered: false }, 1],
    [BATCHED, OFF, 1],
    [{ concurrency: 1 }, { concurrency: null }, 1],
  ])('of %j after %j is %i: never 0 while something may still rest', async (settings, json, paced) => {
    const client = new Client()
    const { id } = await client.subscribe(settings)
    await change(client, id, json)
    expect((await rowOf(id)).pacing_level).toBe(paced)
    await change(client, id, { description: 'another change' })
    expect((await rowOf(id)).pacing_level).toBe(paced)
  })

  test('rises again from what was left of an earlier one', async () => {
    const client = new Client()
    const { id } = await client.subscribe(BATCHED)
    await change(client, id, { batchSettings: null })
    await change(client, id, { rateLimit: { requests: 1, perSeconds: 1 } })
    expect((await rowOf(id)).pacing_level).toBe(2)
  })

  test('of the target of a dispatch is 0', async () => {
    const client = unhintedClient()
    const target = { url: 'https://a.example.com/', secret: 'your-secret-key' }
    expect((await client.post('/dispatch', { event: 'a', data: {}, ...target })).status).toBe(202)
    const sql = `SELECT s.pacing_level FROM subscription s JOIN workspace w ON w.no = s.workspace_no WHERE w.id = ?1 AND s.kind = 1`
    expect(await env.DB.prepare(sql).bind(client.workspace).first()).toEqual({ pacing_level: 0 })
  })
})

describe('a change of a batched subscription', () => {
  test.each<[string, object]>([
    ['its limits', { batchSettings: { maxEvents: 5 } }],
    ['whether it batches', OFF],
    ['that it batches at all', { batchSettings: null }],
    ['its url', { url: 'https://other.example.com/' }],
    ['nothing', {}],
  ])('%s: flushes what was accepted before, and nothing after', async (_, json) => {
    const client = unhintedClient()
    const { id } = await client.subscribe(BATCHED)
    await client.publish({ event: 'a', data: {} })
    await client.publish({ event: 'b', data: {} })
    const before = await lastSeq(id)
    await change(client, id, json)
    await client.publish({ event: 'c', data: {} })
    expect(await lastSeq(id)).toBeGreaterThan(before)
    expect(await rowOf(id)).toMatchObject({ flush_until_seq: before, flush_cause: 'change' })
    const read = await findSubscription(env.DB, client.workspace, id)
    expect(read?.flushUntilSeq).toBe(before)
  })

  test('flushes by the events of its own workspace, and keeps an earlier mark where there are none', async () => {
    const other = unhintedClient()
    for (let i = 0; i < 3; i++) await other.publish({ event: 'a', data: {} })
    const client = new Client()
    const { id } = await client.subscribe(BATCHED)
    await change(client, id, { description: 'x' })
    expect((await rowOf(id)).flush_until_seq).toBe(0)
    await env.DB.prepare('UPDATE subscription SET flush_until_seq = 77 WHERE id = ?1').bind(id).run()
    await change(client, id, { description: 'y' })
    expect(await rowOf(id)).toMatchObject({ flush_until_seq: 77, flush_cause: 'change' })
  })

  test.each<[string, Settings, object]>([
    ['that begins to batch', {}, BATCHED],
    ['that begins to batch again', OFF, { batchSettings: { enabled: true } }],
    ['that is ordered only', { ordered: true }, { url: 'https://other.example.com/' }],
  ])('is nothing to one %s', async (_, settings, json) => {
    const client = unhintedClient()
    const { id } = await client.subscribe(settings)
    await client.publish({ event: 'a', data: {} })
    await change(client, id, json)
    expect(await rowOf(id)).toMatchObject({ flush_until_seq: 0, flush_cause: null })
  })
})

test.each<[object, boolean]>([
  [{ ordered: true }, true],
  [{ batchSettings: { flushOnEvent: ['other'] } }, true],
  [{ batchSettings: { maxEvents: 5 } }, false],
  [{ rateLimit: { requests: 1, perSeconds: 1 } }, false],
])('publishes are to match afresh after %j: %s', async (json, afresh) => {
  const client = new Client()
  const { id } = await client.subscribe(BATCHED)
  const sql = 'SELECT config_version FROM workspace WHERE id = ?1'
  const version = async () => await env.DB.prepare(sql).bind(client.workspace).first('config_version')
  const before = await version()
  await change(client, id, json)
  expect((await version()) !== before).toBe(afresh)
})

describe('a delivery', () => {
  test('shows the batch of its last attempt, wherever it is shown', async () => {
    const client = unhintedClient()
    const { id } = await client.subscribe(BATCHED)
    const event = await client.publish({ event: 'a', data: {} })
    const { no } = await rowOf(id)
    await env.DB.prepare(
      `INSERT INTO delivery (subscription_no, seq, type, state, attempts, last_at_ms, status, batch_no) VALUES (?1, ?2, 'a', 1, 1, 1, 200, 12345)
       ON CONFLICT (subscription_no, seq) DO UPDATE SET state = 1, attempts = 1, last_at_ms = 1, status = 200, batch_no = 12345`,
    )
      .bind(no, await lastSeq(id))
      .run()
    const batchId = batchIdOf({ subscriptionNo: no, batchNo: 12345 })
    const [row] = (await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)).data
    expect(row).toMatchObject({ eventId: event.id, status: 'success', batchId })
    expect((await client.get(`/deliveries/${row?.id}`)).data).toMatchObject({ batchId })
    const reasons = (await client.get<object[]>(`/events/${event.id}/deliveries`)).data
    expect(reasons).toMatchObject([{ delivery: { batchId } }])
  })

  test('that went alone, or has not gone yet, shows none', async () => {
    const client = unhintedClient()
    const { id } = await client.subscribe()
    await client.publish({ event: 'a', data: {} })
    expect((await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)).data).toMatchObject([
      { batchId: null },
    ])
  })
})

test('a batch’s id names its subscription and its number, and is no other thing’s id', () => {
  const id = batchIdOf({ subscriptionNo: 7, batchNo: 12345 })
  expect(id).toMatch(/^batch_0[0-9a-z]{18}$/)
  expect(decodePublicId('batch_', id)).toEqual({ owner: 7, seq: 12345 })
  expect(decodePublicId('log_', id)).toBeNull()
})

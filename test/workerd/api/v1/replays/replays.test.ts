import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { deliveryIdOf } from '../../../../../src/model/delivery.ts'
import { runReplayStep } from '../../../../../src/replay/run.ts'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import { type Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { createRig, type Rig } from '../../../../support/rig/builders.ts'
import {
  current,
  depsOf,
  dueSeqs,
  publishStanding,
  type ReplayAnswer,
  runToEnd,
  type Standing,
} from '../../../../support/rig/replays.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

let rig: Rig
let client: Client
let subscription: Subscription
beforeEach(async () => {
  rig = await createRig()
  client = clientOf(rig)
  subscription = await rig.subscribe()
})

const standing = (...standings: Standing[]) => publishStanding(rig, subscription, standings)
const idOf = (seq: number | undefined) => deliveryIdOf({ subscriptionNo: subscription.no, seq: seq ?? 0 })
const replay = (body?: object, id = subscription.id) =>
  client.post<ReplayAnswer>(`/webhooks/${id}/replay`, body)
const show = async (id: string) => (await client.get<ReplayAnswer>(`/replays/${id}`)).data
/** Makes every step, as the queue's consumer does. */
const run = async (id: string) => void (await runToEnd(rig, await current(rig, id)))

describe('POST /webhooks/{id}/replay', () => {
  test('answers 202 with a job that tells how far it has come', async () => {
    await standing('failed', 'success', 'failed')
    const { status, data } = await replay()
    const createdAt = new Date(rig.clock.nowMs).toISOString()
    expect([status, data]).toEqual([
      202,
      {
        ...{ id: expect.stringMatching(/^replay_[0-9a-f]{32}$/), webhookId: subscription.id, eventId: null },
        ...{ state: 'running', examined: 0, replayed: 0, error: null, createdAt, finishedAt: null },
        request: {
          ...{ status: ['failed'], events: null, dateFrom: null, dateTo: null },
          ...{ backfill: false, ratePerSecond: null },
        },
      },
    ])
    await run(data.id)
    const ended = { state: 'completed', examined: 2, replayed: 2, finishedAt: createdAt }
    expect(await show(data.id)).toEqual({ ...data, ...ended })
    await rig.drain()
    expect(rig.postsTo(subscription)).toHaveLength(2)
  })

  test('sends the first hint at once', async () => {
    await standing('failed')
    const { data } = await replay({})
    const { no } = await current(rig, data.id)
    await expect.poll(() => rig.retries.bodies).toContainEqual({ v: 1, kind: 'replay', replayNo: no })
  })

  test('shows the request as it was understood', async () => {
    const { data } = await replay({
      ...{ status: 'skipped', events: ['invoice.*'], dateFrom: '2026-01-01', dateTo: '2026-01-01' },
      ...{ backfill: true, ratePerSecond: 10 },
    })
    expect(data.request).toEqual({
      ...{ status: ['skipped'], events: ['invoice.*'], backfill: true, ratePerSecond: 10 },
      ...{ dateFrom: '2026-01-01T00:00:00.000Z', dateTo: '2026-01-01T23:59:59.999Z' },
    })
  })

  test('only counts when asked to, and writes nothing', async () => {
    await standing('failed', 'success', 'retries', 'failed', 'skipped')
    const count = async (body: object) => {
      const { status, data } = await replay({ ...body, dryRun: true })
      return [status, data]
    }
    expect(await count({})).toEqual([200, { dryRun: true, count: 2 }])
    expect(await count({ status: ['failed', 'skipped', 'success'] })).toEqual([
      200,
      { dryRun: true, count: 4 },
    ])
    expect(await count({ events: ['order.*'] })).toEqual([200, { dryRun: true, count: 0 }])
    expect((await client.get<unknown[]>('/replays')).data).toEqual([])
    expect(await dueSeqs(subscription)).toHaveLength(1)
  })

  test.each([
    ['UPDATE subscription SET active = 0', /disabled. Enable it first/],
    ['UPDATE subscription SET active = 0, deleted_at_ms = 1', /deleted. Subscribe anew/],
  ])('answers 409 and says what to do after %s', async (sql, message) => {
    await env.DB.prepare(`${sql} WHERE no = ?1`).bind(subscription.no).run()
    for (const body of [{}, { dryRun: true }]) {
      const answer = await replay(body)
      expectRefusal(answer, 409, 'conflict')
      expect(answer.error.message).toMatch(message)
    }
  })

  test('answers 409 while too many are running, and takes another once one has ended', async () => {
    const ids: string[] = []
    for (let i = 0; i < 20; i++) ids.push((await replay()).data.id)
    const answer = await replay()
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message).toMatch(/20 replays are running in this workspace; wait .* or cancel/)
    const other = await createRig()
    const { id } = await other.subscribe()
    expect((await clientOf(other).post(`/webhooks/${id}/replay`, {})).status).toBe(202)
    await client.post(`/replays/${ids[0]}/cancel`)
    expect((await replay()).status).toBe(202)
  })

  test.each([
    [{ status: 'pending' }, 'status', /must be "failed", "skipped" or "success", or a list of these/],
    [{ status: ['failed', 'lost'] }, 'status', /must be "failed", "skipped" or "success"/],
    [{ status: [] }, 'status', /must name at least one status, unless backfill is true/],
    [{ events: ['no spaces'] }, 'events[0]', /must be an event type/],
    [{ events: 'invoice.paid' }, 'events', /must be array, not string/],
    [{ dateFrom: 'now' }, 'dateFrom', /must be a date/],
    [{ dateFrom: '2026-02-01', dateTo: '2026-01-31' }, 'dateTo', /must not be before dateFrom/],
    [{ ratePerSecond: 1001 }, 'ratePerSecond', /must be 1-1000/],
    [{ backfill: 1 }, 'backfill', /must be boolean/],
    [{ dryRun: 'yes' }, 'dryRun', /must be boolean/],
    [{ since: '2026-01-01' }, 'since', /is not a field of this request/],
  ])('refuses %j by naming %s', async (body, path, message) => {
    expectInvalid(await replay(body), path, message)
  })
})

test('GET /replays lists them newest first, page by page', async () => {
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.unshift((await replay()).data.id)
  const listed = await client.all<ReplayAnswer>('/replays', 2)
  expect(listed.map(({ id }) => id)).toEqual(ids)
  expectInvalid(await client.get('/replays?cursor=bogus'), 'cursor', /nextCursor/)
})

describe('POST /replays/{id}/cancel', () => {
  test('ends a replay in the middle; what was made due stays so', async () => {
    await standing('failed', 'failed', 'failed')
    const { data } = await replay({ ratePerSecond: 1 })
    const { no } = await current(rig, data.id)
    await runReplayStep(depsOf(rig), no)
    rig.clock.nowMs += 1_000
    const cancelled = await client.post<ReplayAnswer>(`/replays/${data.id}/cancel`)
    expect(cancelled.status).toBe(200)
    expect(cancelled.data).toMatchObject({
      ...{ state: 'cancelled', replayed: 1, finishedAt: new Date(rig.clock.nowMs).toISOString() },
    })
    await run(data.id)
    expect(await dueSeqs(subscription)).toHaveLength(1)
    const again = await client.post<ReplayAnswer>(`/replays/${data.id}/cancel`)
    expect([again.status, again.data]).toEqual([200, cancelled.data])
  })

  test('answers 409 when the replay has ended otherwise', async () => {
    const { data } = await replay()
    await run(data.id)
    const answer = await client.post(`/replays/${data.id}/cancel`)
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message).toBe('The replay has completed; there is nothing to cancel.')
  })
})

test("another workspace's ids answer like ones that do not exist, and change nothing", async () => {
  const [seq] = await publishStanding(rig, subscription, ['failed'], { id: 'own' })
  const { id } = (await replay()).data
  const mallory = clientOf(rig, (await createRig()).workspace)
  const calls: [string, string, string][] = [
    ['POST', '/webhooks/%/replay', subscription.id],
    ['POST', '/events/%/replay', 'own'],
    ['POST', '/deliveries/%/replay', idOf(seq)],
    ['GET', '/replays/%', id],
    ['POST', '/replays/%/cancel', id],
  ]
  for (const [method, path, theirs] of calls) {
    const others = await mallory.call(method, path.replace('%', theirs))
    const missing = await mallory.call(method, path.replace('%', 'nobodys'))
    expectRefusal(others, 404, 'not_found')
    expect([others.status, others.error.message]).toEqual([missing.status, missing.error.message])
  }
  expect((await mallory.get<unknown[]>('/replays')).data).toEqual([])
  expect(await show(id)).toMatchObject({ state: 'running' })
  expect(await dueSeqs(subscription)).toEqual([])
})

import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { totalCounters } from '../../../src/history/statistics.sql.ts'
import { runReplayStep } from '../../../src/replay/run.ts'
import { answer, createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import {
  current,
  depsOf,
  dueSeqs,
  many,
  publishStanding,
  replayAll,
  runToEnd,
  selection,
  start,
} from '../../support/rig/replays.ts'

let rig: Rig
beforeEach(async () => {
  await freshStore()
  rig = await createRig()
})

const rowOf = async (seq: number) =>
  await env.DB.prepare('SELECT * FROM delivery WHERE seq = ?1').bind(seq).first()

describe('a replay of a subscription', () => {
  test('makes ended failures due, and nothing else', async () => {
    const subscription = await rig.subscribe()
    const standings = ['failed', 'success', 'retries', 'skipped', 'pending', 'failed'] as const
    const seqs = await publishStanding(rig, subscription, standings)
    await env.DB.prepare('UPDATE delivery SET due_at_ms = NULL WHERE state = 0').run()
    const replay = await replayAll(rig, selection(), subscription)
    expect(replay).toMatchObject({ state: 'completed', replayed: 2, examined: 3, error: null })
    expect(await dueSeqs(subscription)).toEqual([seqs[0], seqs[2], seqs[5]])
    expect(await rowOf(seqs[2] ?? 0)).toMatchObject({ replay_no: null })
  })

  test.each([
    [['success'], [1]],
    [['skipped'], [3]],
    [
      ['failed', 'success', 'skipped'],
      [0, 1, 3],
    ],
  ] as const)('takes the statuses it names: %j', async (statuses, places) => {
    const subscription = await rig.subscribe()
    const seqs = await publishStanding(rig, subscription, ['failed', 'success', 'retries', 'skipped'])
    const replay = await replayAll(rig, selection({ statuses: [...statuses] }), subscription)
    expect(replay.replayed).toBe(places.length)
    const due = (await dueSeqs(subscription)).filter((seq) => seq !== seqs[2])
    expect(due).toEqual(places.map((place) => seqs[place]))
  })

  test('a failed delivery stays failed until its next outcome; others are pending again', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, ['failed', 'success', 'skipped'])
    await replayAll(rig, selection({ statuses: ['failed', 'success', 'skipped'] }), subscription)
    const rows = await rig.deliveries()
    const due = rig.clock.nowMs
    expect(rows.map(({ state, error, due_at_ms }) => [state, error, due_at_ms])).toEqual([
      [2, 'http_status', due],
      [0, null, due],
      [0, null, due],
    ])
  })

  test('is delivered with its id, the same webhook-id, and what the subscription asks for now', async () => {
    const subscription = await rig.subscribe({ transform: { template: { now: '{{data.n}}' } } as never })
    const [seq = 0] = await publishStanding(rig, subscription, ['failed'])
    await env.DB.batch([
      env.DB.prepare('UPDATE delivery SET payload = 2'),
      env.DB.prepare(
        "INSERT INTO kept_body (subscription_no, seq, content_type, body) VALUES (?1, ?2, 'text/plain', 'as it was')",
      ).bind(subscription.no, seq),
    ])
    const { id } = await replayAll(rig, selection(), subscription)
    await rig.drain()
    const [post] = rig.postsTo(subscription)
    expect(post?.headers.get('x-posthorn-replay')).toBe(id)
    expect(rig.postsTo(subscription)).toHaveLength(1)
    expect(post?.body).toBe('{"now":0}')
    expect(post?.headers.get('webhook-id')).toMatch(/^evt_/)
    expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 2, due_at_ms: null }])
  })

  test('drops what was kept of the first attempt, in R2 too', async () => {
    const subscription = await rig.subscribe()
    const [seq = 0, other = 0] = await publishStanding(rig, subscription, ['failed', 'success'])
    await env.BODIES.put('kept', 'as it was')
    const keep = env.DB.prepare(
      "INSERT INTO kept_body (subscription_no, seq, content_type, body_key) VALUES (?1, ?2, 'text/plain', ?3)",
    )
    await env.DB.batch([
      keep.bind(subscription.no, seq, 'kept'),
      keep.bind(subscription.no, other, 'of another'),
    ])
    await replayAll(rig, selection(), subscription)
    expect((await env.DB.prepare('SELECT body_key FROM kept_body').all()).results).toEqual([
      { body_key: 'of another' },
    ])
    expect(await env.BODIES.get('kept')).toBeNull()
  })

  test('takes failures that counted out of the count, tests and others not', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, ['failed', 'failed', 'success', 'skipped'])
    await env.DB.prepare('INSERT INTO statistic (subscription_no, hour, failed) VALUES (?1, 1, 2)')
      .bind(subscription.no)
      .run()
    await replayAll(rig, selection({ statuses: ['failed', 'success', 'skipped'] }), subscription)
    const counters = await totalCounters(env.DB, [subscription.no])
    expect(counters.get(subscription.no)).toMatchObject({ failed: 0 })
  })

  test('starts the retries over, and numbers attempts on', async () => {
    const subscription = await rig.subscribe({ retryPolicy: { schedule: [10] } as never })
    await publishStanding(rig, subscription, ['failed'])
    rig.receivers.set(subscription.settings.url, answer(500))
    await replayAll(rig, selection(), subscription)
    await rig.drain()
    expect(await rig.deliveries()).toMatchObject([
      { state: 2, attempts: 2, due_at_ms: rig.clock.nowMs + 10_000 },
    ])
  })

  test('by event patterns and dates replays only these', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, ['failed'], { type: 'order.paid' })
    const [seq] = await publishStanding(rig, subscription, ['failed'], { type: 'invoice.paid' })
    rig.clock.nowMs += 60_000
    await publishStanding(rig, subscription, ['failed'], { type: 'invoice.paid' })
    const acceptedToMs = rig.clock.nowMs - 1
    await replayAll(rig, selection({ events: ['invoice.*'], acceptedToMs }), subscription)
    expect(await dueSeqs(subscription)).toEqual([seq])
  })

  test('leaves events that are gone, cancelled or erased alone', async () => {
    const subscription = await rig.subscribe()
    const seqs = await publishStanding(rig, subscription, many(4, 'failed'))
    const change = (sql: string, place: number) =>
      env.DB.prepare(`${sql} WHERE pk & ${2 ** 44 - 1} = ?1`).bind(seqs[place])
    await env.DB.batch([
      change('DELETE FROM event', 0),
      change('UPDATE event SET cancelled_at_ms = 1', 1),
      change('UPDATE event SET erased_at_ms = 1, body = NULL', 2),
    ])
    expect(await replayAll(rig, selection(), subscription)).toMatchObject({ examined: 4, replayed: 1 })
    expect(await dueSeqs(subscription)).toEqual([seqs[3]])
  })

  test('ends with the newest event there was when it began', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, ['failed'])
    const replay = await start(rig, selection(), subscription)
    await publishStanding(rig, subscription, ['failed'])
    expect(await runToEnd(rig, replay)).toMatchObject({ state: 'completed', replayed: 1 })
  })

  test('looks at 500 in a step', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, many(600, 'failed'))
    const replay = await start(rig, selection(), subscription)
    const first = await runReplayStep(depsOf(rig), replay.no)
    expect(first.more).toBe(true)
    expect(await current(rig, replay.id)).toMatchObject({ examined: 500, replayed: 500, state: 'running' })
    expect((await runReplayStep(depsOf(rig), replay.no)).more).toBe(false)
    expect(await current(rig, replay.id)).toMatchObject({ examined: 600, replayed: 600, state: 'completed' })
  })

  test('of a paused subscription makes due what then waits', async () => {
    const subscription = await rig.subscribe()
    await env.DB.prepare('UPDATE subscription SET paused_at_ms = 1').run()
    await publishStanding(rig, subscription, ['failed'])
    expect(await replayAll(rig, selection(), subscription)).toMatchObject({ replayed: 1 })
    await rig.drain()
    expect(rig.postsTo(subscription)).toEqual([])
    expect(await dueSeqs(subscription)).toHaveLength(1)
  })

  test.each([
    ['UPDATE subscription SET active = 0', /disabled/],
    ['UPDATE subscription SET active = 0, deleted_at_ms = 1', /deleted/],
  ])('fails when %s comes between its steps, and what is left stays as it was', async (sql, error) => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, many(2, 'failed'))
    const replay = await start(rig, selection({ ratePerSecond: 1 }), subscription)
    await runReplayStep(depsOf(rig), replay.no)
    await env.DB.prepare(sql).run()
    rig.clock.nowMs += 1_000
    const ended = await runToEnd(rig, replay)
    expect(ended).toMatchObject({ state: 'failed', replayed: 1, error: expect.stringMatching(error) })
    expect(ended.finishedAtMs).toBe(rig.clock.nowMs)
    expect(await dueSeqs(subscription)).toHaveLength(1)
  })
})

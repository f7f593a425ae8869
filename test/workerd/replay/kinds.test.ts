import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { totalCounters } from '../../../src/history/statistics.sql.ts'
import type { ReplayScope } from '../../../src/replay/replay.ts'
import { consumeReplay, runReplayStep } from '../../../src/replay/run.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
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

describe('a rate', () => {
  test('lets so many through a step, and the next step wait a second', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, ['failed', 'retries', 'failed', 'failed'])
    const replay = await start(rig, selection({ ratePerSecond: 2 }), subscription)
    const first = await runReplayStep(depsOf(rig), replay.no)
    expect(first).toMatchObject({ more: true, nextStepAtMs: rig.clock.nowMs + 1_000 })
    expect(await current(rig, replay.id)).toMatchObject({ replayed: 2, examined: 3 })
    rig.clock.nowMs += 500
    expect(await runReplayStep(depsOf(rig), replay.no)).toMatchObject({ more: false })
    expect(await current(rig, replay.id)).toMatchObject({ replayed: 2 })
    rig.clock.nowMs += 500
    expect(await runReplayStep(depsOf(rig), replay.no)).toMatchObject({ more: false })
    expect(await current(rig, replay.id)).toMatchObject({ replayed: 3, state: 'completed' })
  })

  test('of a thousand a second is reached', async () => {
    const subscription = await rig.subscribe()
    for (let i = 0; i < 2; i++) await publishStanding(rig, subscription, many(550, 'failed'))
    const replay = await start(rig, selection({ ratePerSecond: 1_000 }), subscription)
    await runReplayStep(depsOf(rig), replay.no)
    expect(await current(rig, replay.id)).toMatchObject({ replayed: 1_000 })
  })

  test('does not slow down the way past what is not replayed', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, many(600, 'retries'))
    const replay = await start(rig, selection({ ratePerSecond: 1 }), subscription)
    expect(await runReplayStep(depsOf(rig), replay.no)).toMatchObject({
      more: true,
      nextStepAtMs: rig.clock.nowMs,
    })
  })
})

describe('a replay of one event', () => {
  const eventScope = (seq: number, webhooks: { id: string; no: number }[] | null = null): ReplayScope => ({
    ...{ kind: 'event', seq, eventId: 'evt', webhooks },
  })

  test('goes to everyone it was owed to, whatever came of it, and to nobody else', async () => {
    const [delivered, failed, disabled, passedBy, retrying, back] = await Promise.all(
      many(6, 0).map(() => rig.subscribe()),
    )
    const [seq = 0] = await publishStanding(rig, delivered!, ['success'])
    await rig.subscribe({ events: ['elsewhere'] })
    const all = [delivered, failed, disabled].map((one) => one!.no)
    await env.DB.batch([
      env.DB.prepare('UPDATE event SET fanout = ?1').bind(
        JSON.stringify([...all, -passedBy!.no, retrying!.no]),
      ),
      ...[failed, disabled, retrying, back].map((one) =>
        env.DB.prepare(
          "INSERT INTO delivery (subscription_no, seq, type, state, attempts, due_at_ms) VALUES (?1, ?2, 'invoice.paid', 2, 1, ?3)",
        ).bind(one!.no, seq, one === retrying ? rig.clock.nowMs + 60_000 : null),
      ),
      env.DB.prepare('UPDATE subscription SET active = 0 WHERE no = ?1').bind(disabled!.no),
    ])
    expect(await replayAll(rig, eventScope(seq))).toMatchObject({
      state: 'completed',
      examined: 6,
      replayed: 4,
    })
    await rig.drain()
    const reached = [delivered, failed, disabled, passedBy, retrying, back].map(
      (one) => rig.postsTo(one!).length,
    )
    expect(reached).toEqual([1, 1, 0, 1, 0, 1])
  })

  test('goes only to those it names', async () => {
    const [one, two] = [await rig.subscribe(), await rig.subscribe()]
    const [seq = 0] = await publishStanding(rig, one, ['success'])
    await env.DB.prepare(
      "INSERT INTO delivery (subscription_no, seq, type, state, attempts) VALUES (?1, ?2, 'invoice.paid', 1, 1)",
    )
      .bind(two.no, seq)
      .run()
    const replay = await replayAll(rig, eventScope(seq, [{ id: two.id, no: two.no }]))
    expect(replay).toMatchObject({ examined: 1, replayed: 1 })
    expect([await dueSeqs(one), await dueSeqs(two)]).toEqual([[], [seq]])
  })

  test('walks past any number of subscriptions, 500 a step', async () => {
    const last = await rig.subscribe()
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
       INSERT INTO subscription (workspace_no, id, config, created_at_ms, updated_at_ms)
       SELECT s.workspace_no, 'w' || i, s.config, 0, 0 FROM n, subscription s`,
    ).run()
    const [seq = 0] = await publishStanding(rig, last, ['failed'])
    const { results } = await env.DB.prepare('SELECT no FROM subscription ORDER BY no').all<{ no: number }>()
    await env.DB.prepare('UPDATE event SET fanout = ?1')
      .bind(JSON.stringify(results.map(({ no }) => -no)))
      .run()
    const replay = await start(rig, eventScope(seq))
    expect(await runReplayStep(depsOf(rig), replay.no)).toMatchObject({ more: true })
    expect(await runToEnd(rig, replay)).toMatchObject({ examined: 701, replayed: 701 })
  })
})

test('a replay of one delivery makes it due, whatever came of it, and a test too', async () => {
  const subscription = await rig.subscribe()
  const seqs = await publishStanding(rig, subscription, ['success', 'success', 'failed'])
  await env.DB.prepare('UPDATE delivery SET is_test = 1 WHERE state = 2').run()
  for (const seq of [seqs[0] ?? 0, seqs[2] ?? 0])
    await replayAll(rig, { kind: 'delivery', seq, eventId: 'evt' }, subscription)
  expect(await dueSeqs(subscription)).toEqual([seqs[0], seqs[2]])
  expect((await totalCounters(env.DB, [subscription.no])).get(subscription.no)?.failed ?? 0).toBe(0)
})

describe('a hint', () => {
  async function hinted(count: number, ratePerSecond: number | null = null) {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, many(count, 'failed'))
    const replay = await start(rig, selection({ ratePerSecond }), subscription)
    const sent: number[] = []
    const woken: number[] = []
    const deps = {
      ...depsOf(rig),
      hints: {
        replays: async (_: readonly number[], delaySeconds = 0) => void sent.push(delaySeconds),
        dueAt: async (dueMs: ReadonlyMap<number, number>) => woken.push(...dueMs.keys()),
      },
    }
    await consumeReplay(deps, replay.no)
    return { replay: await current(rig, replay.id), sent, woken, subscription }
  }

  test('goes on to the end of a short replay, wakes its subscription and asks for no more', async () => {
    const { replay, sent, woken, subscription } = await hinted(600)
    expect(replay).toMatchObject({ state: 'completed', replayed: 600 })
    expect([sent, new Set(woken)]).toEqual([[], new Set([subscription.no])])
  })

  test('leaves the rest to another hint when the next step is to wait', async () => {
    const { replay, sent } = await hinted(3, 2)
    expect(replay).toMatchObject({ state: 'running', replayed: 2 })
    expect(sent).toEqual([1])
  })

  test('of a replay that does not exist is nothing', async () => {
    expect(await runReplayStep(depsOf(rig), 999_999)).toMatchObject({ more: false, wake: new Map() })
  })
})

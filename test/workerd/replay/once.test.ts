import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { cancelReplay } from '../../../src/replay/replays.sql.ts'
import { runReplayStep } from '../../../src/replay/run.ts'
import { createRig, createWorld, freshStore, type Rig } from '../../support/rig/builders.ts'
import { stallD1 } from '../../support/rig/d1-watch.ts'
import { type FaultMode, FaultyBindings } from '../../support/rig/faults.ts'
import {
  current,
  depsOf,
  dueSeqs,
  publishStanding,
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

describe('a step is made once', () => {
  const BASE = 3

  /** A replay in steps of two, with everything one can have: rows of each kind, missing ones, kept texts. */
  async function prepared(options: Parameters<typeof createRig>[0] = {}) {
    await freshStore()
    rig = await createRig({ ...options, workspace: 'ws' })
    await rig.publish({}, {})
    const subscription = await rig.subscribe({ livemode: true })
    const seqs = await publishStanding(rig, subscription, ['failed', 'success', 'failed', 'skipped'])
    await env.BODIES.put('kept', 'as it was')
    await env.DB.prepare(
      "INSERT INTO kept_body (subscription_no, seq, content_type, body_key) VALUES (?1, ?2, 'text/plain', 'kept')",
    )
      .bind(subscription.no, seqs[0])
      .run()
    await env.DB.prepare('INSERT INTO statistic (subscription_no, hour, failed) VALUES (?1, 1, ?2)')
      .bind(subscription.no, BASE)
      .run()
    const scope = selection({ statuses: ['failed', 'success', 'skipped'], backfill: true, ratePerSecond: 2 })
    return { subscription, replay: await start(rig, scope, subscription) }
  }

  /** Everything a replay may write, but for times. */
  async function outcome(id: string) {
    const { results } = await env.DB.prepare(
      'SELECT state, due_at_ms IS NOT NULL AS due, attempts, replay_no, replay_base FROM delivery ORDER BY seq',
    ).all()
    const failed = await env.DB.prepare('SELECT sum(failed) AS failed FROM statistic').first<number>('failed')
    const kept = await env.DB.prepare('SELECT count(*) AS kept FROM kept_body').first<number>('kept')
    const { state, examined, replayed } = await current(rig, id)
    return { results, failed, kept, state, examined, replayed }
  }

  async function healthy() {
    const { replay } = await prepared()
    await runToEnd(rig, replay)
    return await outcome(replay.id)
  }

  async function faulty(failingCall: number, mode: FaultMode) {
    const world = createWorld()
    const faults = new FaultyBindings(failingCall, mode)
    faults.isActive = false
    const { replay } = await prepared({ world, db: faults.db, bodies: faults.bodies })
    faults.isActive = true
    let failures = 0
    for (let i = 0; i < 20; i++) {
      try {
        await runToEnd(rig, replay)
        break
      } catch {
        failures++
        world.clock.nowMs += 1_000
      }
    }
    faults.isActive = false
    return { calls: faults.calls, failures, outcome: await outcome(replay.id) }
  }

  test('whichever of its calls fails, before or after it took effect', async () => {
    const expected = await healthy()
    expect(expected).toMatchObject({
      state: 'completed',
      examined: 6,
      replayed: 6,
      failed: BASE - 2,
      kept: 0,
    })
    const { calls } = await faulty(-1, 'before')
    expect(calls.length).toBeGreaterThanOrEqual(9)
    expect(calls).toContain('R2: delete')
    for (const [k, name] of calls.entries()) {
      for (const mode of ['before', 'after'] as const) {
        const run = await faulty(k, mode)
        expect(run.outcome, `call ${k} (${name}) failed ${mode}`).toEqual(expected)
        expect(run.failures, name).toBe(name === 'R2: delete' ? 0 : 1)
      }
    }
  })

  test('when two isolates make it at the same time', async () => {
    const expected = await healthy()
    const { replay } = await prepared()
    const other = await createRig({ world: rig.world, workspace: 'ws' })
    for (let i = 0; i < 10; i++) {
      const steps = [rig, other, rig, other].map((one) => runReplayStep(depsOf(one), replay.no))
      const more = (await Promise.all(steps)).filter((step) => step.more)
      expect(more.length).toBeLessThanOrEqual(1)
      if (more.length === 0) break
      rig.clock.nowMs += 1_000
    }
    expect(await outcome(replay.id)).toEqual(expected)
  })

  test('when another one is stalled before its write until the replay has ended', async () => {
    const expected = await healthy()
    const { replay } = await prepared()
    const slow = stallD1(env.DB, ({ sql }) => sql.some((text) => text.startsWith('UPDATE replay')))
    const late = runReplayStep({ ...depsOf(rig), db: slow.db }, replay.no)
    await slow.stalled
    await runToEnd(rig, replay)
    await env.DB.prepare('UPDATE delivery SET due_at_ms = NULL, state = 1').run()
    slow.release()
    expect(await late).toMatchObject({ more: false })
    const { results, ...rest } = await outcome(replay.id)
    expect(results).toEqual(expected.results.map((row) => ({ ...row, due: 0, state: 1 })))
    expect(rest).toMatchObject({ state: 'completed', replayed: 6, failed: BASE - 2 })
  })

  test('and not at all once the replay is cancelled, even in the middle of it', async () => {
    const { replay, subscription } = await prepared()
    await runReplayStep(depsOf(rig), replay.no)
    rig.clock.nowMs += 1_000
    const before = await dueSeqs(subscription)
    const slow = stallD1(env.DB, ({ sql }) => sql.some((text) => text.startsWith('UPDATE replay')))
    const step = runReplayStep({ ...depsOf(rig), db: slow.db }, replay.no)
    await slow.stalled
    expect(await cancelReplay(env.DB, replay.no, rig.clock.nowMs)).toBe(true)
    slow.release()
    expect(await step).toMatchObject({ more: false })
    expect(await dueSeqs(subscription)).toEqual(before)
    expect(await runToEnd(rig, replay)).toMatchObject({ state: 'cancelled', replayed: 2 })
  })
})

test('a delivery that was made again meanwhile is left alone', async () => {
  const subscription = await rig.subscribe()
  const [seq] = await publishStanding(rig, subscription, ['failed'])
  const replay = await start(rig, selection(), subscription)
  const slow = stallD1(env.DB, ({ sql }) => sql.some((text) => text.startsWith('UPDATE replay')))
  const step = runReplayStep({ ...depsOf(rig), db: slow.db }, replay.no)
  await slow.stalled
  await env.DB.prepare('UPDATE delivery SET state = 1, attempts = 2').run()
  slow.release()
  await step
  expect(await dueSeqs(subscription)).toEqual([])
  expect(await current(rig, replay.id)).toMatchObject({ state: 'completed', replayed: 0 })
  expect(await rowOf(seq ?? 0)).toMatchObject({ state: 1, replay_no: null })
})

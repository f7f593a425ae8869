import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { countReplay } from '../../../src/replay/count.ts'
import type { ReplayScope } from '../../../src/replay/replay.ts'
import { runReplayStep } from '../../../src/replay/run.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import { stallD1 } from '../../support/rig/d1-watch.ts'
import {
  current,
  depsOf,
  dueSeqs,
  many,
  newestSeqs,
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

describe('a back-fill', () => {
  const backfill = selection({ statuses: [], backfill: true })

  test('delivers past events that the subscription wants as it is now, and no others', async () => {
    await rig.subscribe({ events: ['elsewhere'] })
    await rig.publish(
      { type: 'invoice.paid', id: 'small', data: { total: 5 } },
      { type: 'invoice.paid', id: 'big', data: { total: 500 } },
      { type: 'invoice.sent', id: 'sent', data: { total: 500 } },
      { type: 'order.paid', id: 'order', data: { total: 500 } },
      { type: 'invoice.paid', id: 'large', data: { total: 500, text: 'x'.repeat(70_000) } },
    )
    rig.clock.nowMs += 60_000
    const subscription = await rig.subscribe({
      events: ['invoice.*'],
      filters: ['data.total > 100'] as never,
    })
    const scope: ReplayScope = { ...backfill, events: ['*.paid', 'invoice.paid'].slice(1) }
    expect(await countReplay(depsOf(rig), subscription, scope)).toEqual({ count: 2, isMinimum: false })
    expect(await replayAll(rig, scope, subscription)).toMatchObject({ examined: 5, replayed: 2 })
    await rig.drain()
    const ids = rig.postsTo(subscription).map(({ headers }) => headers.get('webhook-id'))
    expect(ids.sort()).toEqual(['big', 'large'])
    expect(await rig.deliveries()).toMatchObject(many(2, { state: 1, attempts: 1 }))
  })

  test.each([
    [{ livemode: true }, 1],
    [{ livemode: false }, 0],
    [{ apiVersion: 'v1' }, 1],
    [{ apiVersion: 'v9' }, 0],
  ])('heeds %j', async (settings, replayed) => {
    await rig.publish({})
    const subscription = await rig.subscribe(settings)
    expect(await replayAll(rig, backfill, subscription)).toMatchObject({ examined: 1, replayed })
  })

  test('leaves what is owed, was delivered, or went by while disabled to others', async () => {
    const subscription = await rig.subscribe()
    await publishStanding(rig, subscription, ['success', 'failed'])
    await rig.publish({})
    rig.fast.lose()
    await env.DB.prepare('UPDATE event SET fanout = ?1 WHERE pk = (SELECT max(pk) FROM event)')
      .bind(JSON.stringify([-subscription.no]))
      .run()
    await rig.publish({})
    expect(await replayAll(rig, backfill, subscription)).toMatchObject({ examined: 4, replayed: 0 })
    expect(await dueSeqs(subscription)).toEqual([])
  })

  test('matches afresh when the subscription changes under a step', async () => {
    await rig.publish({ type: 'invoice.paid' }, { type: 'order.paid' })
    const subscription = await rig.subscribe({ events: ['invoice.*'] })
    const replay = await start(rig, backfill, subscription)
    const stalled = stallD1(env.DB, ({ sql }) => sql.some((text) => text.startsWith('UPDATE replay')))
    const step = runReplayStep({ ...depsOf(rig), db: stalled.db }, replay.no)
    await stalled.stalled
    await env.DB.prepare(
      `UPDATE subscription SET version = version + 1, config = json_set(config, '$.events', json('["order.*"]'))`,
    ).run()
    stalled.release()
    expect(await step).toMatchObject({ more: true })
    expect(await dueSeqs(subscription)).toEqual([])
    expect(await runToEnd(rig, replay)).toMatchObject({ replayed: 1 })
    expect(await dueSeqs(subscription)).toEqual([(await newestSeqs(rig, 1))[0]])
  })

  test('reads no more content than fits, a step at a time', async () => {
    const large = { data: { text: 'x'.repeat(70_000) } }
    await rig.publish(...many(6, large))
    const subscription = await rig.subscribe({ livemode: true })
    const replay = await start(rig, backfill, subscription)
    await runReplayStep(depsOf(rig), replay.no)
    expect(await current(rig, replay.id)).toMatchObject({ examined: 4, replayed: 4, state: 'running' })
    expect(await runToEnd(rig, replay)).toMatchObject({ examined: 6, replayed: 6 })
  })

  test('gives an event whose content is missing from R2 to nobody', async () => {
    await rig.publish({ data: { text: 'x'.repeat(70_000) } })
    const { objects } = await env.BODIES.list()
    await env.BODIES.delete(objects.map(({ key }) => key))
    const subscription = await rig.subscribe({ livemode: true })
    expect(await replayAll(rig, backfill, subscription)).toMatchObject({ examined: 1, replayed: 0 })
  })

  test('keeps to its rate, with filters too', async () => {
    await rig.publish(...many(30, { data: { total: 1 } }))
    const subscription = await rig.subscribe({ filters: ['data.total > 0'] as never })
    const replay = await start(rig, { ...backfill, ratePerSecond: 1 }, subscription)
    await runReplayStep(depsOf(rig), replay.no)
    expect(await current(rig, replay.id)).toMatchObject({ examined: 1, replayed: 1 })
  })
})

test('what went by while the subscription was disabled is delivered when skipped ones are replayed', async () => {
  const subscription = await rig.subscribe({ active: false })
  await rig.publish({ id: 'gone-by' })
  await env.DB.prepare('UPDATE subscription SET active = 1').run()
  const scope = selection({ statuses: ['skipped'] })
  expect(await countReplay(depsOf(rig), subscription, scope)).toEqual({ count: 1, isMinimum: false })
  expect(await replayAll(rig, scope, subscription)).toMatchObject({ replayed: 1 })
  await rig.drain()
  expect(rig.postsTo(subscription).map(({ headers }) => headers.get('webhook-id'))).toEqual(['gone-by'])
})

describe('a dry run', () => {
  test.each([
    [['failed'], false],
    [['success'], false],
    [['skipped'], false],
    [['failed', 'success', 'skipped'], true],
  ] as const)('of %j, back-fill %j counts what is then replayed', async (statuses, backfill) => {
    await rig.publish(...many(7, {}))
    const subscription = await rig.subscribe({ filters: ['data.n >= 0 || true'] as never })
    await publishStanding(rig, subscription, ['failed', 'success', 'retries', 'skipped', 'failed', 'success'])
    const scope = selection({ statuses: [...statuses], backfill })
    const before = await env.DB.prepare('SELECT * FROM delivery').all()
    const { count, isMinimum } = await countReplay(depsOf(rig), subscription, scope)
    expect((await env.DB.prepare('SELECT * FROM delivery').all()).results).toEqual(before.results)
    expect(isMinimum).toBe(false)
    expect(count).toBeGreaterThan(0)
    expect(await replayAll(rig, scope, subscription)).toMatchObject({ replayed: count })
  })

  test('counts beyond one window, and says when it stopped looking', async () => {
    const subscription = await rig.subscribe()
    await rig.publish({})
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
       INSERT INTO event (pk, type, accepted_at_ms, fanout, body) SELECT e.pk + i, e.type, e.accepted_at_ms, e.fanout, e.body FROM n, event e`,
    ).run()
    await env.DB.prepare(
      `INSERT INTO delivery (subscription_no, seq, type, state, attempts) SELECT ?1, pk & ${2 ** 44 - 1}, type, 2, 1 FROM event`,
    )
      .bind(subscription.no)
      .run()
    expect(await countReplay(depsOf(rig), subscription, selection())).toEqual({
      count: 2501,
      isMinimum: false,
    })
  })

  test('looks at 100,000 deliveries at most, and says that there may be more', async () => {
    const subscription = await rig.subscribe()
    const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001)'
    await env.DB.exec(
      `INSERT INTO delivery (subscription_no, seq, type, state, attempts) ${numbers} SELECT ${subscription.no}, i, 't', 2, 1 FROM n`,
    )
    await env.DB.prepare(
      'INSERT INTO event (pk, type, accepted_at_ms, fanout, body) VALUES ((?1 << 44) | 100001, ?2, 0, ?3, ?4)',
    )
      .bind(rig.workspaceNo, 't', '[]', '{}')
      .run()
    expect(await countReplay(depsOf(rig), subscription, selection())).toMatchObject({ isMinimum: true })
  })
})

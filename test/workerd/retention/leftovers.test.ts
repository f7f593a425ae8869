import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { hourlyCounters, totalCounters } from '../../../src/history/statistics.sql.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import {
  DAY_MS,
  historyCounts,
  objectKeys,
  purgeNow,
  setRetention,
  settleHistory,
} from '../../support/rig/history.ts'

beforeEach(freshStore)

const HOUR_MS = 3_600_000

const nosOf = async () => {
  const { results } = await env.DB.prepare('SELECT no FROM subscription ORDER BY no').all<{ no: number }>()
  return results.map(({ no }) => no)
}
const versionOf = (no: number) =>
  env.DB.prepare('SELECT config_version FROM workspace WHERE no = ?1')
    .bind(no)
    .first<number>('config_version')

describe('subscriptions', () => {
  /** A deleted one, an idle dispatch target and a live one, in this order. */
  async function three() {
    const rig = await createRig()
    const [deleted, target, live] = [await rig.subscribe(), await rig.subscribe(), await rig.subscribe()]
    await rig.publish({})
    await settleHistory(rig)
    await env.DB.prepare('UPDATE subscription SET deleted_at_ms = ?2, active = 0 WHERE no = ?1')
      .bind(deleted.no, rig.clock.nowMs)
      .run()
    await env.DB.prepare('UPDATE subscription SET kind = 1 WHERE no = ?1').bind(target.no).run()
    return { rig, deleted, target, live }
  }

  test('deleted ones and idle dispatch targets are forgotten once nothing of theirs is left', async () => {
    const { rig, deleted, target, live } = await three()
    rig.clock.nowMs += 89 * DAY_MS
    expect((await purgeNow(rig)).tidied.subscriptions).toBe(0)
    rig.clock.nowMs += 2 * DAY_MS
    const version = await versionOf(rig.workspaceNo)
    // The event that is purged in this run was dispatched to the target: its delivery has to go first.
    await env.DB.prepare('UPDATE event SET is_test = 2, fanout = ?1').bind(`[${target.no}]`).run()
    expect(await purgeNow(rig)).toMatchObject({ events: 1, tidied: { subscriptions: 2 } })
    expect(await nosOf()).toEqual([live.no])
    expect(await versionOf(rig.workspaceNo)).not.toBe(version)
    const { results } = await env.DB.prepare('SELECT DISTINCT subscription_no AS no FROM statistic').all()
    expect([results, deleted.no < live.no]).toEqual([[{ no: live.no }], true])
  })

  test('one that still has a delivery stays', async () => {
    const { rig, deleted } = await three()
    rig.clock.nowMs += 91 * DAY_MS
    await env.DB.prepare("INSERT INTO delivery (subscription_no, seq, type, state) VALUES (?1, 1, 'a', 1)")
      .bind(deleted.no)
      .run()
    await purgeNow(rig)
    expect(await nosOf()).toContain(deleted.no)
  })

  test('a dispatch target whose event the sweeper has not seen stays', async () => {
    const { rig, target } = await three()
    rig.clock.nowMs += 91 * DAY_MS
    await rig.publish({})
    await env.DB.prepare('UPDATE event SET is_test = 2, fanout = ?1 WHERE pk = (SELECT max(pk) FROM event)')
      .bind(`[${target.no}]`)
      .run()
    await purgeNow(rig)
    expect(await nosOf()).toContain(target.no)
  })

  test('the newest one stays whatever it is: its number must not be given out again', async () => {
    const { rig, live } = await three()
    await env.DB.prepare('UPDATE subscription SET deleted_at_ms = 1 WHERE no = ?1').bind(live.no).run()
    rig.clock.nowMs += 91 * DAY_MS
    await purgeNow(rig)
    rig.clock.nowMs += 2 * DAY_MS
    await purgeNow(rig)
    expect(await nosOf()).toContain(live.no)
    expect((await rig.subscribe()).no).toBeGreaterThan(live.no)
  })
})

describe('statistics', () => {
  test('old hours are folded into one row; totals stay, and so do the hours that are shown', async () => {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { retentionDays: 1 })
    const { no } = await rig.subscribe()
    for (let i = 0; i < 12; i++) {
      await rig.publish({}, {})
      await settleHistory(rig)
      rig.clock.nowMs += DAY_MS - 60_000
    }
    const totals = await totalCounters(env.DB, [no])
    expect(totals.get(no)).toMatchObject({ delivered: 24, attempts: 24 })
    const hours = await hourlyCounters(env.DB, [no])
    expect((await purgeNow(rig)).tidied.hours).toBe(4)
    expect(await totalCounters(env.DB, [no])).toEqual(totals)
    const after = await hourlyCounters(env.DB, [no])
    expect(after.map(({ hour }) => hour)).toEqual([0, ...hours.slice(4).map(({ hour }) => hour)])
    rig.clock.nowMs += 2 * DAY_MS
    expect((await purgeNow(rig)).tidied.hours).toBe(2)
    expect(await totalCounters(env.DB, [no])).toEqual(totals)
    expect((await hourlyCounters(env.DB, [no])).at(-1)).toEqual(hours.at(-1))
  })
})

describe('idempotency keys', () => {
  test('of the day stay, older ones go, own ids stay as long as their event', async () => {
    const rig = await createRig()
    await rig.publish({ id: 'own', idempotencyKey: 'old' })
    await settleHistory(rig)
    rig.clock.nowMs += DAY_MS + HOUR_MS
    await rig.publish({ idempotencyKey: 'young' })
    expect((await purgeNow(rig)).tidied.keys).toBe(1)
    const { results } = await env.DB.prepare('SELECT key FROM event_key ORDER BY key').all<{ key: string }>()
    expect(results.map(({ key }) => key)).toEqual(['i:own', 'k:young'])
  })

  test('are walked through in as many runs as it takes, of all workspaces, once a day', async () => {
    const rig = await createRig()
    const other = await createRig({ world: rig.world })
    const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)'
    for (const { workspaceNo } of [rig, other]) {
      await env.DB.exec(
        `INSERT INTO event_key (workspace_no, key, seq, hash) ${numbers} SELECT ${workspaceNo}, 'k:' || i, i, '' FROM n`,
      )
    }
    let removed = 0
    for (let runs = 0; runs < 12; runs++) removed += (await purgeNow(rig, { stepsMax: 4 })).tidied.keys
    expect([removed, await historyCounts()]).toMatchObject([2_400, { event_key: 0 }])
    await env.DB.exec(
      "INSERT INTO event_key (workspace_no, key, seq, hash) SELECT no, 'k:', 1, '' FROM workspace",
    )
    await env.DB.exec("UPDATE event_key SET key = 'k:1'")
    expect((await purgeNow(rig)).tidied.keys).toBe(0)
    rig.clock.nowMs += DAY_MS
    expect((await purgeNow(rig)).tidied.keys).toBe(2)
  })
})

describe('objects in R2', () => {
  const orphan = () => env.BODIES.put(crypto.randomUUID(), 'x')

  test('that no row names go after a day; those that one names stay, and so do those of others', async () => {
    const rig = await createRig()
    await rig.publish({ data: { text: 'x'.repeat(70_000) } })
    const [named = ''] = await objectKeys()
    await orphan()
    await env.BODIES.put('archive/ws/1-2-3.ndjson.gz', 'x')
    await env.BODIES.put('backup.sql', 'x')
    rig.clock.nowMs = Date.now() + DAY_MS - HOUR_MS
    expect((await purgeNow(rig)).tidied.objects).toBe(0)
    rig.clock.nowMs += DAY_MS
    expect((await purgeNow(rig)).tidied.objects).toBe(2)
    expect(new Set(await objectKeys())).toEqual(new Set([named, 'backup.sql']))
  })

  test('are looked through a page a run', async () => {
    const rig = await createRig()
    for (let i = 0; i < 11; i++) await Promise.all(Array.from({ length: 100 }, orphan))
    rig.clock.nowMs = Date.now() + 2 * DAY_MS
    expect((await purgeNow(rig)).tidied.objects).toBe(1_000)
    expect((await purgeNow(rig)).tidied.objects).toBe(100)
    expect(await objectKeys()).toEqual([])
  })
})

import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { claimDue } from '../../../src/deliver/claims.sql.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../support/rig/builders.ts'
import {
  DAY_MS,
  everything,
  historyCounts,
  NO_HISTORY,
  objectKeys,
  purgeNow,
  setRetention,
  settleHistory,
  workspaceRow,
} from '../../support/rig/history.ts'

beforeEach(freshStore)

const seqsOf = async (workspaceNo: number) => {
  const { results } = await env.DB.prepare(
    'SELECT pk & (1 << 44) - 1 AS seq FROM event WHERE pk >> 44 = ?1 ORDER BY pk',
  )
    .bind(workspaceNo)
    .all<{ seq: number }>()
  return results.map(({ seq }) => seq)
}

describe('what goes', () => {
  test('after 90 days an event goes with all that hangs on it, in D1 and in R2', async () => {
    const rig = await createRig()
    await everything(rig)
    const before = await historyCounts()
    expect(
      Object.values(before).every((count) => count > 0),
      JSON.stringify(before),
    ).toBe(true)
    expect(await objectKeys()).toHaveLength(2)
    rig.clock.nowMs += 89 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 0, deliveries: 0 })
    expect(await objectKeys()).toHaveLength(2)
    rig.clock.nowMs += DAY_MS
    expect(await purgeNow(rig)).toMatchObject({
      ...{ events: 3, deliveries: 6, expired: 0, failed: 0 },
      // The objects went with their rows; the walk over the bucket found none left.
      tidied: { objects: 0 },
    })
    expect(await historyCounts()).toEqual(NO_HISTORY)
    expect(await objectKeys()).toEqual([])
  })

  test('a workspace keeps as long as it says, and what is younger stays', async () => {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { retentionDays: 7 })
    await rig.subscribe()
    await rig.publish({ id: 'old' })
    await settleHistory(rig)
    rig.clock.nowMs += 6 * DAY_MS
    await rig.publish({ id: 'young' })
    await settleHistory(rig)
    rig.clock.nowMs += DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 1, deliveries: 1 })
    expect(await historyCounts()).toMatchObject({ event: 1, event_key: 1, delivery: 1 })
    expect((await env.DB.prepare('SELECT key FROM event_key').first('key')) as string).toBe('i:young')
  })

  test('nothing goes above the sweeper’s mark, however old', async () => {
    const rig = await createRig()
    await rig.subscribe()
    await rig.publish({}, {})
    rig.clock.nowMs += 100 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 0 })
    await rig.drain()
    await settleHistory(rig)
    await rig.publish({})
    rig.clock.nowMs += 100 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 2 })
    expect(await seqsOf(rig.workspaceNo)).toHaveLength(1)
  })

  test('deliveries that no fan-out names go too, and those of dispatches', async () => {
    const rig = await createRig()
    await rig.publish({})
    const late = await rig.subscribe()
    const target = await rig.subscribe()
    await env.DB.prepare('UPDATE subscription SET kind = 1 WHERE no = ?1').bind(target.no).run()
    await settleHistory(rig)
    const [seq = 0] = await seqsOf(rig.workspaceNo)
    await env.DB.prepare('UPDATE event SET is_test = 2, fanout = ?1').bind(`[${target.no}]`).run()
    for (const no of [late.no, target.no]) {
      await env.DB.prepare("INSERT INTO delivery (subscription_no, seq, type, state) VALUES (?1, ?2, 'a', 1)")
        .bind(no, seq)
        .run()
    }
    rig.clock.nowMs += 91 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 1, deliveries: 2 })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test('numbers go on above those that are gone, and an own id may be used again', async () => {
    const rig = await createRig()
    await rig.publish({ id: 'own' })
    await settleHistory(rig)
    const [first = 0] = await seqsOf(rig.workspaceNo)
    rig.clock.nowMs += 91 * DAY_MS
    await purgeNow(rig)
    rig.clock.nowMs = 0
    expect(await rig.publish({ id: 'own' })).toMatchObject([{ kind: 'accepted' }])
    expect((await seqsOf(rig.workspaceNo))[0]).toBeGreaterThan(first)
  })

  test('of a workspace over its size the oldest go until it is met', async () => {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { retentionBytes: 1_000_000 })
    for (let i = 0; i < 24; i++) await rig.publish({ data: { text: 'x'.repeat(50_000) } })
    await settleHistory(rig)
    const seqs = await seqsOf(rig.workspaceNo)
    await env.DB.prepare(
      'UPDATE workspace SET stored_bytes = (SELECT sum(150 + length(body)) FROM event)',
    ).run()
    rig.clock.nowMs += 20 * 60_000
    const report = await purgeNow(rig)
    expect(report.events).toBe(5)
    expect(await seqsOf(rig.workspaceNo)).toEqual(seqs.slice(5))
    const left = await env.DB.prepare('SELECT sum(150 + length(body)) AS bytes FROM event').first<number>(
      'bytes',
    )
    expect((await workspaceRow(rig.workspaceNo))?.stored_bytes).toBe(left)
    expect(left).toBeLessThanOrEqual(1_000_000)
    expect(await purgeNow(rig)).toMatchObject({ events: 0 })
  })

  test('the count of a workspace that is empty is set right', async () => {
    const rig = await createRig()
    await env.DB.prepare('UPDATE workspace SET stored_bytes = 5').run()
    await purgeNow(rig)
    expect((await workspaceRow(rig.workspaceNo))?.stored_bytes).toBe(0)
  })
})

describe('what is outstanding', () => {
  /** Two events whose deliveries wait: their subscription is failing, its retries far apart. */
  async function waiting(retentionDays: number) {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { retentionDays })
    const subscription = await rig.subscribe({ retryPolicy: { schedule: [30 * 86_400] } })
    rig.receivers.set(subscription.settings.url, answer(500))
    await rig.publish({}, {})
    await settleHistory(rig)
    expect((await rig.deliveries()).map(({ due_at_ms: due }) => due !== null)).toEqual([true, true])
    return { rig, subscription }
  }

  test('holds its event for seven days, however short the retention', async () => {
    const { rig } = await waiting(1)
    rig.clock.nowMs += 6 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 0, expired: 0 })
    rig.clock.nowMs += DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 2, expired: 2 })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test('is passed over: events after it go, and the mark stays below it', async () => {
    const { rig, subscription } = await waiting(1)
    await env.DB.prepare(
      'UPDATE delivery SET state = 1, due_at_ms = NULL WHERE seq = (SELECT max(seq) FROM delivery)',
    ).run()
    rig.clock.nowMs += 2 * DAY_MS
    const [held = 0] = await seqsOf(rig.workspaceNo)
    expect(await purgeNow(rig)).toMatchObject({ events: 1 })
    expect(await seqsOf(rig.workspaceNo)).toEqual([held])
    expect((await workspaceRow(rig.workspaceNo))?.purged_seq).toBe(held - 1)
    rig.receivers.set(subscription.settings.url, answer(200))
    rig.clock.nowMs += 5 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 1, expired: 1 })
  })

  test('and in some consumer’s hand ends, but goes only when the consumer is done', async () => {
    const { rig, subscription } = await waiting(1)
    rig.clock.nowMs += 8 * DAY_MS
    await env.DB.prepare('UPDATE delivery SET due_at_ms = ?1').bind(rig.clock.nowMs).run()
    const terms = { id: 'claim', nowMs: rig.clock.nowMs, expiresAtMs: rig.clock.nowMs + 90_000, pairsMax: 1 }
    const due = { perSubscription: 1, crashesMin: 0, crashesMax: 10 }
    const { claim } = await claimDue(env.DB, terms, due, [subscription.no])
    const inHand = claim?.pairs[0]?.seq ?? 0
    expect(await purgeNow(rig)).toMatchObject({ events: 1, expired: 2 })
    expect(await seqsOf(rig.workspaceNo)).toEqual([inHand])
    expect(await rig.deliveries()).toMatchObject([{ state: 3, due_at_ms: null, error: 'expired' }])
    expect(await purgeNow(rig)).toMatchObject({ events: 0, expired: 0 })
    rig.clock.nowMs += 91_000
    expect(await purgeNow(rig)).toMatchObject({ events: 1 })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })
})

/** Delivered events of the year 1970. */
async function manyEvents(rig: Rig, count: number): Promise<void> {
  const { no } = await rig.subscribe()
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
  await env.DB.exec(
    `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${numbers} SELECT (${rig.workspaceNo} << 44) | i, 'a', 1, '[${no}]', '{}' FROM n`,
  )
  await env.DB.exec(
    `INSERT INTO delivery (subscription_no, seq, type, state) ${numbers} SELECT ${no}, i, 'a', 1 FROM n`,
  )
  await env.DB.exec(`UPDATE workspace SET swept_seq = ${count} WHERE no = ${rig.workspaceNo}`)
}

describe('a run', () => {
  async function twoWorkspaces() {
    const world = createWorld()
    const rigs = [await createRig({ world }), await createRig({ world })] as const
    for (const rig of rigs) {
      await rig.publish({}, {})
      await settleHistory(rig)
    }
    world.clock.nowMs += 91 * DAY_MS
    return rigs
  }

  test('of few steps goes on where the one before ran out', async () => {
    const [rig] = await twoWorkspaces()
    expect(await purgeNow(rig, { stepsMax: 1 })).toMatchObject({ events: 2, truncated: true })
    expect(await purgeNow(rig, { stepsMax: 1 })).toMatchObject({ events: 2, truncated: true })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test('that fails in one workspace purges the others, and says so', async () => {
    const [rig, other] = await twoWorkspaces()
    await env.DB.prepare("UPDATE event SET fanout = '[' WHERE pk >> 44 = ?1").bind(rig.workspaceNo).run()
    expect(await purgeNow(rig)).toMatchObject({
      events: 2,
      failed: 1,
      error: expect.stringContaining('JSON'),
    })
    expect(await seqsOf(other.workspaceNo)).toEqual([])
  })

  test('beside another removes everything once and counts nothing twice', async () => {
    const [rig] = await twoWorkspaces()
    await env.DB.prepare('UPDATE workspace SET stored_bytes = 1000000').run()
    const bytes = await env.DB.prepare(
      'SELECT sum(150 + octet_length(body)) AS bytes FROM event WHERE pk >> 44 = ?1',
    )
      .bind(rig.workspaceNo)
      .first<number>('bytes')
    await Promise.all([purgeNow(rig), purgeNow(rig)])
    expect(await historyCounts()).toEqual(NO_HISTORY)
    expect((await workspaceRow(rig.workspaceNo))?.stored_bytes).toBe(1_000_000 - (bytes ?? 0))
  })

  test('takes more than a step’s events in as many steps as it may', async () => {
    const rig = await createRig()
    await manyEvents(rig, 1_200)
    expect(await purgeNow(rig, { stepsMax: 2 })).toMatchObject({
      ...{ events: 500, deliveries: 500, truncated: true },
    })
    expect(await purgeNow(rig)).toMatchObject({ events: 700, truncated: false })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test('passes over what is held in one step, and the mark stays below it in all that follow', async () => {
    const rig = await createRig()
    await manyEvents(rig, 1_200)
    await env.DB.prepare('UPDATE event SET deliver_at_ms = ?1 WHERE pk & (1 << 44) - 1 = 3')
      .bind(rig.clock.nowMs)
      .run()
    await env.DB.exec('UPDATE delivery SET state = 0, due_at_ms = 1 WHERE seq = 3')
    expect(await purgeNow(rig)).toMatchObject({ events: 1_199, expired: 0 })
    expect([await seqsOf(rig.workspaceNo), await workspaceRow(rig.workspaceNo)]).toMatchObject([
      [3],
      { purged_seq: 2 },
    ])
  })

  test('of few steps does not begin with the same workspace each time', async () => {
    const world = createWorld()
    const [one, other] = [await createRig({ world }), await createRig({ world })]
    for (const rig of [one, other]) await manyEvents(rig, 700)
    await purgeNow(one, { stepsMax: 1 })
    await purgeNow(one, { stepsMax: 1 })
    expect((await seqsOf(one.workspaceNo)).length).toBe(450)
    expect((await seqsOf(other.workspaceNo)).length).toBe(450)
  })

  test('takes fewer events where each has very many deliveries', async () => {
    const rig = await createRig()
    for (let i = 0; i < 6; i++) await rig.subscribe()
    const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)'
    await env.DB.exec(
      `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${numbers} SELECT (${rig.workspaceNo} << 44) | i, 'a', 1, '[]', '{}' FROM n`,
    )
    await env.DB.exec(
      `INSERT INTO delivery (subscription_no, seq, type, state) ${numbers} SELECT s.no, i, 'a', 1 FROM n, subscription s WHERE s.workspace_no = ${rig.workspaceNo}`,
    )
    await env.DB.exec('UPDATE workspace SET swept_seq = 1000')
    expect(await purgeNow(rig)).toMatchObject({ events: 1_000, deliveries: 6_000 })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })
})

import { env } from 'cloudflare:workers'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { SWEPT_BYTES } from '../../../src/store/stored-bytes.sql.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'
import {
  DAY_MS,
  historyCounts,
  NO_HISTORY,
  purgeNow,
  setRetention,
  settleHistory,
} from '../../support/rig/history.ts'

/** What was measured, printed once: figures of this file are quoted in documents. */
const figures: string[] = []

afterAll(() => {
  // biome-ignore lint/suspicious/noConsole: the figures are this file's second purpose.
  console.log(`rows written / read\n${figures.join('\n')}`)
})

beforeEach(freshStore)

async function metered() {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  const purged = async (name: string, events: number) => {
    const before = { ...meter }
    expect(await purgeNow(rig)).toMatchObject({ events, failed: 0 })
    const written = (meter.rowsWritten - before.rowsWritten) / Math.max(1, events)
    const read = (meter.rowsRead - before.rowsRead) / Math.max(1, events)
    const calls = meter.calls - before.calls
    figures.push(`${name}: ${written.toFixed(2)} / ${read.toFixed(2)} in ${calls} calls`)
    return { written, read, calls }
  }
  return { rig, purged }
}

const many = (count: number) => Array.from({ length: count }, () => ({ data: { text: 'x'.repeat(400) } }))

describe('what a purge costs', () => {
  test('an event delivered at once: a row written for each of its two rows, at most 18 read', async () => {
    const { rig, purged } = await metered()
    for (let i = 0; i < 149; i++) await rig.subscribe({ events: ['elsewhere'] })
    await rig.subscribe()
    for (let i = 0; i < 20; i++) await rig.publish(...many(100))
    await settleHistory(rig)
    rig.clock.nowMs += 91 * DAY_MS
    const { written, read, calls } = await purged('2,000 events delivered at once, per event', 2_000)
    expect(written).toBeLessThanOrEqual(2.02)
    expect(read).toBeLessThanOrEqual(18)
    // One of them is for the counts of events by type.
    expect(calls).toBeLessThanOrEqual(46)
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test('an event with an own id: one row more', async () => {
    const { rig, purged } = await metered()
    await rig.subscribe()
    await rig.publish(...many(100).map((event, i) => ({ ...event, id: `own-${i}` })))
    await settleHistory(rig)
    rig.clock.nowMs += 91 * DAY_MS
    expect((await purged('with own ids', 100)).written).toBeLessThanOrEqual(3.1)
  })

  test('an event that failed four times: a row for each of its rows, and none for its entry in the index of failures', async () => {
    const { rig, purged } = await metered()
    await rig.subscribe()
    await rig.publish(...many(100))
    await settleHistory(rig)
    await env.DB.exec('UPDATE delivery SET state = 2, attempts = 4, status = 500')
    await env.DB.exec(
      "INSERT INTO attempt (subscription_no, seq, n, at_ms) SELECT d.subscription_no, d.seq, n.value, 1 FROM delivery d, json_each('[1, 2, 3]') n",
    )
    rig.clock.nowMs += 91 * DAY_MS
    const { attempt = 0 } = await historyCounts()
    expect(attempt).toBe(300)
    const { written } = await purged('failed for good, per event', 100)
    expect(written).toBeLessThanOrEqual(2.1 + attempt / 100)
  })

  test('a purge that finds nothing to do reads a handful and writes one row', async () => {
    const { rig, purged } = await metered()
    await rig.subscribe()
    await rig.publish(...many(100))
    await settleHistory(rig)
    await purged('first, with its daily round', 0)
    const { written, read } = await purged('idle', 0)
    expect([written, read <= 10]).toEqual([1, true])
  })

  test('archiving adds the row that names the archive', async () => {
    const { rig, purged } = await metered()
    await setRetention(rig.workspaceNo, { archive: true })
    await rig.subscribe()
    await rig.publish(...many(100))
    await settleHistory(rig)
    rig.clock.nowMs += 91 * DAY_MS
    expect((await purged('archived, per event', 100)).written).toBeLessThanOrEqual(2.1)
  })
})

test('the bytes between two marks are those that a purge takes off again', async () => {
  const rig = await createRig()
  await rig.publish({}, { data: { text: 'ä'.repeat(1_000) } }, { data: { text: 'x'.repeat(70_000) } })
  await settleHistory(rig)
  const { swept_seq: swept } = (await env.DB.prepare('SELECT swept_seq FROM workspace').first<{
    swept_seq: number
  }>())!
  await env.DB.prepare('UPDATE workspace SET swept_seq = 0, stored_bytes = 7').run()
  const advance = env.DB.prepare(
    `UPDATE workspace SET swept_seq = ?2, stored_bytes = stored_bytes + ${SWEPT_BYTES} WHERE no = ?1 AND swept_seq < ?2`,
  ).bind(rig.workspaceNo, swept)
  const { meta } = await advance.run()
  expect(meta.rows_written).toBe(1)
  await advance.run()
  const bytes = () => env.DB.prepare('SELECT stored_bytes FROM workspace').first<number>('stored_bytes')
  const texts = await env.DB.prepare(
    'SELECT sum(length(CAST(body AS BLOB))) AS bytes FROM event',
  ).first<number>('bytes')
  expect(await bytes()).toBe(7 + (texts ?? 0) + 60_000 + 3 * 150)
  rig.clock.nowMs += 91 * DAY_MS
  await env.DB.prepare('UPDATE workspace SET stored_bytes = stored_bytes - 7').run()
  await purgeNow(rig)
  expect(await bytes()).toBe(0)
})

test.each([
  ['event', 'event_body_key'],
  ['kept_body', 'kept_body_key'],
])('the row of %s that names a text is found by its index', async (table, index) => {
  const { results } = await env.DB.prepare(
    `EXPLAIN QUERY PLAN SELECT body_key FROM ${table} INDEXED BY ${index} WHERE body_key IS NOT NULL AND body_key IN (SELECT value FROM json_each('[]'))`,
  ).all<{ detail: string }>()
  expect(results.map(({ detail }) => detail).join()).toMatch(
    new RegExp(`SEARCH ${table} USING (COVERING )?INDEX ${index} \\(body_key=\\?\\)`),
  )
})

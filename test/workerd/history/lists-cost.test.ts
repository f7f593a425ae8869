import { env } from 'cloudflare:workers'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { SEQ_MAX } from '../../../src/base/ids/seq.ts'
import { listEvents } from '../../../src/history/list-events.ts'
import { readLog } from '../../../src/history/read-log.ts'
import { totalCounters } from '../../../src/history/statistics.sql.ts'
import { listSubscriptions } from '../../../src/subscription/subscriptions.sql.ts'
import { answer, createRig, freshStore } from '../../support/rig/builders.ts'
import { type Meter, meterD1 } from '../../support/rig/d1-watch.ts'

/** What was measured, printed once: figures of this file are quoted in documents. */
const figures: string[] = []

afterAll(() => {
  // biome-ignore lint/suspicious/noConsole: the figures are this file's second purpose.
  console.log(`rows written / read\n${figures.join('\n')}`)
})

/** Rows written and read while something runs, divided by how often it does it. */
async function cost(
  meter: Meter,
  name: string,
  per: number,
  run: () => Promise<unknown>,
): Promise<{ written: number; read: number }> {
  const before = { ...meter }
  await run()
  const written = (meter.rowsWritten - before.rowsWritten) / per
  const read = (meter.rowsRead - before.rowsRead) / per
  figures.push(`${name}: ${written.toFixed(2)} / ${read.toFixed(2)}`)
  return { written, read }
}

async function metered() {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  return { rig, meter, db }
}

const many = (count: number) => Array.from({ length: count }, () => ({ data: { text: 'x'.repeat(400) } }))

describe('deliveries', () => {
  beforeEach(freshStore)

  async function steady() {
    const { rig, meter } = await metered()
    const subscription = await rig.subscribe()
    await rig.publish(...many(100))
    await rig.drain()
    rig.clock.nowMs += 60_000
    await rig.sweep()
    const publishAndDeliver = async () => {
      await rig.publish(...many(100))
      await rig.drain()
    }
    return { rig, meter, subscription, publishAndDeliver }
  }

  test('an event published in bulk and delivered at first attempt writes at most 2.1 rows, its share of the sweep included', async () => {
    const { rig, meter, publishAndDeliver } = await steady()
    const { written } = await cost(meter, 'bulk of 100, delivered and swept, per event', 1_000, async () => {
      for (let i = 0; i < 10; i++) await publishAndDeliver()
      rig.clock.nowMs += 60_000
      await rig.sweep()
    })
    expect(written).toBeLessThanOrEqual(2.1)
  })

  test('an event published in bulk and delivered at first attempt reads at most 25 rows', async () => {
    const { meter, publishAndDeliver } = await steady()
    const { read } = await cost(meter, 'bulk of 100, delivered, per event', 100, publishAndDeliver)
    expect(read).toBeLessThanOrEqual(25)
  })

  test('a single publish writes one row and reads a handful', async () => {
    const { rig, meter } = await steady()
    const { written, read } = await cost(meter, 'single publish', 1, () => rig.publish({}))
    expect([written, read <= 10]).toEqual([1, true])
  })

  test('a single publish with an own id writes two rows', async () => {
    const { rig, meter } = await steady()
    const { written } = await cost(meter, 'single publish with own id', 1, () => rig.publish({ id: 'own' }))
    expect(written).toBe(2)
  })

  test('an event published and delivered alone writes at most 8 rows, its share of the sweep included', async () => {
    const { rig, meter } = await steady()
    const { written } = await cost(meter, 'single, delivered and swept, per event', 20, async () => {
      for (let i = 0; i < 20; i++) {
        await rig.publish({})
        await rig.drain()
      }
      rig.clock.nowMs += 60_000
      await rig.sweep()
    })
    expect(written).toBeLessThanOrEqual(8)
  })

  test('a duplicate writes nothing', async () => {
    const { rig, meter } = await steady()
    await rig.publish({ id: 'own' })
    const { written } = await cost(meter, 'duplicate', 1, () => rig.publish({ id: 'own' }))
    expect(written).toBe(0)
  })

  test('a first failure, a retry that fails, and the last one write at most 3.1, 3.2 and 2.2 rows and read 40', async () => {
    const { rig, meter, subscription } = await steady()
    // A refusal of the event, not a fault of the receiver: a breaker would hold the retries back.
    rig.receivers.set(subscription.settings.url, answer(404))
    await rig.publish(...many(100))
    const fail = async (name: string) => {
      const before = rig.postsTo(subscription).length
      const { written, read } = await cost(meter, name, 100, rig.drain)
      expect(rig.postsTo(subscription).length - before).toBe(100)
      expect(read).toBeLessThanOrEqual(40)
      return written
    }
    const first = await fail('first failure')
    rig.clock.nowMs += 10_000
    const again = await fail('retry that fails')
    rig.clock.nowMs += 20_000
    await fail('second retry that fails')
    rig.clock.nowMs += 30_000
    const exhausted = await fail('exhausted')
    expect([first <= 3.1, again <= 3.2, exhausted <= 2.2]).toEqual([true, true, true])
  })

  test('a hint that was doubled writes nothing', async () => {
    const { rig, meter } = await steady()
    await rig.publish(...many(100))
    const [hint] = rig.fast.bodies
    await rig.drain()
    rig.fast.put(hint)
    const { written } = await cost(meter, 'doubled hint of 100', 1, rig.drain)
    expect(written).toBe(0)
  })

  test('a sweep that finds nothing to do writes one row and reads a handful', async () => {
    const { rig, meter } = await steady()
    const { written, read } = await cost(meter, 'idle sweep', 1, () => rig.sweep())
    expect([written, read <= 40]).toEqual([1, true])
  })

  test('a sweep over 2,000 settled events reads a few rows of each', async () => {
    const { rig, meter } = await steady()
    for (let i = 0; i < 20; i++) {
      await rig.publish(...many(100))
      await rig.drain()
    }
    rig.clock.nowMs += 60_000
    const { read } = await cost(meter, 'sweep over settled events, per event', 2_000, () => rig.sweep())
    expect(read).toBeLessThanOrEqual(6)
  })
})

const ROWS = 20_000
let shared: Awaited<ReturnType<typeof longLog>> | undefined

/** A log of 20,000 deliveries, every thousandth of them failed, and 150 subscriptions. */
async function longLog() {
  await freshStore()
  const { rig, meter, db } = await metered()
  const subscription = await rig.subscribe()
  for (let i = 0; i < 149; i++) await rig.subscribe({ events: ['elsewhere'] })
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})`
  const { workspaceNo } = rig
  const owed = `'[${subscription.no}]'`
  await env.DB.exec(
    `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${numbers} SELECT (${workspaceNo} << 44) | i, 't.' || (i % 4), i, ${owed}, '{}' FROM n`,
  )
  await env.DB.exec(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts, status) ${numbers} SELECT ${subscription.no}, i, 't.' || (i % 4), iif(i % 1000, 1, 2), 1, 200 FROM n`,
  )
  await env.DB.exec(`UPDATE workspace SET swept_seq = ${ROWS}`)
  const query = {
    subscriptionNo: subscription.no,
    workspaceNo,
    ...{
      type: null,
      states: null,
      error: null,
      acceptedFromMs: null,
      acceptedToMs: null,
      belowSeq: null,
      limit: 50,
    },
  }
  return { rig, meter, db, subscription, query }
}

describe('lists over 20,000 deliveries', () => {
  beforeEach(async () => {
    shared ??= await longLog()
  })

  test('a page of the log, newest first, reads a few rows for each it shows', async () => {
    const { db, meter, query } = shared!
    const { read } = await cost(meter, 'log page of 50', 1, () => readLog(db, query))
    expect(read).toBeLessThanOrEqual(105)
  })

  test('a page deep in the log reads no more', async () => {
    const { db, meter, query } = shared!
    const { read } = await cost(meter, 'log page of 50, deep', 1, () =>
      readLog(db, { ...query, belowSeq: 300 }),
    )
    expect(read).toBeLessThanOrEqual(105)
  })

  test('the failures among a thousand times as many successes are found in at most 100 reads', async () => {
    const { db, meter, query } = shared!
    const { read } = await cost(meter, 'log, status failed, 1 in 1,000', 1, () =>
      readLog(db, { ...query, states: ['failed'] }),
    )
    expect(read).toBeLessThanOrEqual(100)
  })

  test('all failures among a thousand times as many successes are found', async () => {
    const { db, query } = shared!
    const { rows, nextBelowSeq } = await readLog(db, { ...query, states: ['failed'] })
    expect([rows.map(({ seq }) => seq), nextBelowSeq]).toEqual([
      Array.from({ length: 20 }, (_, i) => ROWS - i * 1_000),
      null,
    ])
  })

  test('a page of a type that one event in four has reads a budgeted number of rows', async () => {
    const { db, meter, query } = shared!
    const { read } = await cost(meter, 'log by type, 1 in 4', 1, () => readLog(db, { ...query, type: 't.1' }))
    expect(read).toBeLessThanOrEqual(300)
  })

  test('a page of a type that never occurs stays within its budget of 10,000 rows, looked at twice each', async () => {
    const { db, meter, query } = shared!
    const { read } = await cost(meter, 'log by a type that never occurs', 1, () =>
      readLog(db, { ...query, type: 'never' }),
    )
    expect(read).toBeLessThanOrEqual(20_100)
  })

  test('statistics read a row per hour', async () => {
    const { rig, db, meter, subscription } = shared!
    await rig.publish({})
    await rig.drain()
    await rig.sweep()
    const { read } = await cost(meter, 'statistics', 1, () => totalCounters(db, [subscription.no]))
    expect(read).toBeLessThanOrEqual(10)
  })

  test('a page of subscriptions reads a few rows for each it shows', async () => {
    const { rig, db, meter } = shared!
    const page = { belowNo: SEQ_MAX, limit: 50, withDeleted: false, binding: null }
    const { read } = await cost(meter, 'GET /webhooks page of 50', 1, () =>
      listSubscriptions(db, rig.workspace, page),
    )
    expect(read).toBeLessThanOrEqual(55)
  })

  test('a page of events reads a few rows for each it shows', async () => {
    const { rig, db, meter } = shared!
    const times = { acceptedFromMs: null, acceptedToMs: null }
    const scan = { ...times, type: null, belowSeq: null, limit: 50, subscriptionNos: null }
    const { read } = await cost(meter, 'GET /events page of 50', 1, () => listEvents(db, rig.workspace, scan))
    expect(read).toBeLessThanOrEqual(55)
  })
})

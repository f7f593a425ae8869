import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { scanEvents } from '../../../src/operate/sweep.sql.ts'
import { eventsOfStep } from '../../../src/operate/sweep-orphans.ts'
import { createRig, freshStore, START_MS } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const EVENTS = 100
const SUBSCRIPTIONS = 5_000
/** Deliveries that one statement looks through: D1 answers no publish meanwhile. */
const LOOKED_THROUGH_MAX = 30_000

test('a scan of events with large fan-outs looks through a bounded number of deliveries, and all are scanned', async () => {
  const { workspaceNo } = await createRig()
  await env.DB.prepare(
    `WITH RECURSIVE n(no) AS (SELECT 1 UNION ALL SELECT no + 1 FROM n WHERE no < ${SUBSCRIPTIONS}),
       f AS MATERIALIZED (SELECT json_group_array(no) AS fanout FROM n)
     INSERT INTO event (pk, type, accepted_at_ms, fanout, body)
     SELECT (?1 << 44) | no, 'a.b', ${START_MS}, f.fanout, '{}' FROM n, f WHERE no <= ${EVENTS}`,
  )
    .bind(workspaceNo)
    .run()
  await env.DB.prepare(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts)
     SELECT s.value, e.pk & ((1 << 44) - 1), 'a.b', 1, 1 FROM event e, json_each(e.fanout) s`,
  ).run()

  const scanned: number[] = []
  for (let hasMore = true, limit = 20; hasMore; ) {
    const { db, meter } = meterD1(env.DB)
    const aboveSeq = scanned.at(-1) ?? 0
    const page = await scanEvents(db, { workspaceNo, aboveSeq, acceptedUntilMs: START_MS, limit })
    scanned.push(...page.events.map(({ seq }) => seq))
    hasMore = page.hasMore
    // The first step knows nothing of the fan-outs yet.
    if (aboveSeq > 0) expect(meter.rowsRead).toBeLessThanOrEqual(2 * LOOKED_THROUGH_MAX)
    limit = eventsOfStep(limit, page.fanoutChars)
  }
  expect(scanned).toEqual(Array.from({ length: EVENTS }, (_, i) => i + 1))
})

import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createRig } from '../../support/rig/builders.ts'
import { type Meter, meterD1 } from '../../support/rig/d1-watch.ts'
import { limitWorkspace, publishLimited, someEvents } from './limited.ts'

const PUBLISHES = 10

/** What ten publishes of five events cost a relay whose configuration is known. */
async function costOfPublishing(limits: Parameters<typeof limitWorkspace>[1] | null): Promise<Meter> {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  await rig.subscribe()
  if (limits !== null) await limitWorkspace(rig, limits)
  await publishLimited(rig, someEvents(5))
  const before = { ...meter }
  for (let n = 0; n < PUBLISHES; n++) {
    rig.clock.nowMs += 1_000
    const outcomes = await publishLimited(rig, someEvents(5))
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true)
  }
  return {
    calls: meter.calls - before.calls,
    rowsRead: meter.rowsRead - before.rowsRead,
    rowsWritten: meter.rowsWritten - before.rowsWritten,
  }
}

test('limits cost a publish no query and no row, read or written', async () => {
  const free = await costOfPublishing(null)
  const limited = await costOfPublishing({
    ...{ requestsPerSecond: 100, eventsPerSecond: 100, eventsPerDay: 10_000 },
    ...{ payloadBytes: 10_000, subscriptions: 10 },
  })
  expect(free.calls).toBe(PUBLISHES)
  expect(limited).toEqual(free)
})

test('a limit of stored events costs one row read every ten seconds, in the background', async () => {
  const free = await costOfPublishing(null)
  const limited = await costOfPublishing({ storedEvents: 10_000 })
  expect(limited.rowsWritten).toBe(free.rowsWritten)
  expect(limited.calls - free.calls).toBeLessThanOrEqual(1)
  expect(limited.rowsRead - free.rowsRead).toBeLessThanOrEqual(1)
})

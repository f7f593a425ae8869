import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { readStoredEvents } from '../../../src/store/stored-events.sql.ts'
import { createRig, type Rig } from '../../support/rig/builders.ts'
import { countAccepted, limitWorkspace, publishLimited, someEvents } from './limited.ts'

async function storedEvents({ workspaceNo }: Rig): Promise<number | null> {
  return await env.DB.prepare('SELECT stored_events FROM workspace WHERE no = ?1')
    .bind(workspaceNo)
    .first<number | null>('stored_events')
}

/** Lets a sweep pass over all that was published. */
async function sweepAll(rig: Rig): Promise<void> {
  rig.clock.nowMs += 30_000
  await rig.drain()
  await rig.sweep()
}

test('stored events are counted by nothing until a limit asks for them', async () => {
  const rig = await createRig()
  await rig.publish(...someEvents(3))
  await sweepAll(rig)
  expect(await storedEvents(rig)).toBeNull()
})

test('the limit counts what was stored before it was set, what is swept, and what is not yet', async () => {
  const rig = await createRig()
  await rig.publish(...someEvents(4))
  await sweepAll(rig)
  await limitWorkspace(rig, { storedEvents: 12 })
  expect(countAccepted(await publishLimited(rig, someEvents(1)))).toBe(1)
  expect(await storedEvents(rig)).toBe(4)
  rig.clock.nowMs += 3_000
  expect(countAccepted(await publishLimited(rig, someEvents(3)))).toBe(3)
  await sweepAll(rig)
  expect(await storedEvents(rig)).toBe(8)
  expect(countAccepted(await publishLimited(rig, someEvents(1)))).toBe(1)
  const outcomes = await publishLimited(rig, someEvents(6))
  expect(countAccepted(outcomes)).toBe(3)
  expect(outcomes.at(-1)).toMatchObject({ kind: 'rate_limited', reached: { name: 'storedEvents' } })
})

test('what a purge removes makes room', async () => {
  const rig = await createRig()
  await limitWorkspace(rig, { storedEvents: 5 })
  expect(countAccepted(await publishLimited(rig, someEvents(5)))).toBe(5)
  await sweepAll(rig)
  // Half a minute later the count is out of date, and is read by the next publish.
  await publishLimited(rig, someEvents(1))
  expect(await readStoredEvents(env.DB, rig.workspaceNo)).toMatchObject({ events: 5 })
  expect(countAccepted(await publishLimited(rig, someEvents(1)))).toBe(0)
  await sweepAll(rig)
  rig.clock.nowMs += 91 * 24 * 3_600_000
  await rig.sweep('*/2 * * * *')
  expect(await storedEvents(rig)).toBe(0)
  expect(countAccepted(await publishLimited(rig, someEvents(6)))).toBe(5)
})

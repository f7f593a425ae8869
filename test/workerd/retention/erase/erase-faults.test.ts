import { expect, test } from 'vitest'
import { callsToFail } from '../../../support/full-count.ts'
import { createRig, createWorld, freshStore } from '../../../support/rig/builders.ts'
import { type FaultMode, FaultyBindings } from '../../../support/rig/faults.ts'
import { everything, objectKeys } from '../../../support/rig/history.ts'
import { keepStore } from '../../../support/rig/kept-store.ts'
import { allRows, deletionOf, eraseNow, requestDeletion, SETTLED_MS } from './erasing.ts'

await freshStore()
const filled = await createRig()
await everything(filled)
const restore = await keepStore()

/** Erases a workspace while one call fails, and then goes on as the next runs do. */
async function eraseWithFault(failingCall: number, mode: FaultMode) {
  await restore()
  const world = createWorld()
  world.clock.nowMs = filled.clock.nowMs
  const faults = new FaultyBindings(failingCall, mode)
  faults.isActive = false
  const { db, bodies } = faults
  const rig = await createRig({
    world,
    db,
    bodies,
    queues: faults.queues(world),
    workspace: filled.workspace,
  })
  await requestDeletion(rig)
  faults.isActive = true
  await eraseNow(rig).catch(() => undefined)
  rig.clock.nowMs += SETTLED_MS
  await eraseNow(rig).catch(() => undefined)
  faults.isActive = false
  const calls = [...faults.calls]
  for (let runs = 0; runs < 3; runs++) {
    // A lease of the run that was cut off ends by itself.
    rig.clock.nowMs += SETTLED_MS
    await rig.sweep()
    await eraseNow(rig)
  }
  const tables = (await allRows()).map((row) => row.split(' ')[0])
  return {
    calls,
    tables: tables.toSorted(),
    objects: await objectKeys(),
    deletion: await deletionOf(rig.workspace),
  }
}

const CLEAN = { tables: ['subscription', 'workspace'], objects: [], deletion: null }
const healthy = await eraseWithFault(-1, 'before')

test('there are calls to fail, of D1 and of R2, and nothing is left when none does', () => {
  expect(healthy).toMatchObject(CLEAN)
  expect(healthy.calls.filter((call) => call.startsWith('R2'))).not.toEqual([])
  expect(healthy.calls.length).toBeGreaterThan(20)
})

test.each(callsToFail(healthy.calls, 'before'))(
  'a run that is cut off is gone on with by the next: call $k, $name',
  async ({ k }) => {
    expect(await eraseWithFault(k, 'before')).toMatchObject(CLEAN)
  },
)

test.each(callsToFail(healthy.calls, 'after'))(
  'likewise when its answer is lost: call $k, $name',
  async ({ k }) => {
    expect(await eraseWithFault(k, 'after')).toMatchObject(CLEAN)
  },
)

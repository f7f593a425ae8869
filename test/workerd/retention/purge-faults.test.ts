import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { callsToFail } from '../../support/full-count.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../support/rig/builders.ts'
import { type FaultMode, FaultyBindings } from '../../support/rig/faults.ts'
import {
  archivedLines,
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
import { keepStore } from '../../support/rig/kept-store.ts'

/** A store that holds a history with one of everything, and a delivery that is still to be made. */
async function makeHistory(): Promise<Rig> {
  await freshStore()
  const rig = await createRig()
  await everything(rig)
  const open = await rig.subscribe({ retryPolicy: { schedule: [86_400, 86_400] } })
  rig.receivers.set(open.settings.url, answer(500))
  await rig.publish({ id: 'open' })
  await settleHistory(rig)
  await env.DB.prepare(
    'UPDATE workspace SET stored_bytes = (SELECT sum(150 + iif(body IS NULL, 60000, octet_length(body))) FROM event)',
  ).run()
  return rig
}

const { workspace, clock } = await makeHistory()
const restore = await keepStore()

/** Runs a purge of everything while one call fails, and then one in which none does. */
async function purgeWithFault(archive: boolean, failingCall: number, mode: FaultMode) {
  await restore()
  const world = createWorld()
  world.clock.nowMs = clock.nowMs
  const faults = new FaultyBindings(failingCall, mode)
  faults.isActive = false
  const { db, bodies } = faults
  const rig = await createRig({ world, db, bodies, queues: faults.queues(world), workspace })
  await setRetention(rig.workspaceNo, { archive })
  world.clock.nowMs += 91 * DAY_MS
  faults.isActive = true
  await purgeNow(rig).catch(() => undefined)
  faults.isActive = false
  const calls = [...faults.calls]
  const named = await env.DB.prepare(
    'SELECT body_key AS key FROM event UNION ALL SELECT body_key FROM kept_body',
  ).all<{
    key: string | null
  }>()
  const objects = new Set(await objectKeys())
  const dangling = named.results.filter(({ key }) => key !== null && !objects.has(key))
  await purgeNow(rig)
  // What R2 calls a day is one of the machine's own clock.
  world.clock.nowMs = Math.max(world.clock.nowMs, Date.now()) + 2 * DAY_MS
  await purgeNow(rig)
  const archives = await archivedIds()
  return {
    calls,
    dangling,
    left: await historyCounts(),
    objects: (await objectKeys()).filter((key) => !archives.keys.includes(key)),
    archived: archives.ids,
    bytes: (await workspaceRow(rig.workspaceNo))?.stored_bytes,
  }
}

/** The events in archives that a row names, and the keys of these. */
async function archivedIds(): Promise<{ keys: string[]; ids: string[] }> {
  const { results } = await env.DB.prepare('SELECT key FROM archive').all<{ key: string }>()
  const keys = results.map(({ key }) => key)
  const lines = (await Promise.all(keys.map(archivedLines))).flat()
  return { keys, ids: lines.map(({ ownId, payload }) => `${ownId} ${payload?.length}`) }
}

const CLEAN = { dangling: [], left: NO_HISTORY, objects: [], bytes: 0 }

describe.each([
  ['purging', false, await purgeWithFault(false, -1, 'before')],
  ['archiving and purging', true, await purgeWithFault(true, -1, 'before')],
] as const)('%s', (_, archive, healthy) => {
  const whole = { ...CLEAN, archived: healthy.archived }

  test('there are calls to fail, of D1 and of R2, and nothing is left when none does', () => {
    expect(healthy).toMatchObject(CLEAN)
    expect(healthy.archived).toHaveLength(archive ? 4 : 0)
    const ofR2 = healthy.calls.filter((name) => name.startsWith('R2'))
    expect(ofR2).toEqual(
      archive ? ['R2: get', 'R2: put', 'R2: delete', 'R2: list'] : ['R2: delete', 'R2: list'],
    )
    expect(healthy.calls.length).toBeGreaterThan(8)
  })

  test.each(callsToFail(healthy.calls, 'before'))(
    'no row names a missing object and the next runs end the work: call $k, $name',
    async ({ k }) => {
      expect(await purgeWithFault(archive, k, 'before')).toMatchObject(whole)
    },
  )

  test.each(callsToFail(healthy.calls, 'after'))(
    'likewise when its answer is lost: call $k, $name',
    async ({ k }) => {
      expect(await purgeWithFault(archive, k, 'after')).toMatchObject(whole)
    },
  )
})

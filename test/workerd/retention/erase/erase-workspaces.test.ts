import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { SUBSCRIPTION_TABLES, WORKSPACE_TABLES } from '../../../../src/retention/erase/erased-rows.sql.ts'
import { WorkspaceDeleting } from '../../../../src/workspace/deletion.ts'
import { createRig, createWorld, freshStore, hang } from '../../../support/rig/builders.ts'
import { everything, historyCounts, LARGE, NO_HISTORY, objectKeys } from '../../../support/rig/history.ts'
import {
  allRows,
  deletionOf,
  eraseNow,
  eraseWhole,
  fullWorkspace,
  requestDeletion,
  SETTLED_MS,
} from './erasing.ts'

beforeEach(freshStore)

/** Tables that the steps name themselves, and those that hold nothing of a workspace. */
const OTHER_TABLES: Record<string, string> = {
  workspace: 'the row itself',
  event: 'a phase of its own',
  subscription: 'goes after all that names it',
  batch: 'a phase of its own',
  claim: 'is waited for',
  job: 'is of the whole relay',
  key_check: 'is of the whole relay',
  d1_migrations: 'is of the whole relay',
}

test('every table of the database is erased, or said to hold nothing that stays', async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*'",
  ).all<{ name: string }>()
  const erased = [...SUBSCRIPTION_TABLES, ...WORKSPACE_TABLES].map(({ name }) => name)
  const known = [...erased, ...Object.keys(OTHER_TABLES)]
  expect(results.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([])
})

describe('a deleted workspace', () => {
  test('leaves no row and no object, and its neighbour as it was', async () => {
    const world = createWorld()
    const gone = await createRig({ world })
    await fullWorkspace(gone)
    const neighbour = await createRig({ world })
    await fullWorkspace(neighbour)
    const objects = await objectKeys()
    const all = await allRows()
    await requestDeletion(gone)
    await eraseNow(gone)
    gone.clock.nowMs += SETTLED_MS
    await gone.sweep()
    expect(await eraseNow(gone)).toMatchObject({ ended: 1, failed: 0 })
    const left = await allRows()
    expect(left.filter((row) => !all.includes(row))).toEqual([])
    expect(left.length).toBeGreaterThan(20)
    expect(left.filter((row) => row.includes(gone.workspace))).toEqual([])
    const named = objects.filter((key) => left.some((row) => row.includes(key)))
    expect((await objectKeys()).toSorted()).toEqual(named.toSorted())
    expect(named.length).toBeGreaterThan(2)
    expect(objects.length - named.length).toBeGreaterThan(1)
    const tables = new Set(left.map((row) => row.split(' ')[0]))
    expect([...tables]).toEqual(
      expect.arrayContaining([...SUBSCRIPTION_TABLES, ...WORKSPACE_TABLES].map(({ name }) => name)),
    )
  })

  test('that is the newest leaves two bare rows, which keep its numbers from being given out again', async () => {
    const rig = await createRig()
    const { shaped } = await everything(rig)
    await requestDeletion(rig)
    await eraseWhole(rig)
    expect(await historyCounts()).toEqual(NO_HISTORY)
    const rows = await allRows()
    expect(rows.map((row) => row.split(' ')[0]).toSorted()).toEqual(['subscription', 'workspace'])
    expect(rows.join()).not.toMatch(new RegExp(`${rig.workspace}|receiver|cipher":"`))
    const again = await createRig({ world: rig.world, workspace: rig.workspace })
    const next = await again.subscribe()
    expect([again.workspaceNo > rig.workspaceNo, next.no > shaped.no]).toEqual([true, true])
    await eraseNow(again)
    expect((await allRows()).map((row) => row.split(' ')[0]).toSorted()).toEqual([
      'subscription',
      'workspace',
    ])
  })

  test('refuses publishes from the moment it is asked for, on isolates that know its configuration', async () => {
    const world = createWorld()
    const rig = await createRig({ world })
    const other = await createRig({ world, workspace: rig.workspace })
    await rig.subscribe()
    await other.publish({})
    const before = await historyCounts()
    await requestDeletion(rig)
    await expect(other.publish({})).rejects.toThrow(WorkspaceDeleting)
    await expect(rig.publish({})).rejects.toThrow(WorkspaceDeleting)
    expect(await historyCounts()).toEqual(before)
  })

  test('makes no attempt any more once its subscriptions are stopped', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe()
    await rig.publish({}, {})
    await requestDeletion(rig)
    await eraseNow(rig, { stepsMax: 1 })
    await rig.drain()
    expect(rig.postsTo(subscription)).toEqual([])
  })

  test('waits for a consumer that still has a delivery in hand, and erases its outcome too', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe()
    await rig.publish({})
    await env.DB.prepare(
      'INSERT INTO claim (id, expires_at_ms, pairs) VALUES (?1, ?2, json_array(json_array(?3, 1, ?4)))',
    )
      .bind('slow', rig.clock.nowMs + 86_400_000, subscription.no, rig.workspaceNo)
      .run()
    await requestDeletion(rig)
    await eraseWhole(rig)
    expect(await deletionOf(rig.workspace)).toMatchObject({ phase: 'settling' })
    await env.DB.batch([
      env.DB.prepare("UPDATE claim SET live = 0, pairs = '[]', settled = ?1 WHERE id = 'slow'").bind(
        JSON.stringify([[subscription.no, 1, ...Array<number>(21).fill(0)]]),
      ),
      env.DB.prepare("INSERT INTO delivery (subscription_no, seq, type, state) VALUES (?1, 1, 'a', 1)").bind(
        subscription.no,
      ),
    ])
    await eraseNow(rig)
    expect(await deletionOf(rig.workspace)).toMatchObject({ phase: 'settling' })
    await rig.sweep()
    await eraseNow(rig)
    expect(await deletionOf(rig.workspace)).toBeNull()
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test('says how far it is', async () => {
    const rig = await createRig()
    await everything(rig)
    await requestDeletion(rig)
    expect(await deletionOf(rig.workspace)).toMatchObject({ phase: 'stopping', erased: { events: 0 } })
    await eraseNow(rig, { stepsMax: 2 })
    expect(await deletionOf(rig.workspace)).toMatchObject({
      phase: 'batches',
      erased: { events: 3, objects: 1 },
    })
    await eraseWhole(rig)
    expect(await deletionOf(rig.workspace)).toBeNull()
  })

  test('goes on as it is when it is asked for again, and asking for one that does not exist changes nothing', async () => {
    const rig = await createRig()
    await requestDeletion(rig)
    await eraseNow(rig, { stepsMax: 3 })
    const before = await deletionOf(rig.workspace)
    expect(await requestDeletion(rig)).toBe(true)
    expect(await deletionOf(rig.workspace)).toEqual(before)
    expect(await requestDeletion({ ...rig, workspace: 'nowhere' })).toBe(false)
  })

  test('is in one run’s hand at a time', async () => {
    const rig = await createRig()
    await everything(rig)
    await requestDeletion(rig)
    const [one, two] = await Promise.all([eraseNow(rig), eraseNow(rig)])
    expect([one?.failed, two?.failed]).toEqual([0, 0])
    expect(Math.min(one?.steps ?? 9, two?.steps ?? 9)).toBe(0)
    await eraseWhole(rig)
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })
})

test('a step is bounded: some hundred rows and few statements, however large the workspace', async () => {
  const rig = await createRig()
  rig.receivers.set((await rig.subscribe()).settings.url, hang)
  for (let i = 0; i < 6; i++) await rig.publish(...Array.from({ length: 100 }, () => ({})))
  await rig.publish({ data: LARGE })
  await requestDeletion(rig)
  let steps = 0
  for (; (await deletionOf(rig.workspace)) !== null && steps < 30; steps++) {
    const before = (await historyCounts()) as Record<string, number>
    await eraseNow(rig, { stepsMax: 1 })
    const after = (await historyCounts()) as Record<string, number>
    for (const [table, count] of Object.entries(before))
      expect(count - (after[table] ?? 0)).toBeLessThanOrEqual(250)
    if ((await deletionOf(rig.workspace))?.['phase'] === 'settling') rig.clock.nowMs += SETTLED_MS
  }
  expect(steps).toBeGreaterThan(7)
  expect(await historyCounts()).toEqual(NO_HISTORY)
})

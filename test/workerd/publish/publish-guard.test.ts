import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { insertStatements, readInsertResults } from '../../../src/publish/commit/event-insert.sql.ts'
import { loadConfiguration } from '../../../src/publish/configuration.sql.ts'
import { changeWorkspaceSettings, useWorkspace } from '../../../src/workspace/settings.sql.ts'
import { createRig, createWorld, freshStore } from '../../support/rig/builders.ts'
import { type Around, stallD1, watchD1, writesEvents } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

function group(workspaceNo: number, configVersion: number, keys: string[] = []) {
  const event = { type: 't', ownId: null, fanout: [1], body: '{}', bodyKey: null, isTest: false }
  const events = [{ ...event, keys, hash: keys.length > 0 ? 'h' : null }]
  return { workspaceNo, configVersion, acceptedAtMs: 1, seqFloor: 1, keyFloor: 0, events }
}

async function tableSizes(): Promise<number[]> {
  const tables = ['event', 'event_key', 'delivery']
  const counts = tables.map((table) => env.DB.prepare(`SELECT count(*) AS n FROM ${table}`))
  return (await env.DB.batch<{ n: number }>(counts)).map(({ results }) => results[0]?.n ?? -1)
}

test.each([
  ['without keys', []],
  ['with an own id', ['i:a']],
  ['with an own id and an Idempotency-Key', ['i:a', 'k:b']],
])('a group %s that was matched against an old configuration writes nothing', async (_, keys) => {
  const rig = await createRig()
  const stale = group(rig.workspaceNo, 0, keys)
  await env.DB.batch(insertStatements(env.DB, stale))
  expect(await tableSizes()).toEqual([0, 0, 0])
})

test.each([
  ['without keys', []],
  ['with keys', ['i:a']],
])('a group %s that was matched against an old configuration is known to be stale', async (_, keys) => {
  const rig = await createRig()
  const stale = group(rig.workspaceNo, 0, keys)
  const results = await env.DB.batch(insertStatements(env.DB, stale))
  expect(readInsertResults(stale, results)).toEqual({ kind: 'stale' })
})

test('a group that was matched against the current configuration is written', async () => {
  const rig = await createRig()
  const configuration = await loadConfiguration(env.DB, rig.workspace)
  await env.DB.batch(insertStatements(env.DB, group(rig.workspaceNo, configuration?.configVersion ?? -1)))
  expect(await tableSizes()).toEqual([1, 0, 0])
})

test('a subscription made on one isolate gets the next event that another isolate publishes', async () => {
  const world = createWorld()
  const a = await createRig({ world, workspace: 'shared' })
  const b = await createRig({ world, workspace: 'shared' })
  await a.publish({})
  const subscription = await b.subscribe()
  await a.publish({ type: 'after.creation' })
  await a.drain()
  expect(a.postsTo(subscription).map(({ body }) => JSON.parse(body).event)).toEqual(['after.creation'])
})

test('a subscription disabled on one isolate is not owed the next event of another isolate', async () => {
  const world = createWorld()
  const a = await createRig({ world, workspace: 'shared' })
  const b = await createRig({ world, workspace: 'shared' })
  const subscription = await b.subscribe()
  await a.publish({})
  await disable(subscription.no, a.workspaceNo)
  expect(await a.publish({})).toMatchObject([{ kind: 'accepted', matched: 0 }])
})

test('a subscription made while the insert is under way gets the event', async () => {
  const world = createWorld()
  const stall = stallD1(env.DB, writesEvents)
  const a = await createRig({ world, workspace: 'shared', db: stall.db })
  const b = await createRig({ world, workspace: 'shared' })
  const publishing = a.publish({})
  await stall.stalled
  const subscription = await b.subscribe()
  stall.release()
  await publishing
  await a.drain()
  expect(a.postsTo(subscription)).toHaveLength(1)
})

test('each of several events that were matched anew is stored once', async () => {
  const world = createWorld()
  const a = await createRig({ world, workspace: 'shared' })
  const b = await createRig({ world, workspace: 'shared' })
  await a.publish({})
  await b.subscribe()
  await a.publish(...Array.from({ length: 10 }, () => ({})))
  expect((await tableSizes())[0]).toBe(11)
})

test('a publish under a configuration that never waits is refused and stores nothing', async () => {
  const bump: Around = async (call, run) => {
    if (writesEvents(call)) await env.DB.exec('UPDATE workspace SET config_version = config_version + 1')
    return await run()
  }
  const rig = await createRig({ db: watchD1(env.DB, bump) })
  const outcomes = await rig.publish({}, { id: 'own' })
  expect([outcomes, await tableSizes()]).toEqual([
    [{ kind: 'contended' }, { kind: 'contended' }],
    [0, 0, 0],
  ])
})

async function disable(no: number, workspaceNo: number): Promise<void> {
  await env.DB.batch([
    env.DB.prepare('UPDATE subscription SET active = 0 WHERE no = ?1').bind(no),
    env.DB.prepare('UPDATE workspace SET config_version = config_version + 1 WHERE no = ?1').bind(
      workspaceNo,
    ),
  ])
}

test('an isolate that holds an old catalogue does not refuse what the present one allows', async () => {
  const a = await createRig()
  const b = await createRig({ world: a.world, workspace: a.workspace })
  const enforce = async (eventTypeEnforcement: 'off' | 'reject') => {
    const workspace = await useWorkspace(env.DB, b.workspace, b.clock.nowMs)
    await changeWorkspaceSettings(env.DB, workspace, { eventTypeEnforcement })
  }
  await enforce('reject')
  expect(await a.publish({ type: 'nobody.knows' })).toMatchObject([{ kind: 'not_in_catalogue' }])
  await enforce('off')
  expect(await a.publish({ type: 'nobody.knows' })).toMatchObject([{ kind: 'accepted', warnings: [] }])
})

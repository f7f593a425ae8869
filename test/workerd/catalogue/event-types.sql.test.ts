import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { draftEventType } from '../../../src/catalogue/catalogue.ts'
import {
  compareEventTypes,
  deleteEventType,
  saveEventType,
  saveEventTypes,
} from '../../../src/catalogue/event-type-changes.sql.ts'
import {
  catalogueOf,
  findEventType,
  selectCatalogue,
  toCatalogueEntries,
} from '../../../src/catalogue/event-types.sql.ts'
import { changeWorkspaceSettings, useWorkspace } from '../../../src/workspace/settings.sql.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

const db = env.DB
const NOW_MS = Date.UTC(2026, 10, 2)
let id: string

beforeEach(() => {
  id = `ws-${crypto.randomUUID()}`
})

const draft = (name: string, schema: Record<string, unknown> | null = null) =>
  draftEventType(name, { schema, example: { n: 1 } })
const versionOf = () =>
  db.prepare('SELECT config_version FROM workspace WHERE id = ?1').bind(id).first<number>('config_version')

async function loaded() {
  const { results, meta } = await selectCatalogue(db, id).all()
  return { entries: toCatalogueEntries(results), rowsRead: meta.rows_read }
}

test('the catalogue is loaded while it is enforced, and costs one row while it is not', async () => {
  const workspace = await useWorkspace(db, id, NOW_MS)
  await saveEventTypes(
    db,
    workspace.no,
    Array.from({ length: 50 }, (_, i) => draft(`t.n${i}`, {})),
    NOW_MS,
  )
  const off = await loaded()
  expect(off.entries).toEqual([])
  expect(off.rowsRead).toBeLessThanOrEqual(2)
  for (const eventTypeEnforcement of ['warn', 'reject'] as const) {
    await changeWorkspaceSettings(db, await useWorkspace(db, id, NOW_MS), { eventTypeEnforcement })
    const on = await loaded()
    expect(on.entries).toHaveLength(50)
    expect(on.entries[0]).toEqual({ name: 't.n0', schema: '{}', deprecated: false })
    expect(on.rowsRead).toBeLessThanOrEqual(52)
  }
  await changeWorkspaceSettings(db, await useWorkspace(db, id, NOW_MS), { eventTypeEnforcement: 'off' })
  expect((await loaded()).entries).toEqual([])
})

test("a workspace's catalogue holds no type of another", async () => {
  const { no } = await useWorkspace(db, id, NOW_MS)
  const other = await useWorkspace(db, `${id}-other`, NOW_MS)
  await saveEventType(db, other.no, draft('theirs'), NOW_MS)
  await saveEventType(db, no, draft('ours'), NOW_MS)
  await changeWorkspaceSettings(db, await useWorkspace(db, id, NOW_MS), { eventTypeEnforcement: 'warn' })
  expect((await loaded()).entries.map(({ name }) => name)).toEqual(['ours'])
  expect([...(await catalogueOf(db, id, ['*'])).keys()]).toEqual(['ours'])
  expect(await findEventType(db, id, 'theirs')).toBeNull()
})

test('every change of the catalogue moves the configuration version', async () => {
  const { no } = await useWorkspace(db, id, NOW_MS)
  const versions = [await versionOf()]
  await saveEventType(db, no, draft('a'), NOW_MS)
  versions.push(await versionOf())
  await saveEventTypes(db, no, [draft('b')], NOW_MS)
  versions.push(await versionOf())
  await deleteEventType(db, no, 'a')
  versions.push(await versionOf())
  expect(new Set(versions).size).toBe(4)
  await saveEventTypes(db, no, [], NOW_MS)
  expect(await versionOf()).toBe(versions.at(-1))
})

test('what rules are held against is what the patterns want, parsed, and no more than 200 types', async () => {
  const { no } = await useWorkspace(db, id, NOW_MS)
  const schema = { type: 'object' }
  await saveEventTypes(db, no, [draft('a.b', schema), draft('a.c'), draft('b')], NOW_MS)
  expect(await catalogueOf(db, id, ['a.*'])).toEqual(
    new Map([
      ['a.b', { schema, example: { n: 1 } }],
      ['a.c', { schema: null, example: { n: 1 } }],
    ]),
  )
  expect((await catalogueOf(db, id, ['x'])).size).toBe(0)
  expect((await catalogueOf(db, `${id}-unknown`, ['*'])).size).toBe(0)
  await saveEventTypes(
    db,
    no,
    Array.from({ length: 250 }, (_, i) => draft(`t.n${i}`)),
    NOW_MS,
  )
  expect((await catalogueOf(db, id, ['*'])).size).toBe(200)
})

test('texts with quotes, escapes and long integers are stored to the character', async () => {
  const { no } = await useWorkspace(db, id, NOW_MS)
  const example = '{"a" : "\\"\\u00e9\\n\\\\", "n": 12345678901234567890, "d": 2567.50, "e": "é\u2028"}'
  const whole = {
    ...draft('a', { const: '"\\' }),
    description: `It's "so"\n`,
    group: 'é',
    example,
    deprecated: true,
  }
  for (const save of [
    () => saveEventType(db, no, whole, NOW_MS),
    () => saveEventTypes(db, no, [whole], NOW_MS),
  ]) {
    await save()
    expect(await findEventType(db, id, 'a')).toEqual({ ...whole, createdAtMs: NOW_MS, updatedAtMs: NOW_MS })
    await deleteEventType(db, no, 'a')
  }
})

test('an import of several megabytes is compared in several calls and saved in one transaction', async () => {
  const { no } = await useWorkspace(db, id, NOW_MS)
  const large = Array.from({ length: 100 }, (_, i) => draft(`t.n${i}`, { const: '"'.repeat(15_000) }))
  await saveEventTypes(db, no, large, NOW_MS)
  expect((await findEventType(db, id, 't.n99'))?.schema).toBe(large[99]?.schema)
  const metered = meterD1(db)
  const { known } = await compareEventTypes({ db: metered.db, now: () => NOW_MS }, no, large)
  expect([...known.values()].filter(({ changed }) => changed.length === 0)).toHaveLength(100)
  expect(metered.meter.calls).toBeGreaterThan(5)
})

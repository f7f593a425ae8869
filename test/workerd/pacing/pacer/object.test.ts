import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { callOf, createStub, NOW_MS, noted, storedOf } from './rig.ts'

test('what is no call is refused', async () => {
  const { stub } = createStub()
  await expect(runInDurableObject(stub, (pacer) => pacer.turn({ v: 2 }))).rejects.toThrow('"v"')
})

test('eviction loses nothing that was counted', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(60) }))
  await evictDurableObject(stub)
  expect(await stub.turn(callOf(no, { noted: noted(40) }))).toMatchObject({ kind: 'go', cause: 'count' })
})

test('nor does a process that dies', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(60) }))
  await abortAllDurableObjects()
  const again = env.PACERS.getByName(String(no))
  expect(await again.turn(callOf(no, { noted: noted(40) }))).toMatchObject({ kind: 'go', cause: 'count' })
})

test('terms survive an eviction: a caller need not give them again', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, {}))
  await evictDurableObject(stub)
  expect(await stub.turn(callOf(no, { terms: null }))).toMatchObject({ kind: 'rest' })
})

test('a pacer that knows no terms stores nothing', async () => {
  const { no, stub } = createStub()
  expect(await stub.turn(callOf(no, { terms: null, noted: noted(1) }))).toEqual({ kind: 'unknown' })
  expect(await storedOf(stub)).toEqual({ state: null, alarmInMs: null })
})

test('two turns at once do not get the same grant', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(100), wants: false }))
  const replies = await Promise.all(Array.from({ length: 5 }, () => stub.turn(callOf(no, {}))))
  expect(replies.map(({ kind }) => kind).sort()).toEqual(['go', 'rest', 'rest', 'rest', 'rest'])
})

test('consumers that note at once are all counted', async () => {
  const { no, stub } = createStub()
  await Promise.all(Array.from({ length: 20 }, () => stub.turn(callOf(no, { noted: noted(3) }))))
  expect((await storedOf(stub)).state).toMatchObject({ buffer: { events: 60 } })
})

test('the alarm is set by the difference to the clock of the caller', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(1), nowMs: NOW_MS + 600_000 }))
  const { alarmInMs } = await storedOf(stub)
  expect(alarmInMs).toBeGreaterThan(2_990_000)
  expect(alarmInMs).toBeLessThanOrEqual(3_000_000)
})

test('an alarm is set for earlier, never for later', async () => {
  const { no, stub } = createStub()
  const concurrency = { version: 1, batch: null, rate: null, concurrency: 5 }
  await stub.turn(callOf(no, { terms: concurrency, noted: noted(1), leaseId: 'a' }))
  const first = await runInDurableObject(stub, (_, ctx) => ctx.storage.getAlarm())
  const seen = { events: 0, bytes: 0, sinceMs: null, isDue: false }
  await stub.turn(callOf(no, { nowMs: NOW_MS + 5_000, finished: { leaseId: 'a', unused: 0 }, seen }))
  await stub.turn(callOf(no, { nowMs: NOW_MS + 9_000, noted: noted(1) }))
  expect(await runInDurableObject(stub, (_, ctx) => ctx.storage.getAlarm())).toBe(first)
})

test('a turn writes one row, and the alarm only when it is needed earlier', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(1) }))
  const written = await runInDurableObject(stub, async (pacer, ctx) => {
    let rows = 0
    let alarms = 0
    const { sql } = ctx.storage
    const exec = sql.exec.bind(sql)
    const setAlarm = ctx.storage.setAlarm.bind(ctx.storage)
    sql.exec = ((...args: Parameters<typeof sql.exec>) => {
      const cursor = exec(...args)
      rows += cursor.rowsWritten
      return cursor
    }) as typeof sql.exec
    ctx.storage.setAlarm = async (...args) => {
      alarms++
      return await setAlarm(...args)
    }
    const after = async (call: Parameters<typeof callOf>[1]) => {
      rows = 0
      alarms = 0
      await pacer.turn(callOf(no, call))
      return { rows, alarms }
    }
    return {
      counted: await after({ noted: noted(10) }),
      granted: await after({ noted: noted(90), leaseId: 'a' }),
      finished: await after({
        finished: { leaseId: 'a', unused: 0 },
        seen: { events: 0, bytes: 0, sinceMs: null, isDue: false },
        wants: false,
      }),
      nothing: await after({}),
    }
  })
  expect(written).toEqual({
    counted: { rows: 1, alarms: 0 },
    granted: { rows: 1, alarms: 1 },
    finished: { rows: 1, alarms: 0 },
    nothing: { rows: 0, alarms: 0 },
  })
})

test.each([
  ['a state of a newer form', `UPDATE pacer SET state = '{"v":2,"all":"new"}'`],
  ['a state that nobody can read', `UPDATE pacer SET state = 'x'`],
  ['tables of a newer version', 'UPDATE schema_version SET version = 99'],
  ['tables of a newer version without ours', 'UPDATE schema_version SET version = 99; DROP TABLE pacer'],
])('%s is forgotten, and the pacer works', async (_, sql) => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(60) }))
  await runInDurableObject(stub, (__, ctx) => {
    for (const statement of sql.split('; ')) ctx.storage.sql.exec(statement)
  })
  await evictDurableObject(stub)
  expect(await stub.turn(callOf(no, { terms: null }))).toEqual({ kind: 'unknown' })
  await stub.turn(callOf(no, { noted: noted(7) }))
  expect((await storedOf(stub)).state).toMatchObject({ buffer: { events: 7 } })
})

test('a state that could not be written is not believed', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(60) }))
  const kinds = await runInDurableObject(stub, async (pacer, ctx) => {
    ctx.storage.sql.exec('ALTER TABLE pacer RENAME TO away')
    const failed = await pacer.turn(callOf(no, { noted: noted(30) })).catch(() => 'failed')
    ctx.storage.sql.exec('ALTER TABLE away RENAME TO pacer')
    return [failed, (await pacer.turn(callOf(no, { noted: noted(30) }))).kind]
  })
  expect(kinds).toEqual(['failed', 'rest'])
})

test('a pacer that is to forget has nothing stored, rings no more, and can be asked again', async () => {
  const { no, stub } = createStub()
  await stub.turn(callOf(no, { noted: noted(60) }))
  expect(await stub.forget()).toBe(true)
  const left = await runInDurableObject(stub, async (_, { storage }) => [
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'").toArray(),
    await storage.getAlarm(),
  ])
  expect(left).toEqual([[], null])
  expect(await stub.forget()).toBe(false)
  await stub.turn(callOf(no, { noted: noted(40) }))
  expect((await storedOf(stub)).state).toMatchObject({ buffer: { events: 40 } })
})

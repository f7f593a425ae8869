import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, test } from 'vitest'
import { callOf, createStub, NOW_MS, noted, storedOf, withQueue } from './rig.ts'

/** A pacer with a buffer, whose hints are kept or refused by the test. */
async function buffering(shard = 0) {
  const { no, stub } = createStub(shard)
  await stub.turn(callOf(no, { noted: noted(3) }))
  const hints: unknown[] = []
  const queue = { isDown: false }
  const connect = () =>
    withQueue(stub, async (hint) => {
      if (queue.isDown) throw new Error('the queue is down')
      hints.push(hint)
    })
  await connect()
  return { no, stub, hints, queue, connect }
}

const hintOf = (no: number) => ({ v: 1, kind: 'paced', subscriptions: [{ no, alarm: true }] })

/** The alarm is to ring within about so many milliseconds from now. */
function expectAbout(alarmInMs: number | null, ms: number): void {
  expect(alarmInMs).toBeGreaterThan(ms - 1_000)
  expect(alarmInMs).toBeLessThanOrEqual(ms)
}

test('an alarm asks for a consumer, and again after a minute', async () => {
  const { no, stub, hints } = await buffering()
  await runDurableObjectAlarm(stub)
  expect(hints).toEqual([hintOf(no)])
  expectAbout((await storedOf(stub)).alarmInMs, 60_000)
})

test('it goes on asking until somebody has come', async () => {
  const { no, stub, hints } = await buffering()
  await runDurableObjectAlarm(stub)
  await runDurableObjectAlarm(stub)
  expect(hints).toEqual([hintOf(no), hintOf(no)])
})

test('it changes nothing that is counted', async () => {
  const { stub } = await buffering()
  const { state } = await storedOf(stub)
  await runDurableObjectAlarm(stub)
  expect((await storedOf(stub)).state).toEqual(state)
})

test('an alarm that finds nothing to rest sends nothing and is the last', async () => {
  const { no, stub, hints } = await buffering()
  const wait = { version: 2, batch: { maxEvents: 1, maxBytes: 1_000, maxWaitMs: 1_000 } }
  const terms = { ...wait, rate: null, concurrency: null }
  await stub.turn(callOf(no, { terms, leaseId: 'a' }))
  const seen = { events: 0, bytes: 0, sinceMs: null, isDue: false }
  await stub.turn(callOf(no, { finished: { leaseId: 'a', unused: 0 }, seen }))
  await runDurableObjectAlarm(stub)
  expect(hints).toEqual([])
  expect((await storedOf(stub)).alarmInMs).toBeNull()
})

test('an alarm whose hint cannot be sent rings again after a second, and then works', async () => {
  const { no, stub, hints, queue } = await buffering()
  queue.isDown = true
  await runDurableObjectAlarm(stub)
  expectAbout((await storedOf(stub)).alarmInMs, 1_000)
  queue.isDown = false
  await runDurableObjectAlarm(stub)
  expect(hints[0]).toEqual(hintOf(no))
})

test('a queue that fails again and again is asked ever more rarely', async () => {
  const { stub, queue } = await buffering()
  queue.isDown = true
  const secondsToNext = await runInDurableObject(stub, async (pacer, ctx) => {
    const seconds: number[] = []
    // Not set in truth: it would ring by itself in the middle of a slow test.
    ctx.storage.setAlarm = async (atMs) => void seconds.push(Math.round((Number(atMs) - Date.now()) / 1_000))
    for (let i = 0; i < 7; i++) await pacer.alarm()
    queue.isDown = false
    await pacer.alarm()
    queue.isDown = true
    await pacer.alarm()
    return seconds
  })
  expect(secondsToNext).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 1])
})

test('an alarm that cannot be set again does not throw: the platform would give it up after some tries', async () => {
  const { no, stub, hints } = await buffering()
  const isDone = await runInDurableObject(stub, async (pacer, ctx) => {
    ctx.storage.setAlarm = async () => {
      throw new Error('storage is down')
    }
    await pacer.alarm()
    return true
  })
  expect(isDone).toBe(true)
  expect(hints).toEqual([hintOf(no)])
})

test('an evicted pacer is woken by its alarm and still knows whom to ask for', async () => {
  const { no, stub, hints, connect } = await buffering()
  await evictDurableObject(stub)
  await connect()
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect(hints).toEqual([hintOf(no)])
})

test('an alarm that was set before an eviction is not moved to later', async () => {
  const { no, stub } = await buffering()
  const alarmAtMs = () => runInDurableObject(stub, (_, ctx) => ctx.storage.getAlarm())
  const before = await alarmAtMs()
  await evictDurableObject(stub)
  await stub.turn(callOf(no, { noted: noted(1), nowMs: NOW_MS - 60_000 }))
  expect(await alarmAtMs()).toBe(before)
})

describe('a shard', () => {
  test('has somebody look, and leaves to the first pacer what it has counted', async () => {
    const { no, stub, hints } = await buffering(3)
    await runDurableObjectAlarm(stub)
    expect(hints).toEqual([{ v: 1, kind: 'paced', subscriptions: [{ no }] }])
    expect(await storedOf(stub)).toMatchObject({ state: { buffer: null }, alarmInMs: null })
  })

  test('keeps its count while nobody can be asked', async () => {
    const { stub, queue } = await buffering(3)
    queue.isDown = true
    await runDurableObjectAlarm(stub)
    expect(await storedOf(stub)).toMatchObject({ state: { buffer: { events: 3 } } })
  })

  test('keeps what is counted while it asks', async () => {
    const { no, stub } = await buffering(3)
    await withQueue(stub, async (_, pacer) => void (await pacer.turn(callOf(no, { noted: noted(2) }))))
    await runDurableObjectAlarm(stub)
    expect(await storedOf(stub)).toMatchObject({ state: { buffer: { events: 5 } } })
  })
})

import { expect, test } from 'vitest'
import { CapacityWatch } from '../../../src/store/capacity.ts'

/** A database of a size that a test moves; counts how often it is asked. */
function watched() {
  const state = { bytes: 0, asked: 0, nowMs: 0, failing: false }
  const run = async () => {
    state.asked++
    if (state.failing) throw new Error('D1 does not answer')
    return { meta: { size_after: state.bytes } }
  }
  const background: Promise<unknown>[] = []
  const deps = {
    db: { prepare: () => ({ run }) } as unknown as D1Database,
    now: () => state.nowMs,
    maxBytes: 1_000,
    background: (work: Promise<unknown>) => void background.push(work),
  }
  const watch = new CapacityWatch()
  const read = async () => (await watch.read(deps)).state
  return { state, read, settle: () => Promise.all(background) }
}

test('says how full the database is from the first call on', async () => {
  const { state, read } = watched()
  state.bytes = 960
  expect(await Promise.all([read(), read(), read()])).toEqual(['full', 'full', 'full'])
  expect(state.asked).toBe(1)
})

test('asks again after ten seconds, and lets nobody wait for it', async () => {
  const { state, read, settle } = watched()
  expect(await read()).toBe('ok')
  state.bytes = 990
  state.nowMs = 9_999
  await read()
  await settle()
  expect([await read(), state.asked]).toEqual(['ok', 1])
  state.nowMs = 10_000
  expect(await read()).toBe('ok')
  await settle()
  expect([await read(), state.asked]).toEqual(['full', 2])
})

test('falls again with the database', async () => {
  const { state, read, settle } = watched()
  state.bytes = 1_000
  expect(await read()).toBe('full')
  state.bytes = 10
  state.nowMs = 10_000
  await read()
  await settle()
  expect(await read()).toBe('ok')
})

test('a database that does not answer leaves what was known, and is asked again ten seconds later', async () => {
  const { state, read, settle } = watched()
  state.failing = true
  expect([await read(), await read(), state.asked]).toEqual(['ok', 'ok', 1])
  state.failing = false
  state.bytes = 990
  state.nowMs = 10_000
  expect(await read()).toBe('full')
  state.failing = true
  state.nowMs = 20_000
  await read()
  await settle()
  expect(await read()).toBe('full')
})

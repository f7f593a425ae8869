import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Drain } from '../../../../src/base/concurrency/drain.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const TERMS = { waitMs: 5_000, calmMs: 500 }

/** Work that ends when it is told to, and whether it has begun. */
function newWork() {
  const { promise, resolve } = Promise.withResolvers<string>()
  const work = { hasBegun: false, end: () => resolve('done'), run: () => promise }
  return {
    ...work,
    run: () => {
      work.hasBegun = true
      return promise
    },
    begun: () => work.hasBegun,
  }
}

/** Closes a drain, and tells after how long it was over. */
async function closing(drain: Drain): Promise<() => number | null> {
  const startedAtMs = Date.now()
  let endedAtMs: number | null = null
  void drain.close(TERMS).then(() => {
    endedAtMs = Date.now()
  })
  await vi.advanceTimersByTimeAsync(0)
  return () => (endedAtMs === null ? null : endedAtMs - startedAtMs)
}

test('is over at once where nothing was under way', async () => {
  expect((await closing(new Drain(Date.now)))()).toBe(0)
})

test('waits for what has begun, and for what belongs to it', async () => {
  const drain = new Drain(Date.now)
  const [attempt, settlement] = [newWork(), newWork()]
  const attempted = drain.begin(attempt.run)
  const tookMs = await closing(drain)
  await vi.advanceTimersByTimeAsync(1_000)
  attempt.end()
  expect(await attempted).toBe('done')
  await vi.advanceTimersByTimeAsync(400)
  const settled = drain.finish(settlement.run)
  expect(settlement.begun()).toBe(true)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(tookMs()).toBeNull()
  settlement.end()
  expect(await settled).toBe('done')
  await vi.advanceTimersByTimeAsync(TERMS.calmMs + 20)
  expect(tookMs()).toBeLessThanOrEqual(2_940)
})

test('does not wait for ever', async () => {
  const drain = new Drain(Date.now)
  void drain.begin(newWork().run)
  const tookMs = await closing(drain)
  await vi.advanceTimersByTimeAsync(TERMS.waitMs + 20)
  expect(tookMs()).toBeLessThanOrEqual(TERMS.waitMs + 20)
})

test('holds back what would begin, and lets it go where the process lives on', async () => {
  const drain = new Drain(Date.now)
  await closing(drain)
  const late = newWork()
  void drain.begin(late.run)
  await vi.advanceTimersByTimeAsync(59_000)
  expect([late.begun(), drain.isClosed]).toEqual([false, true])
  await vi.advanceTimersByTimeAsync(1_000)
  expect([late.begun(), drain.isClosed]).toEqual([true, false])
})

test('counts work that fails as ended', async () => {
  const drain = new Drain(Date.now)
  await expect(drain.begin(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  const tookMs = await closing(drain)
  await vi.advanceTimersByTimeAsync(TERMS.calmMs + 20)
  expect(tookMs()).toBeLessThanOrEqual(TERMS.calmMs + 20)
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BackgroundLimit } from '../../../../src/base/concurrency/background-limit.ts'
import { BACKGROUND_AFTER_MS, TaskGroup } from '../../../../src/base/concurrency/task-group.ts'
import { wakesAfter } from '../../../../src/hints/wake.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ROOM = { count: 2, bytes: 1_000 }
const weightless = () => 0
const never = () => new Promise<void>(() => undefined)

/** Whether a promise has ended by now. */
async function hasEnded(promise: Promise<void>): Promise<boolean> {
  let ended = false
  void promise.then(() => {
    ended = true
  })
  await vi.advanceTimersByTimeAsync(0)
  return ended
}

describe('a group', () => {
  test('waits for work that is quick, and leaves none of it to the background', async () => {
    const left: Promise<unknown>[] = []
    const group = new TaskGroup(new BackgroundLimit(ROOM, () => 0).of((work) => void left.push(work)))
    group.start(new Promise((resolve) => setTimeout(resolve, BACKGROUND_AFTER_MS - 1)), weightless)
    const all = group.join()
    expect(await hasEnded(all)).toBe(false)
    await vi.advanceTimersByTimeAsync(BACKGROUND_AFTER_MS)
    await all
    expect(left).toEqual([])
  })

  test('leaves work that hangs to the background, which keeps it alive', async () => {
    const left: Promise<unknown>[] = []
    const group = new TaskGroup(new BackgroundLimit(ROOM, () => 0).of((work) => void left.push(work)))
    group.start(never(), weightless)
    const room = group.untilBelow(1)
    await vi.advanceTimersByTimeAsync(BACKGROUND_AFTER_MS)
    await room
    await group.join()
    expect(left).toHaveLength(1)
  })

  test('waits when the isolate has left enough in the background already, until some of it has ended', async () => {
    const limit = new BackgroundLimit(ROOM, () => 0)
    const ends: (() => void)[] = []
    const background = limit.of(() => undefined)
    while (background.tryAdd(new Promise((resolve) => ends.push(resolve)), 0));
    const group = new TaskGroup(limit.of(() => undefined))
    group.start(never(), weightless)
    const all = group.join()
    await vi.advanceTimersByTimeAsync(10 * BACKGROUND_AFTER_MS)
    expect(await hasEnded(all)).toBe(false)
    ends[0]?.()
    await vi.advanceTimersByTimeAsync(BACKGROUND_AFTER_MS)
    await all
  })
})

describe('after a claim', () => {
  const subscriptionNos = [1, 2]
  const dueMs = new Map([[1, 9_000]])

  test('that was quick, receivers are woken when their failed deliveries are due', () => {
    expect([...wakesAfter(subscriptionNos, dueMs, BACKGROUND_AFTER_MS, 4_000)]).toEqual([[1, 9_000]])
  })

  test('that others have waited for, all its receivers are woken at once, though one has a retry later', () => {
    expect([...wakesAfter(subscriptionNos, dueMs, BACKGROUND_AFTER_MS + 1, 4_000)]).toEqual([
      [1, 4_000],
      [2, 4_000],
    ])
  })
})

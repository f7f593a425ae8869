import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ByteBudget } from '../../../../src/base/concurrency/byte-budget.ts'

const MAX = 100
const WAIT_MS = 1_000

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function newBudget() {
  const budget = new ByteBudget(MAX, () => Date.now())
  const hold = (bytes: number) => budget.hold(bytes, WAIT_MS)
  /** Asks, and tells what is held by now. */
  const ask = async (bytes: number) => {
    let state: 'waiting' | 'held' | 'refused' = 'waiting'
    const asked = hold(bytes).then((held) => {
      state = held === null ? 'refused' : 'held'
      return held
    })
    await vi.advanceTimersByTimeAsync(0)
    return { asked, state: () => state }
  }
  return { hold, ask }
}

describe('bytes held at once', () => {
  test('are bounded: more wait until some are released', async () => {
    const { hold, ask } = newBudget()
    const first = await hold(60)
    const second = await ask(60)
    expect(second.state()).toBe('waiting')
    first?.release()
    await second.asked
    expect(second.state()).toBe('held')
  })

  test('may be above the bound for one alone, and nothing beside it', async () => {
    const { hold, ask } = newBudget()
    await hold(500)
    expect((await ask(1)).state()).toBe('waiting')
  })

  test('are refused after the wait, and what stood behind goes on', async () => {
    const { hold, ask } = newBudget()
    await hold(60)
    const large = await ask(60)
    await vi.advanceTimersByTimeAsync(WAIT_MS / 2)
    const small = await ask(10)
    expect([large.state(), small.state()]).toEqual(['waiting', 'waiting'])
    await vi.advanceTimersByTimeAsync(WAIT_MS / 2)
    expect([large.state(), small.state()]).toEqual(['refused', 'held'])
  })

  test('are given in the order in which they were asked for', async () => {
    const { hold, ask } = newBudget()
    const first = await hold(100)
    const asked = [await ask(80), await ask(10), await ask(20)]
    first?.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.map(({ state }) => state())).toEqual(['held', 'held', 'waiting'])
  })

  test('that turn out to be fewer make room', async () => {
    const { hold, ask } = newBudget()
    const first = await hold(90)
    const second = await ask(50)
    first?.resize(50)
    await second.asked
    expect(second.state()).toBe('held')
  })

  test('are released once, also when told twice', async () => {
    const { hold, ask } = newBudget()
    const first = await hold(60)
    first?.release()
    first?.release()
    first?.resize(5)
    await hold(60)
    expect((await ask(60)).state()).toBe('waiting')
  })

  test('are free again where the platform cancelled their invocation without a word', async () => {
    const { hold, ask } = newBudget()
    await hold(100)
    expect((await ask(100)).state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(120_001)
    expect((await ask(100)).state()).toBe('held')
  })

  test('are not given to one that was cancelled while it waited', async () => {
    const { hold, ask } = newBudget()
    const first = await hold(100)
    vi.spyOn(globalThis, 'setTimeout').mockImplementationOnce(() => 0 as never)
    const cancelled = await ask(100)
    await vi.advanceTimersByTimeAsync(WAIT_MS + 1)
    first?.release()
    await cancelled.asked
    expect(cancelled.state()).toBe('refused')
    expect((await ask(100)).state()).toBe('held')
  })
})

test('a queue that cannot be served is not joined', async () => {
  const { hold, ask } = newBudget()
  await hold(100)
  const waiting = Array.from({ length: 2_000 }, () => hold(100))
  expect((await ask(1)).state()).toBe('refused')
  await vi.advanceTimersByTimeAsync(WAIT_MS)
  expect((await Promise.all(waiting)).every((held) => held === null)).toBe(true)
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BodyHold } from '../../../src/api/body/body-hold.ts'
import { ByteBudget } from '../../../src/base/concurrency/byte-budget.ts'

const SMALL = 64_000
const MEDIUM = 500_000
const LARGE = 10_000_000

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** Budgets with room for one body of each size. */
function newBudgets() {
  const budget = (bytes: number) => new ByteBudget(6.1 * bytes, () => Date.now())
  return { small: budget(SMALL), medium: budget(MEDIUM), large: budget(LARGE) }
}

async function taken(budgets: ReturnType<typeof newBudgets>, bytes: number): Promise<BodyHold> {
  const hold = new BodyHold(budgets)
  await hold.take(bytes)
  return hold
}

/** True where a body of this size gets its room without a wait. Room that was not there in time is not waited for any more. */
async function isFree(budgets: ReturnType<typeof newBudgets>, bytes: number): Promise<boolean> {
  const hold = new BodyHold(budgets)
  let isTaken = false
  const taking = hold.take(bytes).then(
    () => {
      isTaken = true
    },
    () => undefined,
  )
  await vi.advanceTimersByTimeAsync(0)
  const isTakenAtOnce = isTaken
  await vi.advanceTimersByTimeAsync(10_000)
  await taking
  await hold.release()
  return isTakenAtOnce
}

describe('the room of a body', () => {
  test('is of its size: no smaller one waits for a larger one', async () => {
    const budgets = newBudgets()
    await taken(budgets, LARGE)
    expect([
      await isFree(budgets, SMALL),
      await isFree(budgets, MEDIUM),
      await isFree(budgets, MEDIUM + 1),
    ]).toEqual([true, true, false])
  })

  test('grows with a body of unknown length, and gives back what it had', async () => {
    const budgets = newBudgets()
    const hold = new BodyHold(budgets)
    await hold.takeUnknown(0, LARGE)
    expect(await isFree(budgets, SMALL)).toBe(false)
    await hold.takeUnknown(SMALL + 1, LARGE)
    expect([await isFree(budgets, SMALL), await isFree(budgets, MEDIUM)]).toEqual([true, false])
    await hold.takeUnknown(MEDIUM + 1, LARGE)
    expect([await isFree(budgets, MEDIUM), await isFree(budgets, LARGE)]).toEqual([true, false])
    await hold.release()
    expect(await isFree(budgets, LARGE)).toBe(true)
  })

  test('is kept for a commit that goes on after the answer', async () => {
    const budgets = newBudgets()
    const hold = await taken(budgets, LARGE)
    const commit = Promise.withResolvers<void>()
    hold.keepFor(commit.promise)
    const released = hold.release()
    expect(await isFree(budgets, LARGE)).toBe(false)
    commit.reject(new Error('the store failed'))
    await released
  })

  test('is refused with a time to try again where there is none in time', async () => {
    const budgets = newBudgets()
    await taken(budgets, LARGE)
    const refused = expect(taken(budgets, LARGE)).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 5,
    })
    await vi.advanceTimersByTimeAsync(10_000)
    await refused
  })
})

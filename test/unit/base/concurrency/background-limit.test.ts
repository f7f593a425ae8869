import { describe, expect, test } from 'vitest'
import { BackgroundLimit } from '../../../../src/base/concurrency/background-limit.ts'

const LIMITS = { count: 3, bytes: 1_000 }

function backgroundOf(limit = new BackgroundLimit(LIMITS, () => 0)) {
  const ends: (() => void)[] = []
  const background = limit.of(() => undefined)
  const leave = (bytes: number) =>
    background.tryAdd(new Promise<void>((resolve) => ends.push(resolve)), bytes)
  const end = async (i: number) => {
    ends[i]?.()
    await Promise.resolve()
    await Promise.resolve()
  }
  return { leave, end }
}

describe('what an isolate leaves in the background', () => {
  test('is bounded in number', async () => {
    const { leave, end } = backgroundOf()
    expect([leave(1), leave(1), leave(1), leave(1)]).toEqual([true, true, true, false])
    await end(0)
    expect([leave(1), leave(1)]).toEqual([true, false])
  })

  test('is bounded in bytes', async () => {
    const { leave, end } = backgroundOf()
    expect([leave(600), leave(500), leave(400), leave(1)]).toEqual([true, false, true, false])
    await end(0)
    expect(leave(600)).toBe(true)
  })

  test('may be one piece that is larger than the bound, and nothing beside it', () => {
    const { leave } = backgroundOf()
    expect([leave(5_000), leave(1)]).toEqual([true, false])
  })

  test('is forgotten where the platform cancelled it without a word', () => {
    let nowMs = 0
    const limit = new BackgroundLimit(LIMITS, () => nowMs)
    const { leave } = backgroundOf(limit)
    expect([leave(900), leave(900)]).toEqual([true, false])
    nowMs = 120_001
    expect([leave(900), leave(900)]).toEqual([true, false])
  })

  test('is bounded over all invocations together', () => {
    const limit = new BackgroundLimit(LIMITS, () => 0)
    const one = backgroundOf(limit)
    const other = backgroundOf(limit)
    expect([one.leave(600), other.leave(600)]).toEqual([true, false])
  })
})

import { describe, expect, test } from 'vitest'
import { Stragglers } from '../../../src/pipeline/stragglers.ts'
import { Turns } from '../../../src/pipeline/turns.ts'

const LIMITS = { count: 3, bytes: 1_000 }

function backgroundOf(stragglers = new Stragglers(LIMITS)) {
  const ends: (() => void)[] = []
  const background = stragglers.of(() => undefined)
  const leave = (bytes: number) => background.leave(new Promise<void>((resolve) => ends.push(resolve)), bytes)
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

  test('is bounded over all invocations together', () => {
    const stragglers = new Stragglers(LIMITS)
    const one = backgroundOf(stragglers)
    const other = backgroundOf(stragglers)
    expect([one.leave(600), other.leave(600)]).toEqual([true, false])
  })
})

describe('turns of a subscription', () => {
  test('are four at once, and no other subscription minds', () => {
    const turns = new Turns()
    const begun = Array.from({ length: 5 }, () => turns.begin(7, false) !== null)
    expect(begun).toEqual([true, true, true, true, false])
    expect(turns.begin(8, false)).not.toBeNull()
  })

  test('are two while its receiver hangs', () => {
    const turns = new Turns()
    expect([turns.begin(7, true), turns.begin(7, true)]).not.toContain(null)
    expect(turns.begin(7, true)).toBeNull()
  })

  test('are eight where a limit bounds them, unless many others are under way', () => {
    const turns = new Turns()
    const begin = () => turns.begin(7, true) !== null
    begin()
    turns.learn(7, true)
    expect(Array.from({ length: 8 }, begin)).toEqual([...Array.from({ length: 7 }, () => true), false])
    const others = Array.from({ length: 100 }, (_, n) => turns.begin(100 + n, false))
    turns.begin(8, true)
    turns.learn(8, true)
    expect([turns.begin(8, true) !== null, turns.begin(8, true) !== null]).toEqual([true, false])
    for (const turn of others) turn?.end()
    expect(turns.begin(8, true)).not.toBeNull()
  })

  test('make room when they end', () => {
    const turns = new Turns()
    const ends = Array.from({ length: 4 }, () => turns.begin(7, false))
    ends[1]?.end()
    expect(turns.begin(7, false)).not.toBeNull()
    expect(turns.begin(7, false)).toBeNull()
    for (const turn of ends) turn?.end()
  })
})

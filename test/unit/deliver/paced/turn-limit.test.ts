import { describe, expect, test } from 'vitest'
import { joinAll } from '../../../../src/base/concurrency/wait.ts'
import { TurnLimit } from '../../../../src/deliver/paced/turn-limit.ts'

describe('turns of a subscription', () => {
  test('are four at once, and no other subscription minds', () => {
    const turns = new TurnLimit()
    const begun = Array.from({ length: 5 }, () => turns.acquire(7, false) !== null)
    expect(begun).toEqual([true, true, true, true, false])
    expect(turns.acquire(8, false)).not.toBeNull()
  })

  test('are two while its receiver hangs', () => {
    const turns = new TurnLimit()
    expect([turns.acquire(7, true), turns.acquire(7, true)]).not.toContain(null)
    expect(turns.acquire(7, true)).toBeNull()
  })

  test('are eight where a limit bounds them, unless many others are under way', () => {
    const turns = new TurnLimit()
    const begin = () => turns.acquire(7, true) !== null
    begin()
    turns.learn(7, true)
    expect(Array.from({ length: 8 }, begin)).toEqual([...Array.from({ length: 7 }, () => true), false])
    const others = Array.from({ length: 100 }, (_, n) => turns.acquire(100 + n, false))
    turns.acquire(8, true)
    turns.learn(8, true)
    expect([turns.acquire(8, true) !== null, turns.acquire(8, true) !== null]).toEqual([true, false])
    for (const turn of others) turn?.release()
    expect(turns.acquire(8, true)).not.toBeNull()
  })

  test('make room when they end', () => {
    const turns = new TurnLimit()
    const ends = Array.from({ length: 4 }, () => turns.acquire(7, false))
    ends[1]?.release()
    expect(turns.acquire(7, false)).not.toBeNull()
    expect(turns.acquire(7, false)).toBeNull()
    for (const turn of ends) turn?.release()
  })

  test('that only wait for something leave their place to others, and keep their own count', async () => {
    const turns = new TurnLimit()
    const first = turns.acquire(7, true)
    const second = turns.acquire(7, true)
    const answer = Promise.withResolvers<string>()
    const waiting = first?.whileIdle(answer.promise)
    const third = turns.acquire(7, true)
    expect(third).not.toBeNull()
    expect(turns.acquire(7, true)).toBeNull()
    answer.resolve('late')
    expect(await waiting).toBe('late')
    third?.release()
    expect(turns.acquire(7, true)).toBeNull()
    first?.release()
    second?.release()
    expect(
      [turns.acquire(7, true), turns.acquire(7, true), turns.acquire(7, true)].map((turn) => turn !== null),
    ).toEqual([true, true, false])
  })

  test('that were refused need one look in two seconds', () => {
    const turns = new TurnLimit()
    turns.acquire(7, true)
    expect([1_000, 1_001, 2_999, 3_000].map((nowMs) => turns.needsLook(7, nowMs))).toEqual([
      true,
      false,
      false,
      true,
    ])
  })
})

test('whoever waits for all waits for the rest when one has failed, and hears of that', async () => {
  const slow = Promise.withResolvers<void>()
  let isOver = false
  const ended = joinAll([Promise.reject(new Error('first')), slow.promise]).finally(() => {
    isOver = true
  })
  const failure = ended.catch((error: Error) => error.message)
  await new Promise((resolve) => setImmediate(resolve))
  expect(isOver).toBe(false)
  slow.resolve()
  expect(await failure).toBe('first')
})

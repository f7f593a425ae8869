import { describe, expect, test } from 'vitest'
import { joinAll } from '../../../../src/base/concurrency/wait.ts'
import { TurnLimit } from '../../../../src/deliver/paced/turn-limit.ts'

const HANGING = { isHanging: true }
const QUICK = { isHanging: false }

describe('turns of a subscription', () => {
  test('are four at once, and no other subscription minds', () => {
    const turns = new TurnLimit()
    const begun = Array.from({ length: 5 }, () => turns.acquire(7, QUICK) !== null)
    expect(begun).toEqual([true, true, true, true, false])
    expect(turns.acquire(8, QUICK)).not.toBeNull()
  })

  test('are two while its receiver hangs', () => {
    const turns = new TurnLimit()
    expect([turns.acquire(7, HANGING), turns.acquire(7, HANGING)]).not.toContain(null)
    expect(turns.acquire(7, HANGING)).toBeNull()
  })

  test('are eight where a limit bounds them, unless many others are under way', () => {
    const turns = new TurnLimit()
    const begin = () => turns.acquire(7, HANGING) !== null
    begin()
    turns.learn(7, { isLimited: true })
    expect(Array.from({ length: 8 }, begin)).toEqual([...Array.from({ length: 7 }, () => true), false])
    const others = Array.from({ length: 100 }, (_, n) => turns.acquire(100 + n, QUICK))
    turns.acquire(8, HANGING)
    turns.learn(8, { isLimited: true })
    expect([turns.acquire(8, HANGING) !== null, turns.acquire(8, HANGING) !== null]).toEqual([true, false])
    for (const turn of others) turn?.release()
    expect(turns.acquire(8, HANGING)).not.toBeNull()
  })

  test('make room when they end', () => {
    const turns = new TurnLimit()
    const ends = Array.from({ length: 4 }, () => turns.acquire(7, QUICK))
    ends[1]?.release()
    expect(turns.acquire(7, QUICK)).not.toBeNull()
    expect(turns.acquire(7, QUICK)).toBeNull()
    for (const turn of ends) turn?.release()
  })

  test('that only wait for something let others begin, and keep their own count', async () => {
    const turns = new TurnLimit()
    const first = turns.acquire(7, HANGING)
    const second = turns.acquire(7, HANGING)
    const answer = Promise.withResolvers<string>()
    const waiting = first?.whileIdle(answer.promise)
    const third = turns.acquire(7, HANGING)
    expect(third).not.toBeNull()
    expect(turns.acquire(7, HANGING)).toBeNull()
    answer.resolve('late')
    expect(await waiting).toBe('late')
    third?.release()
    expect(turns.acquire(7, HANGING)).toBeNull()
    first?.release()
    second?.release()
    expect(
      [turns.acquire(7, HANGING), turns.acquire(7, HANGING), turns.acquire(7, HANGING)].map(
        (turn) => turn !== null,
      ),
    ).toEqual([true, true, false])
  })

  test('that were refused need one look in two seconds', () => {
    const turns = new TurnLimit()
    turns.acquire(7, HANGING)
    expect([1_000, 1_001, 2_999, 3_000].map((nowMs) => turns.needsLook(7, nowMs))).toEqual([
      true,
      false,
      false,
      true,
    ])
  })
})

test('joining waits for all pieces of work also when one has failed, and then rejects', async () => {
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

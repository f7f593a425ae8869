import { describe, expect, test } from 'vitest'
import { StartGate, type StartTimes } from '../../../src/pipeline/start-gate.ts'

/** A gate on a clock of its own; `oversleepsMs` is how much later than asked the nth sleeper wakes up. */
function gateAt(times: StartTimes, { nowMs = 1_000, oversleepsMs = [] as number[] } = {}) {
  const clock = { nowMs }
  let slept = 0
  const sleep = async (ms: number) => {
    clock.nowMs += ms + (oversleepsMs[slept++] ?? 0)
  }
  return { clock, gate: new StartGate(times, () => clock.nowMs, sleep) }
}

/** When requests start, one after the other, until the gate lets no more through. */
async function startsOf({ gate, clock }: ReturnType<typeof gateAt>): Promise<number[]> {
  const starts: number[] = []
  while ((await gate.pass()) !== null) starts.push(clock.nowMs)
  return starts
}

const FOUR = { requests: 4, firstAtMs: 1_000, everyMs: 100 }

describe('a gate with times apart', () => {
  test('lets one request start at each', async () => {
    const made = gateAt(FOUR)
    expect(await startsOf(made)).toEqual([1_000, 1_100, 1_200, 1_300])
    expect([made.gate.used, made.gate.left]).toEqual([4, 0])
  })

  test('makes up for a little lateness at once', async () => {
    expect(await startsOf(gateAt(FOUR, { nowMs: 1_200 }))).toEqual([1_200, 1_200, 1_200, 1_300])
  })

  test('gives up times that have long passed', async () => {
    const made = gateAt(FOUR, { nowMs: 1_490 })
    expect(made.gate.left).toBe(1)
    expect(await startsOf(made)).toEqual([1_490])
    expect(made.gate.used).toBe(1)
  })

  test('gives up a time that was slept through, and takes a later one', async () => {
    const made = gateAt(FOUR, { oversleepsMs: [300] })
    expect(await startsOf(made)).toEqual([1_000, 1_400, 1_400])
    expect(made.gate.used).toBe(3)
  })

  test('lets a request that waited for its slot too long start no more', async () => {
    const { gate, clock } = gateAt(FOUR)
    const mayStart = await gate.pass()
    clock.nowMs += 200
    expect(mayStart?.()).toBe(true)
    clock.nowMs += 1
    expect(mayStart?.()).toBe(false)
  })

  test.each([
    ['far apart', 60_000, 1_000],
    ['half a second apart', 500, 500],
    ['close together', 1, 200],
  ])('that are %s bears with lateness up to a bound', async (_, everyMs, lateMs) => {
    const { gate, clock } = gateAt({ ...FOUR, everyMs })
    const mayStart = await gate.pass()
    clock.nowMs += lateMs
    expect(mayStart?.()).toBe(true)
    clock.nowMs += 1
    expect(mayStart?.()).toBe(false)
  })

  test('has nothing left, never less than that, when all times have passed', () => {
    expect(gateAt(FOUR, { nowMs: 9_000 }).gate.left).toBe(0)
  })
})

test('a gate without times apart lets its requests start at once, however late', async () => {
  const made = gateAt({ requests: 2, firstAtMs: 1_000, everyMs: 0 }, { nowMs: 5_000 })
  expect(await startsOf(made)).toEqual([5_000, 5_000])
})

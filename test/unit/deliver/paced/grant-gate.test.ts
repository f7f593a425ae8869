import { describe, expect, test } from 'vitest'
import { GrantGate, type Permit, type StartTimes } from '../../../../src/deliver/paced/grant-gate.ts'

/** A gate on a clock of its own; `oversleepsMs` is how much later than asked the nth sleeper wakes up. */
function gateAt(times: StartTimes, { nowMs = 1_000, oversleepsMs = [] as number[] } = {}) {
  const clock = { nowMs }
  let slept = 0
  const sleep = async (ms: number) => {
    clock.nowMs += ms + (oversleepsMs[slept++] ?? 0)
  }
  return { clock, gate: new GrantGate(times, () => clock.nowMs, sleep) }
}

/** When requests start, one after the other, until the gate lets no more through. */
async function startsOf({ gate, clock }: ReturnType<typeof gateAt>): Promise<number[]> {
  const starts: number[] = []
  while ((await gate.admit()) !== null) starts.push(clock.nowMs)
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
    const mayStart = await gate.admit()
    clock.nowMs += 200
    expect(mayStart?.isInTime()).toBe(true)
    clock.nowMs += 1
    expect(mayStart?.isInTime()).toBe(false)
  })

  test.each([
    ['far apart', 60_000, 1_000],
    ['half a second apart', 500, 500],
    ['close together', 1, 200],
  ])('that are %s bears with lateness up to a bound', async (_, everyMs, lateMs) => {
    const { gate, clock } = gateAt({ ...FOUR, everyMs })
    const mayStart = await gate.admit()
    clock.nowMs += lateMs
    expect(mayStart?.isInTime()).toBe(true)
    clock.nowMs += 1
    expect(mayStart?.isInTime()).toBe(false)
  })

  test('has nothing left, never less than that, when all times have passed', () => {
    expect(gateAt(FOUR, { nowMs: 9_000 }).gate.left).toBe(0)
  })
})

test('a gate without times apart lets its requests start at once, however late', async () => {
  const made = gateAt({ requests: 2, firstAtMs: 1_000, everyMs: 0 }, { nowMs: 5_000 })
  expect(await startsOf(made)).toEqual([5_000, 5_000])
})

describe('a gate with places', () => {
  const AT_ONCE = { requests: 5, firstAtMs: 1_000, everyMs: 0, places: 2 }
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  /** Asks for passes; `passed` has those that were let through, null for those that were refused. */
  function asking({ gate }: ReturnType<typeof gateAt>, count: number) {
    const passed: (Permit | null)[] = []
    for (let n = 0; n < count; n++) void gate.admit().then((pass) => passed.push(pass))
    return passed
  }

  test('lets as many start as it has places, and the next when one has ended', async () => {
    const made = gateAt(AT_ONCE)
    const passed = asking(made, 5)
    await settled()
    expect([passed.length, made.gate.running]).toEqual([2, 2])
    passed[1]?.release()
    await settled()
    expect([passed.length, made.gate.running]).toEqual([3, 2])
    for (let n = 0; n < 5; n++) {
      if (n !== 1) passed[n]?.release()
      await settled()
    }
    expect([passed.length, made.gate.running, made.gate.left]).toEqual([5, 0, 0])
  })

  test('gives a place on that was taken in vain', async () => {
    const made = gateAt({ ...AT_ONCE, requests: 1 })
    const passed = asking(made, 4)
    await settled()
    passed[0]?.release()
    await settled()
    expect(passed.map((pass) => pass !== null)).toEqual([true, false, false, false])
    expect(made.gate.running).toBe(0)
  })

  test('lets none start after its end', async () => {
    const made = gateAt({ ...AT_ONCE, untilMs: 2_000 })
    const passed = asking(made, 3)
    await settled()
    made.clock.nowMs = 2_001
    passed[0]?.release()
    await settled()
    expect(passed[2]).toBeNull()
    expect([made.gate.used, made.gate.left]).toEqual([2, 0])
  })

  test('sends away whoever waits when no place has become free for a while, and none after them', async () => {
    const clock = { nowMs: 1_000 }
    const woken: (() => void)[] = []
    const sleep = () => new Promise<void>((resolve) => woken.push(resolve))
    const gate = new GrantGate({ ...AT_ONCE, stallMs: 1_000 }, () => clock.nowMs, sleep)
    const passed = asking({ gate, clock }, 5)
    await settled()
    clock.nowMs = 1_900
    passed[0]?.release()
    await settled()
    // A place has moved on meanwhile: the time counts from there.
    clock.nowMs = 2_002
    woken.shift()?.()
    await settled()
    expect(passed).toHaveLength(3)
    clock.nowMs = 2_902
    woken.shift()?.()
    await settled()
    expect(passed.map((pass) => pass !== null)).toEqual([true, true, true, false, false])
    expect([gate.running, gate.left]).toEqual([2, 0])
  })

  test('is drained when nobody waits for a place any more', async () => {
    const made = gateAt({ ...AT_ONCE, requests: 3 })
    const passed = asking(made, 3)
    let isDrained = false
    void made.gate.drained().then(() => {
      isDrained = true
    })
    await settled()
    expect(isDrained).toBe(false)
    passed[0]?.release()
    await settled()
    expect([isDrained, made.gate.running]).toEqual([true, 2])
  })

  test('loses the times at which no place is free', async () => {
    const made = gateAt({ ...FOUR, places: 1 })
    const passed = asking(made, 4)
    await settled()
    made.clock.nowMs = 1_350
    passed[0]?.release()
    await settled()
    // Those of 1,000 and 1,100 have passed; that of 1,200 is late, but not too late.
    expect([passed.length, made.gate.left]).toEqual([2, 1])
  })
})

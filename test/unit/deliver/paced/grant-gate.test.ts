import { describe, expect, test } from 'vitest'
import { GrantGate, type GrantTimes, type Permit } from '../../../../src/deliver/paced/grant/grant-gate.ts'

/** A gate on a clock of its own; `oversleepsMs` is how much later than asked the nth sleeper wakes up. */
function gateAt(times: GrantTimes, { nowMs = 1_000, oversleepsMs = [] as number[] } = {}) {
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
    const permit = await gate.admit()
    clock.nowMs += 200
    expect(permit?.tryStart()).toBe(true)
    clock.nowMs += 1
    expect(permit?.tryStart()).toBe(false)
  })

  test.each([
    ['far apart', 60_000, 1_000],
    ['half a second apart', 500, 500],
    ['close together', 1, 200],
  ])('that are %s bears with lateness up to a bound', async (_, everyMs, lateMs) => {
    const { gate, clock } = gateAt({ ...FOUR, everyMs })
    const permit = await gate.admit()
    clock.nowMs += lateMs
    expect(permit?.tryStart()).toBe(true)
    clock.nowMs += 1
    expect(permit?.tryStart()).toBe(false)
  })

  test('has nothing left, never less than that, when all times have passed', () => {
    expect(gateAt(FOUR, { nowMs: 9_000 }).gate.left).toBe(0)
  })
})

test('a gate without times apart lets its requests start at once, however late', async () => {
  const made = gateAt({ requests: 2, firstAtMs: 1_000, everyMs: 0 }, { nowMs: 5_000 })
  expect(await startsOf(made)).toEqual([5_000, 5_000])
})

describe('a gate with permits', () => {
  const AT_ONCE = { requests: 5, firstAtMs: 1_000, everyMs: 0, permits: 2 }
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  /** Asks for permits; `admitted` has an entry for each answer, null for a refusal. */
  function asking({ gate }: ReturnType<typeof gateAt>, count: number) {
    const admitted: (Permit | null)[] = []
    for (let n = 0; n < count; n++) void gate.admit().then((permit) => admitted.push(permit))
    return admitted
  }

  test('lets as many start as it has permits, and the next when one has ended', async () => {
    const made = gateAt(AT_ONCE)
    const admitted = asking(made, 5)
    await settled()
    expect([admitted.length, made.gate.running]).toEqual([2, 2])
    admitted[1]?.release()
    await settled()
    expect([admitted.length, made.gate.running]).toEqual([3, 2])
    for (let n = 0; n < 5; n++) {
      if (n !== 1) admitted[n]?.release()
      await settled()
    }
    expect([admitted.length, made.gate.running, made.gate.left]).toEqual([5, 0, 0])
  })

  test('hands on a permit that was taken in vain', async () => {
    const made = gateAt({ ...AT_ONCE, requests: 1 })
    const admitted = asking(made, 4)
    await settled()
    admitted[0]?.release()
    await settled()
    expect(admitted.map((permit) => permit !== null)).toEqual([true, false, false, false])
    expect(made.gate.running).toBe(0)
  })

  test('lets none start after its end', async () => {
    const made = gateAt({ ...AT_ONCE, untilMs: 2_000 })
    const admitted = asking(made, 3)
    await settled()
    made.clock.nowMs = 2_001
    admitted[0]?.release()
    await settled()
    expect(admitted[2]).toBeNull()
    expect([made.gate.used, made.gate.left]).toEqual([2, 0])
  })

  test('refuses all that wait when no permit was released for a while', async () => {
    const clock = { nowMs: 1_000 }
    const woken: (() => void)[] = []
    const sleep = () => new Promise<void>((resolve) => woken.push(resolve))
    const gate = new GrantGate({ ...AT_ONCE, stallMs: 1_000 }, () => clock.nowMs, sleep)
    const admitted = asking({ gate, clock }, 5)
    await settled()
    clock.nowMs = 1_900
    admitted[0]?.release()
    await settled()
    // A permit has moved on meanwhile: the time counts from there.
    clock.nowMs = 2_002
    woken.shift()?.()
    await settled()
    expect(admitted).toHaveLength(3)
    clock.nowMs = 2_902
    woken.shift()?.()
    await settled()
    expect(admitted.map((permit) => permit !== null)).toEqual([true, true, true, false, false])
    expect([gate.running, gate.left]).toEqual([2, 0])
  })

  test('is drained when no request waits for a permit any more', async () => {
    const made = gateAt({ ...AT_ONCE, requests: 3 })
    const admitted = asking(made, 3)
    let isDrained = false
    void made.gate.drained().then(() => {
      isDrained = true
    })
    await settled()
    expect(isDrained).toBe(false)
    admitted[0]?.release()
    await settled()
    expect([isDrained, made.gate.running]).toEqual([true, 2])
  })

  test('loses the times at which no permit is free', async () => {
    const made = gateAt({ ...FOUR, permits: 1 })
    const admitted = asking(made, 4)
    await settled()
    made.clock.nowMs = 1_350
    admitted[0]?.release()
    await settled()
    // Those of 1,000 and 1,100 have passed; that of 1,200 is late, but not too late.
    expect([admitted.length, made.gate.left]).toEqual([2, 1])
  })
})

describe('a request that may not start before a time', () => {
  test('takes the first time after it; the others take those that are left', async () => {
    const { gate, clock } = gateAt(FOUR)
    const starts: [string, number][] = []
    const ask = async (name: string, notBeforeMs?: number) => {
      const permit = await gate.admit(notBeforeMs)
      if (permit !== null) starts.push([name, clock.nowMs])
    }
    const scheduled = ask('scheduled', 1_150)
    await Promise.resolve()
    expect(gate.left).toBe(3)
    await Promise.all([scheduled, ask('a'), ask('b'), ask('c'), ask('d')])
    expect(starts.map(([name]) => name).toSorted()).toEqual(['a', 'b', 'c', 'scheduled'])
    expect(gate.left).toBe(0)
  })

  test('is refused where no time is left after it', async () => {
    expect(await gateAt(FOUR).gate.admit(1_301)).toBeNull()
  })
})

describe('a gate that keeps to a window', () => {
  test('starts no request before the window lets it, and says when each has started', async () => {
    const started: number[][] = []
    const { gate, clock } = gateAt(FOUR)
    gate.keepTo({
      earliestMs: (timeMs) => timeMs + 50,
      record: (timeMs, startedAtMs) => started.push([timeMs, startedAtMs]),
    })
    const permit = await gate.admit()
    expect(clock.nowMs).toBe(1_050)
    expect(permit?.tryStart()).toBe(true)
    expect(started).toEqual([[1_000, 1_050]])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SlotOwner, Slots } from '../../../../src/base/concurrency/slots.ts'

const ONE: SlotOwner = { no: 1, workspaceNo: 1, health: 'healthy' }
const TWO: SlotOwner = { no: 2, workspaceNo: 1, health: 'healthy' }
const suspect = (no: number): SlotOwner => ({ no, workspaceNo: no, health: 'suspect' })
const unproven = (no: number): SlotOwner => ({ no, workspaceNo: no, health: 'unproven' })

async function turnsOf(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

/** Work that comes some turns after the one before, lasts for some and then succeeds or fails. */
type Work = { waits: number; turns: number; fails: boolean }

type Trace = { started: number[]; most: number; results: PromiseSettledResult<number>[] }

async function runAll(count: number, works: readonly Work[]): Promise<Trace> {
  const slots = new Slots(count)
  const trace: Trace = { started: [], most: 0, results: [] }
  let inFlight = 0
  const work = async (i: number, { turns, fails }: Work) => {
    trace.started.push(i)
    inFlight++
    trace.most = Math.max(trace.most, inFlight)
    await turnsOf(turns)
    inFlight--
    if (fails) throw new Error(`work ${i} failed`)
    return i
  }
  const all: Promise<number>[] = []
  for (const [i, w] of works.entries()) {
    if (w.waits > 0) await turnsOf(w.waits)
    all.push(slots.run(ONE, () => work(i, w)))
  }
  trace.results = await Promise.allSettled(all)
  return trace
}

/** The same work, all of it there from the beginning. */
function together(works: readonly Work[]): Work[] {
  return works.map((work) => ({ ...work, waits: 0 }))
}

describe('slots', () => {
  const count = fc.integer({ min: 1, max: 8 })
  const works = fc.array(fc.record({ waits: fc.nat(6), turns: fc.nat(12), fails: fc.boolean() }), {
    maxLength: 40,
  })

  test('never let more run at once than there are', async () => {
    await fc.assert(
      fc.asyncProperty(count, works, async (n, all) => {
        const { most } = await runAll(n, all)
        expect(most).toBeLessThanOrEqual(n)
      }),
    )
  })

  test('let waiting work start in the order in which it came', async () => {
    await fc.assert(
      fc.asyncProperty(count, works, async (n, all) => {
        const { started } = await runAll(n, together(all))
        expect(started).toEqual(all.map((_, i) => i))
      }),
    )
  })

  test('give everybody the outcome of their own work', async () => {
    await fc.assert(
      fc.asyncProperty(count, works, async (n, all) => {
        const { results } = await runAll(n, all)
        const outcomes = results.map((r) =>
          r.status === 'fulfilled' ? r.value : (r.reason as Error).message,
        )
        expect(outcomes).toEqual(all.map(({ fails }, i) => (fails ? `work ${i} failed` : i)))
      }),
    )
  })

  test('are all used when there is work for them', async () => {
    const slots = new Slots(3)
    const gate = Promise.withResolvers<void>()
    let running = 0
    const all = Array.from({ length: 5 }, () =>
      slots.run(ONE, async () => {
        running++
        await gate.promise
      }),
    )
    await turnsOf(50)
    expect(running).toBe(3)
    gate.resolve()
    await Promise.all(all)
  })

  test('go to who waited, not to who comes while one is handed over', async () => {
    const slots = new Slots(1)
    const order: string[] = []
    const say = (name: string) => slots.run(ONE, async () => void order.push(name))
    const gate = Promise.withResolvers<void>()
    const first = slots.run(ONE, () => gate.promise)
    const waited = say('waited')
    gate.resolve()
    const late = first.then(() => say('late'))
    await Promise.all([waited, late])
    expect(order).toEqual(['waited', 'late'])
  })

  test('are free again after work that throws before its first await', async () => {
    const slots = new Slots(1)
    const failed = slots.run(ONE, () => {
      throw new Error('at once')
    })
    await expect(failed).rejects.toThrow('at once')
    expect(await slots.run(ONE, async () => 'next')).toBe('next')
  })

  test('serve two waves of work alike', async () => {
    const slots = new Slots(2)
    const wave = () => Promise.all([1, 2, 3, 4].map((n) => slots.run(ONE, async () => n)))
    await wave()
    expect(await wave()).toEqual([1, 2, 3, 4])
  })
})

const hang = () => new Promise<void>(() => undefined)

test('an owner whose work hangs does not keep the slots that others wait for', async () => {
  const slots = new Slots(6)
  for (let i = 0; i < 20; i++) void slots.run(ONE, hang)
  let served = 0
  await Promise.all(Array.from({ length: 50 }, () => slots.run(TWO, async () => void served++)))
  expect(served).toBe(50)
})

describe('slots of which half is kept for proven receivers', () => {
  function keepingHalf(count: number): Slots {
    const slots = new Slots(count)
    slots.keepHalfForProven()
    return slots
  }

  test('are not all taken by many others that hang', async () => {
    const slots = keepingHalf(6)
    for (let no = 1; no <= 20; no++) void slots.run(no % 2 === 0 ? suspect(no) : unproven(no), hang)
    await turnsOf(50)
    const served = Array.from({ length: 5 }, (_, i) =>
      slots.run({ no: 30 + i, workspaceNo: 1, health: 'healthy' }, async () => i),
    )
    expect(await Promise.all(served)).toEqual([0, 1, 2, 3, 4])
  })

  test.each([
    [1, 1, 1],
    [2, 1, 1],
    [5, 2, 3],
    [6, 3, 4],
  ])('of %i let others of one workspace have %i, and of many %i', async (count, mostOfOne, mostOfMany) => {
    expect(await runningOf(count, () => 1)).toBe(mostOfOne)
    expect(await runningOf(count, (no) => no)).toBe(mostOfMany)
  })

  async function runningOf(count: number, workspaceOf: (no: number) => number): Promise<number> {
    const slots = keepingHalf(count)
    let running = 0
    for (let no = 1; no <= 20; no++) {
      void slots.run({ ...suspect(no), workspaceNo: workspaceOf(no) }, () => {
        running++
        return hang()
      })
    }
    await turnsOf(50)
    return running
  }

  test('of the others, one is never taken by the workspace that has the rest', async () => {
    const slots = keepingHalf(6)
    const inWorkspace = (workspaceNo: number, no: number) => ({ ...unproven(no), workspaceNo })
    for (let no = 1; no <= 20; no++) void slots.run(inWorkspace(1, no), hang)
    await turnsOf(50)
    expect(await slots.run(inWorkspace(2, 30), async () => 'served')).toBe('served')
    expect(await slots.run(inWorkspace(2, 31), async () => 'and again')).toBe('and again')
  })

  test('are all for proven receivers where nobody else waits', async () => {
    const slots = keepingHalf(6)
    let running = 0
    for (let no = 1; no <= 20; no++) {
      void slots.run({ no, workspaceNo: 1, health: 'healthy' }, () => {
        running++
        return hang()
      })
    }
    await turnsOf(50)
    expect(running).toBe(6)
  })

  test('go on from one of the others to the next', async () => {
    const slots = keepingHalf(2)
    const order: number[] = []
    const all = [1, 2, 3].map((no) => slots.run(suspect(no), async () => void order.push(no)))
    await Promise.all(all)
    expect(order).toEqual([1, 2, 3])
  })

  test('serve everybody, however many of both there are and whatever becomes of their work', async () => {
    const healths = fc.constantFrom<SlotOwner['health']>('healthy', 'unproven', 'suspect')
    const work = fc.record({
      no: fc.nat(5),
      workspaceNo: fc.nat(2),
      health: healths,
      turns: fc.nat(12),
      fails: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(work, { maxLength: 40 }),
        async (n, works) => {
          const slots = keepingHalf(n)
          const now = { all: 0, others: 0 }
          const most = { all: 0, others: 0 }
          const outcomes = await Promise.allSettled(
            works.map(({ turns, fails, ...owner }) =>
              slots.run(owner, async () => {
                const others = owner.health === 'healthy' ? 0 : 1
                most.all = Math.max(most.all, ++now.all)
                now.others += others
                most.others = Math.max(most.others, now.others)
                await turnsOf(turns)
                now.all--
                now.others -= others
                if (fails) throw new Error('failed')
              }),
            ),
          )
          expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(works.map(({ fails }) => fails))
          expect(most.all).toBeLessThanOrEqual(n)
          expect(most.others).toBeLessThanOrEqual(Math.max(1, Math.min(n - 1, Math.floor(n / 2) + 1)))
        },
      ),
    )
  })
})

test('a receiver has half of its slots free while its requests hold no more than half of what it may have', async () => {
  const slots = new Slots(6)
  slots.keepHalfForProven()
  const running: Promise<unknown>[] = []
  const forever = (owner: SlotOwner) => running.push(slots.run(owner, () => new Promise(() => undefined)))
  forever(unproven(1))
  await turnsOf(10)
  expect([slots.isHalfFree(unproven(1)), slots.isHalfFree(ONE)]).toEqual([true, true])
  forever(unproven(1))
  await turnsOf(10)
  expect([slots.isHalfFree(unproven(1)), slots.isHalfFree(ONE)]).toEqual([false, true])
  for (let n = 0; n < 2; n++) forever(ONE)
  await turnsOf(10)
  expect(slots.isHalfFree(ONE)).toBe(false)
})

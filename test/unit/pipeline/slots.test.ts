import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Slots } from '../../../src/pipeline/slots.ts'

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
    all.push(slots.run(1, () => work(i, w)))
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
      slots.run(1, async () => {
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
    const say = (name: string) => slots.run(1, async () => void order.push(name))
    const gate = Promise.withResolvers<void>()
    const first = slots.run(1, () => gate.promise)
    const waited = say('waited')
    gate.resolve()
    const late = first.then(() => say('late'))
    await Promise.all([waited, late])
    expect(order).toEqual(['waited', 'late'])
  })

  test('are free again after work that throws before its first await', async () => {
    const slots = new Slots(1)
    const failed = slots.run(1, () => {
      throw new Error('at once')
    })
    await expect(failed).rejects.toThrow('at once')
    expect(await slots.run(1, async () => 'next')).toBe('next')
  })

  test('serve two waves of work alike', async () => {
    const slots = new Slots(2)
    const wave = () => Promise.all([1, 2, 3, 4].map((n) => slots.run(1, async () => n)))
    await wave()
    expect(await wave()).toEqual([1, 2, 3, 4])
  })
})

test('an owner whose work hangs does not keep the slots that others wait for', async () => {
  const slots = new Slots(6)
  const hang = () => new Promise<void>(() => undefined)
  for (let i = 0; i < 20; i++) void slots.run(1, hang)
  let served = 0
  await Promise.all(Array.from({ length: 50 }, () => slots.run(2, async () => void served++)))
  expect(served).toBe(50)
})

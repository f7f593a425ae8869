import { describe, expect, it } from 'vitest'
import { eachInTurns, inTurn } from '../../../../src/base/concurrency/in-turn.ts'
import { Yielder } from '../../../../src/base/concurrency/yielder.ts'

/** Notes what begins between two turns of the event loop. */
function turns() {
  const begun: number[] = [0]
  const timer = setInterval(() => begun.push(0), 0)
  return { begun, note: () => begun.push((begun.pop() ?? 0) + 1), end: () => clearInterval(timer) }
}

describe('work in turns', () => {
  it('begins at most twenty before others have their turn, and ends once all are done', async () => {
    const { begun, note, end } = turns()
    let done = 0
    await eachInTurns(Array.from({ length: 105 }), async () => {
      note()
      await Promise.resolve()
      done++
    })
    end()
    expect(done).toBe(105)
    expect(Math.max(...begun)).toBe(20)
  })

  it('rejects as the first of a group does, though later groups were still to begin', async () => {
    let begun = 0
    const work = async (n: number) => {
      begun++
      if (n === 3) throw new Error('third')
    }
    await expect(eachInTurns([1, 2, 3, 4, 5], work, 2)).rejects.toThrow('third')
    expect(begun).toBe(5)
  })

  it('leaves a step of upkeep as long a rest as it took, 50 ms at most', async () => {
    for (const [tookMs, restMs] of [
      [20, 20],
      [400, 50],
    ] as const) {
      let nowMs = 0
      const step = async () => {
        nowMs += tookMs
        return 'done'
      }
      const startedAtMs = performance.now()
      expect(await inTurn(() => nowMs, step)).toBe('done')
      expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(restMs - 2)
    }
  })

  it('works tasks that come side by side one a turn', async () => {
    const yielder = new Yielder()
    const { begun, note, end } = turns()
    function* task() {
      note()
      yield
      note()
    }
    await Promise.all(Array.from({ length: 8 }, () => yielder.work(task())))
    end()
    expect(begun.reduce((sum, n) => sum + n)).toBe(16)
    expect(Math.max(...begun)).toBe(1)
  })
})

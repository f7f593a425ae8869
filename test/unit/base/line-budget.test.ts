import { expect, test } from 'vitest'
import { LineBudget } from '../../../src/base/line-budget.ts'

function budgetOf(perSecondMax: number | null) {
  const clock = { nowMs: 1_700_000_000_000 }
  const logged: [string, object][] = []
  const log = (event: string, fields: object) => void logged.push([event, fields])
  return { clock, logged, budget: new LineBudget(perSecondMax, { log, now: () => clock.nowMs }) }
}

const NONE = { lines: 0, published: 0, delivered: 0, requests: 0, latencySumMs: 0, latencyMaxMs: 0 }

test('a second has as many lines as it may, and the next as many again', () => {
  const { clock, budget } = budgetOf(3)
  const taken = () => [1, 2, 3, 4, 5].map(() => budget.take())
  expect(taken()).toEqual([true, true, true, false, false])
  clock.nowMs += 999
  expect(taken()).toEqual([false, false, false, false, false])
  clock.nowMs += 1
  expect(taken()).toEqual([true, true, true, false, false])
})

test('what was withheld is said once, by the first line of a later second or by a flush', () => {
  const { clock, logged, budget } = budgetOf(1)
  budget.take()
  budget.withhold({ published: 100 })
  budget.withhold({ delivered: 1, latencyMs: 8 })
  budget.withhold({ delivered: 20, latencyMs: 30 })
  clock.nowMs += 1000
  budget.take()
  const sums = { lines: 3, published: 100, delivered: 21, requests: 2, latencySumMs: 38, latencyMaxMs: 30 }
  expect(logged).toEqual([['lines.withheld', sums]])
  budget.withhold({ published: 1 })
  budget.flush()
  budget.flush()
  expect(logged.slice(1)).toEqual([['lines.withheld', { ...NONE, lines: 1, published: 1 }]])
})

test('a clock that is set back holds no line back for longer than a second', () => {
  const { clock, budget } = budgetOf(1)
  budget.take()
  clock.nowMs -= 3_600_000
  expect([budget.take(), budget.take()]).toEqual([true, false])
})

test('no budget withholds nothing', () => {
  const { budget } = budgetOf(null)
  expect(Array.from({ length: 1000 }, () => budget.take())).not.toContain(false)
})

import { expect, test } from 'vitest'
import { RefusalBudget } from '../../../src/audit/refusal-budget.ts'

const MINUTE_MS = 60_000

test('thirty refusals have rows at once, and thirty more a minute; what is left out is counted', () => {
  const budget = new RefusalBudget()
  const taken = (nowMs: number, count: number) =>
    Array.from({ length: count }, () => budget.take('acme', nowMs)).filter((omitted) => omitted !== null)
  expect(taken(0, 100)).toEqual(Array.from({ length: 30 }, () => 0))
  expect(taken(1_000, 5)).toEqual([])
  expect(taken(2_000, 5)).toEqual([75])
  expect(taken(MINUTE_MS * 10, 100)).toHaveLength(30)
})

test('a flood of one chain takes no row of another', () => {
  const budget = new RefusalBudget()
  for (let n = 0; n < 1_000; n++) budget.take('acme', 0)
  expect(budget.take('globex', 0)).toBe(0)
})

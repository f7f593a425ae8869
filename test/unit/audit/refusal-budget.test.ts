import { expect, test } from 'vitest'
import { RefusalBudgets } from '../../../src/audit/refusal-budget.ts'

const MINUTE_MS = 60_000

test('thirty refusals have rows at once, and thirty more a minute; what is left out is counted', () => {
  const budget = new RefusalBudgets()
  const taken = (nowMs: number, count: number) =>
    Array.from({ length: count }, () => budget.take('acme', nowMs)).filter((omitted) => omitted !== null)
  expect(taken(0, 100)).toEqual(Array.from({ length: 30 }, () => 0))
  expect(taken(1_000, 5)).toEqual([])
  expect(taken(2_000, 5)).toEqual([75])
  expect(taken(MINUTE_MS * 10, 100)).toHaveLength(30)
})

test('a flood of one chain takes no row of another', () => {
  const budget = new RefusalBudgets()
  for (let n = 0; n < 1_000; n++) budget.take('acme', 0)
  expect(budget.take('globex', 0)).toBe(0)
})

const takeKey = (budget: RefusalBudgets, keyId: string, nowMs: number) =>
  budget.takeFailedKey('acme', keyId, nowMs)

test('a key that is not valid has a row a minute, which says how often it was tried before', () => {
  const budget = new RefusalBudgets()
  const taken = Array.from({ length: 500 }, (_, n) => takeKey(budget, 'k', n * 100))
  expect(taken.filter((omitted) => omitted !== null)).toEqual([0])
  expect(takeKey(budget, 'k', MINUTE_MS)).toBe(499)
  expect(takeKey(budget, 'k', 2 * MINUTE_MS)).toBe(0)
})

test('all such keys of a workspace have ten rows at once and two a minute, and lose no count', () => {
  const budget = new RefusalBudgets()
  let counted = 0
  let rows = 0
  for (let minute = 0; minute < 60; minute++)
    for (let n = 0; n < 100; n++) {
      const omitted = takeKey(budget, `k${n}`, minute * MINUTE_MS)
      if (omitted === null) continue
      rows++
      counted += 1 + omitted
    }
  expect(rows).toBeLessThanOrEqual(10 + 2 * 60)
  // Of those left out last, the next row would say how many.
  expect(counted + (takeKey(budget, 'k0', 90 * MINUTE_MS) ?? 0)).toBe(6_000)
})

test('a flood of keys that are not valid takes no row of what else is refused', () => {
  const budget = new RefusalBudgets()
  for (let n = 0; n < 1_000; n++) takeKey(budget, `k${n % 50}`, 0)
  expect(budget.take('acme', 0)).toBe(0)
})

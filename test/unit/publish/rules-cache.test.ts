import { expect, test } from 'vitest'
import { RulesCache } from '../../../src/publish/rules-cache.ts'
import { viewOf } from '../match/rule-events.ts'

const textOf = (at: number) => {
  const filters = Array.from({ length: 20 }, (_, i) =>
    Array.from({ length: 120 }, (_, k) => `n != ${at + i + k}`).join(' && '),
  )
  return JSON.stringify({ filters, conditions: null, conditionLogic: 'AND' })
}

test('large rules are compiled while others have their turn, once', async () => {
  const cache = new RulesCache()
  const texts = Array.from({ length: 30 }, (_, at) => textOf(at))
  const turnsWhile = async (work: Promise<void>) => {
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await work
    clearInterval(timer)
    return turns
  }
  expect(await turnsWhile(cache.compileLarge(texts))).toBeGreaterThan(10)
  expect(await turnsWhile(cache.compileLarge(texts))).toBe(0)
  const { rules } = cache.of(texts[0] ?? '')
  expect(rules(viewOf({ object: { n: -1 } })).holds).toBe(true)
  expect(cache.of(texts[0] ?? '').rules).toBe(rules)
})

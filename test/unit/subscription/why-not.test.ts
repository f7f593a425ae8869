import { describe, expect, test } from 'vitest'
import { filtersSchema } from '../../../src/match/filters.ts'
import { type Told, whyNotEach } from '../../../src/subscription/why-not.ts'
import { viewOf } from '../match/rule-events.ts'

const EVENT = { type: 'order.paid', acceptedAtMs: 1000, isTest: false, isDispatch: false }
const VIEW = viewOf({ event: 'order.paid', object: { items: Array(6000).fill(1), kind: 'a' } })

function told(no: number, filters: unknown, updatedAtMs = 500): Told {
  const rules = { filters: filtersSchema.parse(filters), conditions: null, conditionLogic: 'AND' }
  const settings = { events: ['*'], livemode: null, apiVersion: null, rules } as unknown as Told['settings']
  return { no, createdAtMs: 0, updatedAtMs, deletedAtMs: null, settings }
}

describe('the reasons of one answer', () => {
  test('share one budget, and each row still has its own', async () => {
    const refusing = Array.from({ length: 20 }, (_, i) => `items.exists(i, i == ${i + 2} || i == ${i + 30})`)
    const page = Array.from({ length: 40 }, (_, i) => told(i + 1, i % 2 === 0 ? refusing : { kind: 'b' }))
    const refusals = await whyNotEach(EVENT, page, { ...VIEW })
    expect(refusals.size).toBe(40)
    for (const [no, { reason, rules }] of refusals) {
      expect(reason).toBe('refused_by_rules')
      if (no % 2 === 0) expect(rules).toMatchObject([{ rule: 'filters.kind', reason: 'not_satisfied' }])
      else expect(rules).toHaveLength(20)
    }
  })

  test('name the budget of the publish where rules hold that have not changed since', async () => {
    const heavy = ['items.all(i, i == 1)']
    const page = [told(1, heavy), told(2, heavy, 2000), told(3, { kind: 'a' })]
    const refusals = await whyNotEach(EVENT, page, { ...VIEW })
    expect(refusals.get(1)).toMatchObject({
      reason: 'refused_by_rules',
      rules: [{ rule: 'filters', reason: 'too_complex' }],
      explanation: expect.stringMatching(/^filters: the budget of the request is spent/),
    })
    expect([2, 3].map((no) => refusals.get(no)?.reason)).toEqual([
      'subscription_changed_since',
      'subscription_changed_since',
    ])
  })
})

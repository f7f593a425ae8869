import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileComparisons } from '../../../src/match/comparison.ts'
import { conditionsSchema } from '../../../src/match/conditions.ts'
import { containsText } from '../../../src/match/contains-text.ts'
import { filtersSchema } from '../../../src/match/filters.ts'
import { OPERATORS, type Operator, type Scalar } from '../../../src/match/operator.ts'
import { compileRules } from '../../../src/match/rules.ts'
import { STEPS_MAX, StepBudget } from '../../../src/match/step-budget.ts'
import type { EventView } from '../../../src/model/event-view.ts'
import { cpuMsOf } from '../../support/cpu-time.ts'
import { viewOf } from './rule-events.ts'

const name = fc.constantFrom(
  'a',
  'b',
  'items',
  'object',
  'data',
  'event',
  'order',
  '0',
  '__proto__',
  'constructor',
)
const scalar = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'b'),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
)
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('json'), { maxLength: 4 }),
    fc
      .array(fc.tuple(name, tie('json')), { maxLength: 4 })
      .map((members) =>
        JSON.parse(
          `{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
        ),
      ),
  ),
}))
const record = json.filter(
  (value): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
)
const view: fc.Arbitrary<EventView> = fc
  .record({
    data: record,
    context: record,
    event: fc.constantFrom('order.paid', 'sales_order.created', 'constructor', '_.x'),
  })
  .map(viewOf)
const path = fc
  .array(
    name.filter((each) => each !== '__proto__'),
    { minLength: 1, maxLength: 4 },
  )
  .map((names) => names.join('.'))

const list = fc.array(scalar, { minLength: 1, maxLength: 3 })
const ordered = fc.oneof(fc.constantFrom('', 'a', 'b'), fc.integer({ min: -3, max: 3 }))
const operandOf = (operator: Operator): fc.Arbitrary<Scalar | Scalar[]> => {
  if (operator === 'in' || operator === 'nin') return list
  if (operator === 'exists') return fc.boolean()
  if (operator === 'startsWith' || operator === 'endsWith') return fc.constantFrom('', 'a', 'b')
  return /^[gl]t/.test(operator) ? ordered : scalar
}
const condition = fc
  .constantFrom(...OPERATORS)
  .chain((operator) =>
    fc.record({ field: path, operator: fc.constant(operator), value: operandOf(operator) }),
  )
const entry = fc.oneof(
  scalar,
  list,
  condition.map(({ operator, value }) => ({ [operator]: value })),
  fc.record({ min: ordered, max: ordered }),
)
const filters = fc.dictionary(path, entry, { maxKeys: 3 })

test('matching any JSON never throws, and refuses with a rule, a reason and a sentence', () => {
  fc.assert(
    fc.property(
      view,
      filters,
      fc.array(condition, { maxLength: 3 }),
      fc.constantFrom('AND', 'OR'),
      (event, given, conditions, conditionLogic) => {
        const rules = {
          filters: filtersSchema.parse(given),
          conditions: conditionsSchema.parse(conditions),
          conditionLogic,
        } as const
        const verdict = compileRules(rules)(event)
        if (verdict.holds) return
        expect(verdict.refusals.length).toBeGreaterThan(0)
        for (const { rule, reason, message } of verdict.refusals) {
          expect(rule).toMatch(/^(filters\.|conditions\[\d\]$)/)
          expect(['missing', 'wrong_type', 'not_satisfied']).toContain(reason)
          expect(message).toMatch(/^\S.* is .*[^.]$/)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** Whether one operator holds for what is at `v`. */
function holds(operator: Operator, value: Scalar | Scalar[], at: unknown): boolean {
  const rule = compileComparisons('v', [{ operator, value }])
  const event = viewOf({ object: { v: at } })
  const answer = rule.holds(event, new StepBudget())
  expect(rule.explain(event, new StepBudget()) === null).toBe(answer)
  return answer
}

test('ne and nin are the negations of eq and in for everything that is there', () => {
  fc.assert(
    fc.property(json, scalar, list, (at, value, values) => {
      expect(holds('ne', value, at)).toBe(!holds('eq', value, at))
      expect(holds('nin', values, at)).toBe(!holds('in', values, at))
      expect(holds('in', values, at)).toBe(values.some((each) => holds('eq', each, at)))
    }),
    { numRuns: 1000 },
  )
})

test.each([
  ['numbers', fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true }))],
  ['strings', fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string())],
])('on %s, gt is the negation of lte, lt of gte, and gte is gt or eq', (_, values) => {
  fc.assert(
    fc.property(
      values as fc.Arbitrary<string | number>,
      values as fc.Arbitrary<string | number>,
      (at, value) => {
        expect(holds('gt', value, at)).toBe(at > value)
        expect(holds('lte', value, at)).toBe(!holds('gt', value, at))
        expect(holds('lt', value, at)).toBe(!holds('gte', value, at))
        expect(holds('gte', value, at)).toBe(holds('gt', value, at) || holds('eq', value, at))
      },
    ),
  )
})

test('any element of a list is enough, however the list is nested', () => {
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 5 }), condition, (elements, { operator, value }) => {
      fc.pre(!['ne', 'nin', 'contains', 'exists'].includes(operator))
      const expected = elements.some((element) => holds(operator, value, element))
      expect(holds(operator, value, elements)).toBe(expected)
      expect(holds(operator, value, [[elements], []])).toBe(expected)
    }),
    { numRuns: 1000 },
  )
})

test('contains is membership on a list, and a substring of a text', () => {
  fc.assert(
    fc.property(
      fc.array(scalar),
      fc.string(),
      fc.string({ maxLength: 2 }),
      scalar,
      (elements, text, part, value) => {
        expect(holds('contains', value, elements)).toBe(elements.some((element) => element === value))
        expect(holds('contains', part, text)).toBe(text.includes(part))
      },
    ),
  )
})

test('exists: true and exists: false are opposites on any event', () => {
  fc.assert(
    fc.property(view, path, (event, field) => {
      const [yes, no] = [true, false].map((value) => {
        const rule = compileComparisons(field, [{ operator: 'exists', value }])
        return rule.holds(event, new StepBudget())
      })
      expect(yes).toBe(!no)
    }),
  )
})

test('what is deep is found, and what is deeper than the stack is refused, not thrown', () => {
  const nest = (depth: number) => JSON.parse(`${'['.repeat(depth)}"x"${']'.repeat(depth)}`)
  const verdict = (field: string, object: unknown) =>
    compileRules({ filters: { [field]: 'x' }, conditions: null, conditionLogic: 'AND' })(viewOf({ object }))
  expect(verdict('v', { v: nest(120) })).toEqual({ holds: true })
  expect(verdict(`v${'.v'.repeat(31)}`, JSON.parse(`${'{"v":'.repeat(32)}"x"${'}'.repeat(32)}`))).toEqual({
    holds: true,
  })
  expect(verdict('v', { v: nest(90_000) })).toEqual({ holds: true })
  expect(verdict('v.w', { v: nest(90_000) })).toMatchObject({
    refusals: [{ reason: expect.stringMatching(/failed|missing/) }],
  })
})

test('a huge list is searched up to the bound, and refused beyond it', () => {
  const verdict = (length: number) => {
    const rules = { filters: { v: 'x' }, conditions: null, conditionLogic: 'AND' } as const
    return compileRules(rules)(viewOf({ object: { v: [...Array(length).fill('y'), 'x'] } }))
  }
  expect(verdict(STEPS_MAX - 20)).toEqual({ holds: true })
  expect(verdict(STEPS_MAX)).toMatchObject({ refusals: [{ rule: 'filters.v', reason: 'too_complex' }] })
})

test('searching a text agrees with the engine’s own search, above all in texts that repeat themselves', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(
      word,
      word,
      word,
      fc.integer({ min: 130, max: 300 }),
      fc.nat(3),
      (unit, tail, end, times, more) => {
        const needle = unit.repeat(times) + tail
        const text = (end + unit.repeat(times + more)).repeat(20) + end
        expect(containsText(text, needle)).toBe(text.includes(needle))
        expect(containsText(text + needle, needle)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

test('searching takes no more than linear time', () => {
  const tookMs = cpuMsOf(() => {
    const needle = `${'a'.repeat(300)}b${'a'.repeat(100_000)}`
    expect(containsText('a'.repeat(1_000_000), needle)).toBe(false)
  })
  expect(tookMs).toBeLessThan(2000)
})

import { describe, expect, test } from 'vitest'
import { conditionsSchema } from '../../../src/match/conditions.ts'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileMatcher } from '../../../src/match/matcher.ts'
import { compileRules } from '../../../src/match/rules.ts'
import { SharedSteps } from '../../../src/match/shared-steps.ts'
import { STEPS_ALWAYS, STEPS_MAX } from '../../../src/match/step-budget.ts'
import { requiredValues } from '../../../src/match/value-index.ts'
import type { EventView } from '../../../src/model/event-view.ts'
import { viewOf } from './rule-events.ts'

const rulesOf = (filters: unknown, conditions: unknown = []) => ({
  filters: filtersSchema.parse(filters),
  conditions: conditionsSchema.parse(conditions),
  conditionLogic: 'AND' as const,
})

/** The verdict of rules about an event that nothing has looked at yet, and the steps it walked and counted. */
function verdictOf(filters: unknown, view: EventView, conditions: unknown = []) {
  const shared = new SharedSteps(10 * STEPS_MAX)
  const verdict = compileRules(rulesOf(filters, conditions))({ ...view }, shared)
  const spent = { walked: 10 * STEPS_MAX - shared.left, counted: shared.counted }
  const reasons = verdict.holds ? [] : verdict.refusals.map(({ reason }) => reason)
  return { holds: verdict.holds, ...spent, reasons }
}

const nested = (depth: number): unknown => (depth === 0 ? { z: 1 } : { a: nested(depth - 1) })
const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

describe('a path is paid for by all that it visits', () => {
  const view = viewOf({ data: { items: repeated(1000, nested(28)) } })
  const deep = `items.${'a.'.repeat(28)}`

  test('in filters and conditions: elements, and each name that is applied to one', () => {
    const { counted } = verdictOf({ [`${deep}z`]: 1 }, view)
    expect(counted).toBeGreaterThan(2 * 28 * 1000)
    expect(counted).toBeLessThan(2 * 30 * 1000)
  })

  test('rules that walk too much are too complex, whether the path leads anywhere or not', () => {
    const many = Array.from({ length: 50 }, (_, i) => [`${deep}p${i}`, { exists: false }])
    const { holds, walked, reasons } = verdictOf(Object.fromEntries(many), view)
    expect([holds, reasons.at(-1)]).toEqual([false, 'too_complex'])
    expect(walked).toBeLessThan(STEPS_MAX + 30)
  })

  test('lists in lists are walked element by element', () => {
    const lists = viewOf({ data: { items: repeated(400, repeated(400, repeated(2, { a: 1 }))) } })
    expect(verdictOf({ 'items.a': 2 }, lists)).toMatchObject({ holds: false, reasons: ['too_complex'] })
  })

  test('the same path costs a subscription the same, whoever walked it before', () => {
    const shared = new SharedSteps(10 * STEPS_MAX)
    const rules = compileRules(rulesOf({ [`${deep}z`]: 1 }))
    const [first, again] = [rules(view, shared), shared.counted, rules(view, shared)].filter(
      (each) => typeof each !== 'number',
    )
    expect(first).toEqual(again)
    const counted = shared.counted / 2
    expect(counted).toBe(verdictOf({ [`${deep}z`]: 1 }, view).counted)
    expect(10 * STEPS_MAX - shared.left).toBeLessThan(1.1 * counted)
  })

  test('an index of required values looks at few elements, and leaves the others to the rules', () => {
    const subscriptions = Array.from({ length: 100 }, (_, i) => {
      const rules = rulesOf({ [`${deep}k${i}`]: 'x' })
      const narrowed = { livemode: null, apiVersion: null, rules: compileRules(rules) }
      return {
        no: i + 1,
        active: true,
        events: ['*'],
        narrowed: { ...narrowed, required: requiredValues(rules) },
      }
    })
    const shared = new SharedSteps(200_000)
    const event = { type: 'invoice.created', livemode: true, apiVersion: 'v1', view: () => view }
    expect(compileMatcher(subscriptions)(event, shared)).toEqual([])
    expect(shared.left).toBeGreaterThan(-100 * (STEPS_ALWAYS + 2 * 1000))
    expect(shared.refused).toBeGreaterThan(90)
  })
})

const TEXT = 'aA'.repeat(500_000)
const items = repeated(20_000, 1)

describe('an expression pays for the characters and elements that its functions touch', () => {
  test.each([
    ['lowerAscii of a long text', 'items.exists(i, s.lowerAscii() == "x")', { s: TEXT, items }],
    ['upperAscii', 'items.exists(i, s.upperAscii() == "x")', { s: TEXT, items }],
    ['an order of long texts', 'items.exists(i, a > b)', { a: TEXT, b: `${TEXT}`, items }],
    [
      'equality of long texts',
      'items.exists(i, a == b && a != b)',
      { a: TEXT, b: `A${TEXT}`.slice(1), items },
    ],
    ['a member whose name is long', 'items.exists(i, s in o)', { s: TEXT, o: { a: 1 }, items }],
    [
      'in a list of long texts',
      'items.exists(i, !(s in l))',
      { s: TEXT, l: repeated(50, `${TEXT} `.trim()), items },
    ],
    ['size of a long text', 'items.exists(i, size(s) == 1)', { s: TEXT, items }],
    [
      'a prefix as long as the text',
      'items.exists(i, a.startsWith(b) && !a.endsWith(b))',
      { a: TEXT, b: TEXT.slice(1), items },
    ],
    ['trim', 'items.exists(i, s.trim() == "x")', { s: ' '.repeat(1_000_000), items }],
    ['a long needle', 'items.exists(i, s.contains(n))', { s: TEXT, n: `${'a'.repeat(500)}b`, items }],
  ])('%s', (_, filter, object) => {
    const { holds, walked, reasons } = verdictOf([filter], viewOf({ object }))
    expect([holds, reasons]).toEqual([false, ['too_complex']])
    expect(walked).toBeLessThan(STEPS_MAX + 10)
  })

  test('short texts cost no more than their comparison', () => {
    const short = viewOf({ object: { items: repeated(1000, { name: 'Otto' }) } })
    expect(verdictOf(['items.exists(i, i.name == "Anna")'], short).counted).toBeLessThan(5100)
    expect(verdictOf(['items.exists(i, i.name.lowerAscii() == "anna")'], short).counted).toBeLessThan(15_000)
  })

  test('a part of an "or" that is not reached costs nothing', () => {
    const parts = Array.from({ length: 150 }, (_, i) => `n == ${i}`).join(' || ')
    const [reached, missed] = [0, 200].map((n) => verdictOf([parts], viewOf({ object: { n } })).counted)
    expect(reached).toBeLessThan(400)
    expect(missed).toBeGreaterThan(150 * 8)
  })
})

describe('steps that many subscriptions share', () => {
  const heavy = rulesOf(['items.all(i, i == 1)'])
  const light = rulesOf({ kind: 'big', 'order.total': { min: 3 } })
  const view = () => viewOf({ object: { items, kind: 'big', total: 5 }, event: 'order.paid' })
  const subscribed = (all: readonly ReturnType<typeof rulesOf>[]) =>
    compileMatcher(
      all.map((rules, i) => ({
        no: i + 1,
        active: true,
        events: ['*'],
        narrowed: { livemode: null, apiVersion: null, rules: compileRules(rules) },
      })),
    )
  const event = { type: 'order.paid', livemode: true, apiVersion: 'v1', view }

  test('suffice for the first ones and for all simple ones; the others are too complex', () => {
    const matcher = subscribed([heavy, heavy, light, heavy, light])
    expect(matcher(event)).toEqual([1, 2, 3, 4, 5])
    const shared = new SharedSteps(100_000)
    expect(matcher(event, shared)).toEqual([1, 3, 5])
    expect(shared.refused).toBe(2)
  })

  test('are what a verdict names as its reason', () => {
    const verdict = compileRules(heavy)(view(), new SharedSteps(1000))
    expect(verdict).toMatchObject({
      holds: false,
      refusals: [
        {
          rule: 'filters[0]',
          reason: 'too_complex',
          message: expect.stringMatching(/of the request is spent/),
        },
      ],
    })
  })

  test('bound a thousand subscriptions to what is left and what each always has', () => {
    const shared = new SharedSteps(1_000_000)
    subscribed(repeated(1000, heavy))(event, shared)
    expect(shared.left).toBeGreaterThan(-1000 * 2 * STEPS_ALWAYS - STEPS_MAX)
  })

  test('bound the explanations of all refusals too, of which each still gives a reason', () => {
    const filters = Array.from({ length: 20 }, (_, i) => `items.exists(i, i == ${i + 2})`)
    const shared = new SharedSteps(2 * STEPS_MAX)
    const verdict = compileRules(rulesOf(filters))(view(), shared)
    const reasons = verdict.holds ? [] : verdict.refusals.map(({ reason }) => reason)
    expect(reasons).toHaveLength(20)
    expect(shared.left).toBeGreaterThan(-50 * 2 * STEPS_ALWAYS - STEPS_MAX)
  })
})

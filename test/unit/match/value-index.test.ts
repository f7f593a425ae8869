import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileMatcher, type Matchable } from '../../../src/match/matcher.ts'
import { compileRules, type Rules } from '../../../src/match/rules.ts'
import { requiredValues } from '../../../src/match/value-index.ts'
import { resourceAliases } from '../../../src/model/event-view.ts'
import { viewOf } from './rule-events.ts'

const scalar = fc.constantFrom('a', 'b', 'c', '', 0, -0, 1, true, false, null)
const scalars = fc.array(scalar, { minLength: 1, maxLength: 4 })
const path = fc.constantFrom(
  'a',
  'b',
  'a.b',
  'data.a',
  'order.a',
  'sales_order.b',
  'data.object.a',
  'a.0',
  'context.a',
  'event',
)
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.record({ a: tie('json'), b: tie('json') }, { requiredKeys: [] }),
  ),
}))
const object = fc.record({ a: json, b: json }, { requiredKeys: [] })
const comparison = fc.oneof(
  fc.record({ operator: fc.constantFrom('eq' as const, 'ne' as const), value: scalar }),
  fc.record({ operator: fc.constantFrom('in' as const, 'nin' as const), value: scalars }),
  fc.record({ operator: fc.constantFrom('exists' as const), value: fc.boolean() }),
)
const anyRules: fc.Arbitrary<Rules> = fc.record({
  filters: fc.option(
    fc.dictionary(
      path,
      fc.oneof(
        scalar,
        scalars,
        comparison.map(({ operator, value }) => ({ [operator]: value })),
      ),
      { maxKeys: 3 },
    ),
  ),
  conditions: fc.option(
    fc.array(
      fc.tuple(path, comparison).map(([field, each]) => ({ field, ...each })),
      { maxLength: 3 },
    ),
  ),
  conditionLogic: fc.constantFrom('AND', 'OR'),
})
const anySubscriptions = fc.array(
  fc.record({
    active: fc.boolean(),
    events: fc.subarray(['*', 'sales_order.*', 'sales_order.paid', 'other'], { minLength: 1 }),
    rules: fc.option(anyRules, { freq: 4 }),
  }),
  { maxLength: 12 },
)
const anyEvent = fc.record({
  data: fc.oneof(
    object,
    object.map((each) => ({ object: each })),
  ),
  context: object,
})

function matchables(
  subscriptions: readonly { active: boolean; events: string[]; rules: Rules | null }[],
): Matchable[] {
  return subscriptions.map(({ active, events, rules }, at) => {
    const narrowed = rules && {
      livemode: null,
      apiVersion: null,
      rules: compileRules(rules),
      required: requiredValues(rules),
    }
    return { no: at + 1, active, events, narrowed }
  })
}

/** The same subscriptions, none of which is found by its values. */
function asked(subscriptions: readonly Matchable[]): Matchable[] {
  return subscriptions.map(({ narrowed, ...rest }) => ({
    ...rest,
    narrowed: narrowed && {
      livemode: narrowed.livemode,
      apiVersion: narrowed.apiVersion,
      rules: narrowed.rules,
    },
  }))
}

describe('finding subscriptions by the values they require', () => {
  test('answers what asking every one of them would', () => {
    let found = 0
    fc.assert(
      fc.property(
        anySubscriptions,
        fc.array(anyEvent, { minLength: 1, maxLength: 4 }),
        (subscriptions, events) => {
          const indexed = matchables(subscriptions)
          const matchers = [compileMatcher(indexed), compileMatcher(asked(indexed))]
          for (const parts of events) {
            const [some, all] = matchers.map((matcher) =>
              matcher({
                type: 'sales_order.paid',
                livemode: true,
                apiVersion: 'v1',
                view: () => viewOf({ event: 'sales_order.paid', ...parts }),
              }),
            )
            expect(some).toEqual(all)
            found += subscriptions.length > 0 && (some?.length ?? 0) > 0 ? 1 : 0
          }
        },
      ),
      { numRuns: 3_000 },
    )
    expect(found).toBeGreaterThan(1_000)
  })

  test('asks only those whose values the event has', () => {
    const names: string[] = []
    const subscriptions = ['a', 'b', 'c'].map((value, at): Matchable => {
      const rules: Rules = {
        filters: { 'customer.tags': [value], status: 'paid' },
        conditions: null,
        conditionLogic: 'AND',
      }
      const compiled = compileRules(rules)
      const counted: typeof compiled = (view) => {
        names.push(value)
        return compiled(view)
      }
      const narrowed = { livemode: null, apiVersion: null, rules: counted, required: requiredValues(rules) }
      return { no: at + 1, active: true, events: ['order.paid'], narrowed }
    })
    const view = viewOf({ event: 'order.paid', object: { status: 'paid', customer: { tags: ['x', ['b']] } } })
    const matched = compileMatcher(subscriptions)({
      type: 'order.paid',
      livemode: true,
      apiVersion: 'v1',
      view: () => view,
    })
    expect(matched).toEqual([2])
    expect(names).toEqual(['b'])
  })

  test('an event with a long list is matched all the same', () => {
    const rules: Rules = { filters: { tags: 'last' }, conditions: null, conditionLogic: 'AND' }
    const matcher = compileMatcher(matchables([{ active: true, events: ['*'], rules }]))
    const tags = [...Array.from({ length: 5_000 }, (_, at) => `tag_${at}`), 'last']
    const view = viewOf({ event: 'order.paid', object: { tags } })
    expect(matcher({ type: 'order.paid', livemode: true, apiVersion: 'v1', view: () => view })).toEqual([1])
  })
})

test('a path may begin with the names of the resource, and with nothing else of the type', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '_', '-'), minLength: 1, maxLength: 4 })
  const type = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'))
  const anyName = fc.string({ unit: fc.constantFrom('a', 'b', '_', '-', '.'), maxLength: 5 })
  fc.assert(
    fc.property(type, anyName, (event, name) => {
      const rules: Rules = {
        filters: null,
        conditions: [{ field: `${name}.here`, operator: 'eq', value: 1 }],
        conditionLogic: 'AND',
      }
      fc.pre(!name.includes('.') && name !== '')
      const holds = compileRules(rules)(viewOf({ event, object: { here: 1 } })).holds
      expect(holds).toBe(resourceAliases(event).includes(name))
    }),
    { numRuns: 3_000 },
  )
})

import { describe, expect, test } from 'vitest'
import { atOnce } from '../../../src/base/concurrency/yielder.ts'
import { readImport } from '../../../src/catalogue/openapi-import.ts'
import { conditionsSchema } from '../../../src/match/conditions.ts'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileRules } from '../../../src/match/rules.ts'
import { SharedSteps } from '../../../src/match/shared-steps.ts'
import { STEPS_ALWAYS, STEPS_MAX } from '../../../src/match/step-budget.ts'
import { ORDER_KEY_STEPS_MAX, orderKeyOf } from '../../../src/pacing/order-key.ts'
import { SharedWork } from '../../../src/shape/liquid/budget.ts'
import { compileTransform, transformSchema } from '../../../src/shape/transform.ts'
import { viewOf } from './rule-events.ts'

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))
const nested = (depth: number): unknown => (depth === 0 ? { z: 1 } : { a: nested(depth - 1) })

type Given = {
  filters?: unknown
  conditions?: unknown
  logic?: 'AND' | 'OR'
  object: unknown
  among?: number
}

/** The steps that subscriptions of the same rules walk for one event, and the first one's reasons. */
function costOf({ filters = {}, conditions = [], logic = 'AND', object, among = 1 }: Given) {
  const rules = compileRules({
    filters: filtersSchema.parse(filters),
    conditions: conditionsSchema.parse(conditions),
    conditionLogic: logic,
  })
  const view = viewOf({ object })
  const steps = 2 * STEPS_MAX
  const shared = new SharedSteps(steps)
  const [first] = times(among, () => rules(view, shared))
  const walked = steps - shared.left
  return { walked, reasons: first?.holds === false ? first.refusals.map(({ reason }) => reason) : [] }
}

const TOO_COMPLEX = expect.arrayContaining(['too_complex'])

describe('no more steps are walked than a budget has', () => {
  test.each<[string, Given]>([
    [
      'operators over lists in lists in lists',
      {
        filters: Object.fromEntries(times(50, (i) => [`items.k${i % 2}`, { gt: i, lt: i, ne: 3 }])),
        object: { items: times(60, () => times(60, () => times(20, (i) => ({ k0: i, k1: i })))) },
      },
    ],
    [
      'alternatives of fifty conditions, each on a path of its own',
      {
        conditions: times(50, (i) => ({
          field: `items.${'a.'.repeat(i % 25)}q${i}`,
          operator: 'eq',
          value: i,
        })),
        logic: 'OR',
        object: { items: times(2000, () => nested(28)) },
      },
    ],
    [
      'conditions that search a long text for needles of a thousand characters',
      {
        conditions: times(50, (i) => ({
          field: 't',
          operator: 'contains',
          value: `${'a'.repeat(990)}${i}b`,
        })),
        logic: 'OR',
        object: { t: 'a'.repeat(400_000) },
      },
    ],
    [
      'in with a list of long texts for each element',
      {
        filters: ['items.exists(i, i in l)'],
        object: {
          items: times(3000, (i) => `${'p'.repeat(2000)}${i}`),
          l: times(200, (i) => `${'p'.repeat(2000)}${9000 + i}`),
        },
      },
    ],
    [
      'chains of text functions, such as stand in for regular expressions',
      {
        filters: [
          'items.exists(i, i.trim().lowerAscii().contains("zz") || i.upperAscii().endsWith("Q") || size(i) == 1)',
        ],
        object: { items: times(5000, (i) => `É${'abc'.repeat(100)}${i}`) },
      },
    ],
    [
      'filters and maps of a long list, one after the other',
      {
        filters: ['items.filter(i, i > 0).map(i, i * 2).filter(i, i > 0).map(i, i + 1).size() == 1'],
        object: { items: times(20_000, (i) => i) },
      },
    ],
    [
      'equality of large objects for each element',
      {
        filters: ['items.exists(i, a == b && i == 1)'],
        object: {
          items: times(1000, () => 0),
          a: Object.fromEntries(times(2000, (i) => [`k${i}`, { v: i }])),
          b: Object.fromEntries(times(2000, (i) => [`k${i}`, { v: i }])),
        },
      },
    ],
  ])('%s', (_, given) => {
    const { walked, reasons } = costOf(given)
    expect(reasons).toEqual(TOO_COMPLEX)
    expect(walked).toBeLessThanOrEqual(STEPS_MAX + 10)
    const many = costOf({ ...given, among: 100 })
    expect(many.walked).toBeLessThanOrEqual(2 * STEPS_MAX + 100 * (STEPS_ALWAYS + 10) + STEPS_MAX)
  })

  test('long alternations of twenty expressions are within it, and counted for each subscription', () => {
    const filters = times(20, () => times(120, (k) => `n != ${k}`).join(' && '))
    const { walked, reasons } = costOf({ filters, object: { n: -1 } })
    expect(reasons).toEqual([])
    expect(walked).toBeGreaterThan(20 * 120 * 3)
    expect(walked).toBeLessThan(20 * 120 * 10)
  })

  test('ordering keys below long lists are empty, and those of short ones are found', () => {
    const view = viewOf({ object: { items: times(5000, () => nested(28)), customer: { id: 'c1' } } })
    const walked: number[] = []
    const keys = ['items.a.a.a.z', 'data', 'customer.id', 'items.0.a'].map((path) =>
      orderKeyOf(view, path, (walk) => {
        const shared = new SharedSteps()
        const before = shared.left
        const key = shared.walk(ORDER_KEY_STEPS_MAX, walk)
        walked.push(before - shared.left)
        return key
      }),
    )
    expect(keys).toEqual(['', '', '"c1"', expect.stringMatching(/^\{"a":/)])
    expect(Math.max(...walked)).toBeLessThanOrEqual(ORDER_KEY_STEPS_MAX)
  })

  test('a template of filters over a deep list, and a batch of its renderings', () => {
    const template = times(
      40,
      () => '{{ data.items | where: "a.b", 1 | map: "a.c" | sort | join: "," | size }}',
    )
    const transform = compileTransform(transformSchema.parse({ template: { x: template.join('') } }))
    const data = { items: times(2000, (i) => ({ a: { b: i % 3, c: { d: { e: i } } } })) }
    const input = { text: JSON.stringify({ id: 'e', event: 'a', timestamp: '', data, context: {} }) }
    const shared = new SharedWork(30_000_000)
    const results = times(10, () => transform(input, shared))
    expect(results.at(-1)).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^must do less work/),
    })
    expect(shared.left).toBeGreaterThan(-10 * 3_000_000)
  })

  test('schemas of one import that each take almost what a check may', () => {
    const node = { type: 'object', properties: { n: { oneOf: times(3, () => ({ $ref: '#/$defs/n' })) } } }
    const value = (depth: number): unknown => (depth === 0 ? {} : { n: value(depth - 1) })
    const type = { schema: { $defs: { n: node }, $ref: '#/$defs/n' }, example: value(8) }
    const body = { eventTypes: times(200, (i) => ({ name: `t.n${i}`, ...type })) }
    const result = atOnce(readImport(body, JSON.stringify(body)))
    const refused = result.kind === 'invalid' ? result.error.issues : []
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused.map(({ message }) => message)).size).toBeLessThan(3)
  })
})

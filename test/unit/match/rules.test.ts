import { describe, expect, test } from 'vitest'
import { conditionLogicSchema, conditionsSchema } from '../../../src/match/conditions.ts'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileRules, type Rules, storedRulesSchema } from '../../../src/match/rules.ts'
import type { EventView } from '../../../src/model/event-view.ts'
import { seedView, viewOf } from './rule-events.ts'

/** Validated, stored and read again, as a subscription's rules are. */
function rulesOf(given: { filters?: unknown; conditions?: unknown; conditionLogic?: unknown }): Rules {
  const saved = {
    filters: given.filters === undefined ? null : filtersSchema.parse(given.filters),
    conditions: given.conditions === undefined ? null : conditionsSchema.parse(given.conditions),
    conditionLogic: conditionLogicSchema.parse(given.conditionLogic ?? 'AND'),
  }
  return storedRulesSchema.parse(JSON.parse(JSON.stringify(saved)))
}
const verdict = (given: Parameters<typeof rulesOf>[0], view: EventView) => compileRules(rulesOf(given))(view)

const VIP = { customer: { tags: ['vip'] } }
const SOFTWARE = { items: [{ category: 'hardware' }, { category: 'software' }] }
const order = (object: Record<string, unknown>) => viewOf({ event: 'sales_order.created', object })

describe('every filter and condition of the seeds, to the letter', () => {
  const seed002Filters = '{"customer.tags": ["vip", "enterprise"], "invoice.total": {"min": 1000.00}}'
  const seed002Conditions =
    '{"conditions": [{"field": "data.object.total", "operator": "gt", "value": 1000.00}, {"field": "data.object.customer.tags", "operator": "contains", "value": "vip"}], "conditionLogic": "AND"}'
  const seed004 = '{"filters": ["order.total > 100", "order.status != \\"draft\\""]}'
  test.each<[string, string, EventView, EventView, string[]]>([
    [
      'seed 001, with filters',
      '{"filters": {"status": "published"}}',
      seedView('seed 001, standard format', { status: 'published' }),
      seedView('seed 001, standard format', { status: 'draft' }),
      ['status is "draft", which is not "published"'],
    ],
    [
      'seed 001, with filters, published flat',
      '{"filters": {"status": "published"}}',
      viewOf({ event: 'post.created', data: { id: 1, status: 'published' } }),
      viewOf({ event: 'post.created', data: { id: 1 } }),
      ['status is missing'],
    ],
    [
      'seed 002, by customer',
      `{"filters": ${seed002Filters}}`,
      seedView('seed 002, invoice.created', VIP),
      seedView('seed 002, invoice.created', { ...VIP, total: 250 }),
      ['invoice.total is 250, which is less than 1000'],
    ],
    [
      'seed 002, by customer, of another resource',
      `{"filters": ${seed002Filters}}`,
      seedView('seed 002, payment.received', { ...VIP, invoice: { total: 1000 } }),
      seedView('seed 002, payment.received'),
      ['customer.tags is missing', 'invoice.total is missing'],
    ],
    [
      'seed 002, by amount',
      '{"filters": {"payment.amount": {"min": 5000.00}}}',
      seedView('seed 002, payment.received', { amount: 5000 }),
      seedView('seed 002, payment.received'),
      ['payment.amount is 2567.5, which is less than 5000'],
    ],
    [
      'seed 002, by product',
      '{"filters": {"invoice.items.category": ["software", "licenses"]}}',
      seedView('seed 002, invoice.created', SOFTWARE),
      seedView('seed 002, invoice.created', { items: [{ category: 'hardware' }, { category: 'services' }] }),
      ['invoice.items.category is a list of 2 elements, none of which is one of "software", "licenses"'],
    ],
    [
      'seed 002, conditional',
      seed002Conditions,
      seedView('seed 002, invoice.created', { customer: { tags: ['new', 'vip'] } }),
      seedView('seed 002, invoice.created', { total: 1000, customer: { tags: ['new', 'vips'] } }),
      [
        'data.object.total is 1000, which is not greater than 1000',
        'data.object.customer.tags is a list of 2 elements, which does not contain "vip"',
      ],
    ],
    [
      'seed 002, conditional, on the example as it stands',
      seed002Conditions.replace('AND', 'OR'),
      seedView('seed 002, invoice.created'),
      seedView('seed 002, invoice.created', { total: '1000000' }),
      ['data.object.total is "1000000", where a number is expected', 'data.object.customer.tags is missing'],
    ],
    [
      'seed 004, an order',
      seed004,
      order({ id: 1, total: 100.5, status: 'open' }),
      order({ id: 1, total: 100, status: 'draft' }),
      [
        'order.total > 100 is false: order.total is 100',
        'order.status != "draft" is false: order.status is "draft"',
      ],
    ],
    [
      'seed 004, a payment',
      seed004,
      viewOf({ event: 'payment.received', object: { order: { total: 101, status: 'open' } } }),
      seedView('seed 002, payment.received'),
      [
        'order.total > 100 does not hold: order.total is missing',
        'order.status != "draft" does not hold: order.status is missing',
      ],
    ],
  ])('%s', (_, text, wanted, unwanted, messages) => {
    const given = JSON.parse(text)
    expect(verdict(given, wanted)).toEqual({ holds: true })
    const refused = verdict(given, unwanted)
    expect(refused.holds || refused.refusals.map(({ message }) => message)).toEqual(messages)
  })
})

describe('filters and conditions together', () => {
  const filters = { status: 'paid' }
  const conditions = [
    { field: 'total', operator: 'gt', value: 10 },
    { field: 'currency', operator: 'eq', value: 'MYR' },
  ]
  const refusedBy = (given: Parameters<typeof rulesOf>[0], object: unknown) => {
    const result = verdict(given, viewOf({ object }))
    return result.holds ? 'holds' : result.refusals.map(({ rule, reason }) => `${rule} ${reason}`)
  }

  test.each([
    ['all hold', 'AND', { status: 'paid', total: 11, currency: 'MYR' }, 'holds'],
    [
      'one condition fails',
      'AND',
      { status: 'paid', total: 11, currency: 'EUR' },
      ['conditions[1] not_satisfied'],
    ],
    ['the filter fails', 'AND', { total: 11, currency: 'MYR' }, ['filters.status missing']],
    [
      'all fail, and all are told',
      'AND',
      { status: 1, total: '11' },
      ['filters.status wrong_type', 'conditions[0] wrong_type', 'conditions[1] missing'],
    ],
    ['one condition is enough', 'OR', { status: 'paid', currency: 'MYR' }, 'holds'],
    [
      'a condition does not make up for a filter',
      'OR',
      { status: 'sent', total: 11 },
      ['filters.status not_satisfied'],
    ],
    [
      'no condition holds, and all are told',
      'OR',
      { status: 'paid', total: 1, currency: 'EUR' },
      ['conditions[0] not_satisfied', 'conditions[1] not_satisfied'],
    ],
  ])('%s (%s)', (_, conditionLogic, object, expected) => {
    expect(refusedBy({ filters, conditions, conditionLogic }, object)).toEqual(expected)
  })

  test.each([
    ['none', {}],
    ['no conditions, joined by OR', { conditions: [], conditionLogic: 'OR' }],
    ['no filters', { filters: {} }],
    ['no expressions', { filters: [] }],
  ])('without rules everything passes: %s', (_, given) => {
    expect(verdict(given, viewOf())).toEqual({ holds: true })
  })
})

describe('stored rules', () => {
  test('that say nothing hold for every event', () => {
    expect(storedRulesSchema.parse({})).toEqual({ filters: null, conditions: null, conditionLogic: 'AND' })
  })

  test.each<[string, unknown, string, string]>([
    ['an expression', { filters: ['true', 'order.total >'] }, 'filters[1]', 'it ends where'],
    ['an expression that is none', { filters: [5] }, 'filters[0]', 'must be a CEL expression'],
    [
      'an expression too long',
      { filters: [`true${' '.repeat(2000)}`] },
      'filters[0]',
      'must be a CEL expression',
    ],
    ['an entry', { filters: { total: { least: 5 } } }, 'filters.total', 'least must be one of min, max, eq'],
    ['a path', { filters: { 'a..b': 5 } }, 'filters.a..b', 'must be a path'],
    ['filters', { filters: 'total > 5' }, 'filters', 'must be an object or a list'],
    [
      'a condition’s operator',
      { conditions: [{ field: 'total', operator: 'above', value: 5 }] },
      'conditions[0]',
      'operator must be one of',
    ],
    [
      'a condition’s value',
      { conditions: [{ field: 'total', operator: 'gt', value: [] }] },
      'conditions[0]',
      'value must be a number',
    ],
    ['a condition that is none', { conditions: [null] }, 'conditions[0]', 'must be an object'],
  ])('that no longer compile never hold: %s', (_, stored, rule, message) => {
    const compiled = compileRules({
      filters: null,
      conditions: null,
      conditionLogic: 'AND',
      ...(stored as object),
    })
    const result = compiled(viewOf({ object: { total: 6 } }))
    expect(result.holds || result.refusals).toEqual([
      { rule, reason: 'not_compiled', message: expect.stringContaining(message) },
    ])
  })
})

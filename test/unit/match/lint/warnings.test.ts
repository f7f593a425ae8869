import { describe, expect, test } from 'vitest'
import { ruleWarnings, WARNINGS_MAX } from '../../../../src/match/lint/warnings.ts'
import { type Given, warningsOf } from './warnings-of.ts'

const total = (operator: string, value: unknown) => ({ field: 'invoice.total', operator, value })

describe('the seeds’ own rules', () => {
  test('seed 002’s filter by customer reads an invoice for payments too, and is told so', () => {
    const filters = { 'customer.tags': ['vip', 'enterprise'], 'invoice.total': { min: 1000 } }
    expect(warningsOf({ filters }, ['invoice.created', 'payment.received'])).toEqual([
      'filters.invoice.total: invoice.total reads the resource of invoice.created: for payment.received it only holds when the payload has a member "invoice"',
    ])
  })

  test('seed 004’s filters read an order for payments too, and are told so', () => {
    const filters = ['order.total > 100', 'order.status != "draft"']
    const events = ['sales_order.created', 'sales_order.updated', 'sales_order.cancelled', 'payment.received']
    const owners = 'sales_order.created, sales_order.updated, sales_order.cancelled'
    const end = 'for payment.received it only holds when the payload has a member "order"'
    expect(warningsOf({ filters }, events)).toEqual([
      `filters[0]: order.total reads the resource of ${owners}: ${end}`,
      `filters[1]: order.status reads the resource of ${owners}: ${end}`,
    ])
  })

  test.each<[string, Given, string[]]>([
    ['seed 001', { filters: { status: 'published' } }, ['post.*']],
    ['seed 002, by amount', { filters: { 'payment.amount': { min: 5000 } } }, ['payment.received']],
    [
      'seed 002, by product',
      { filters: { 'invoice.items.category': ['software', 'licenses'] } },
      ['invoice.created'],
    ],
    [
      'seed 002, conditional',
      {
        conditions: [
          { field: 'data.object.total', operator: 'gt', value: 1000 },
          { field: 'data.object.customer.tags', operator: 'contains', value: 'vip' },
        ],
      },
      ['invoice.created'],
    ],
  ])('nothing is wrong with %s', (_, given, events) => {
    expect(warningsOf(given, events)).toEqual([])
  })
})

describe('contradictions', () => {
  const is = (message: string) => [`filters.v: can never hold: v ${message}`]
  test.each<[unknown, string]>([
    [{ min: 5, max: 4 }, 'must be at least 5 and at most 4'],
    [{ gt: 5, lt: 5 }, 'must be greater than 5 and less than 5'],
    [{ gt: 5, max: 5 }, 'must be greater than 5 and at most 5'],
    [{ gte: 'b', lt: 'b' }, 'must be at least "b" and less than "b"'],
    [{ min: 5, max: 'x' }, 'must be both a number and a string'],
    [{ eq: 5, ne: 5 }, 'none of the values it names (5) satisfies everything else it asks'],
    [
      { in: ['a', 'b'], nin: ['b', 'a'] },
      'none of the values it names ("a", "b") satisfies everything else it asks',
    ],
    [{ eq: 5, gt: 5 }, 'none of the values it names (5) satisfies everything else it asks'],
    [
      { in: ['x', 5], startsWith: 'y' },
      'none of the values it names ("x", 5) satisfies everything else it asks',
    ],
    [{ exists: false, eq: 5 }, 'must be missing and something else at once'],
  ])('%j', (entry, message) => {
    expect(warningsOf({ filters: { v: entry } }, ['a.b'])).toEqual(is(message))
  })

  test.each([
    [{ min: 5, max: 5 }],
    [{ gt: 5, lt: 6 }],
    [{ in: [1, 5], ne: 5, max: 1 }],
    [{ eq: 'yes', startsWith: 'y', contains: 'no', exists: true }],
    [{ exists: false }],
  ])('none in %j', (entry) => {
    expect(warningsOf({ filters: { v: entry } }, ['a.b'])).toEqual([])
  })

  test('between conditions, and between a condition and a filter, a list may still satisfy both', () => {
    expect(warningsOf({ conditions: [total('gt', 5), total('lt', 5)] }, ['invoice.paid'])).toEqual([
      'conditions[1]: can never hold together with conditions[0], unless invoice.total is a list: invoice.total must be greater than 5 and less than 5',
    ])
    expect(
      warningsOf({ filters: { 'invoice.total': 5 }, conditions: [total('ne', 5)] }, ['invoice.paid']),
    ).toEqual([
      'conditions[0]: can never hold together with filters.invoice.total: invoice.total none of the values it names (5) satisfies everything else it asks',
    ])
  })

  test('conditions joined by OR do not contradict each other', () => {
    expect(
      warningsOf({ conditions: [total('gt', 5), total('lt', 5)], conditionLogic: 'OR' }, ['invoice.paid']),
    ).toEqual([])
  })
})

describe('rules about the event’s type', () => {
  const condition = (operator: string, value: unknown) => ({
    conditions: [{ field: 'event', operator, value }],
  })
  const excludes = (path: string, type: string) =>
    `${path}: can never hold for ${type}, which is subscribed: it excludes this event type`
  test.each<[string, Given, string[], string[]]>([
    [
      'a type that is not subscribed',
      condition('eq', 'a.c'),
      ['a.b'],
      ['conditions[0]: can never hold: "a.c" is not among the subscribed event types'],
    ],
    ['one of two types', condition('eq', 'a.b'), ['a.b', 'a.c'], [excludes('conditions[0]', 'a.c')]],
    ['a type excluded', condition('ne', 'a.b'), ['a.b', 'a.*'], [excludes('conditions[0]', 'a.b')]],
    ['a prefix excluded', condition('startsWith', 'x.'), ['a.b', 'x.y'], [excludes('conditions[0]', 'a.b')]],
    ['a type under a pattern', condition('in', ['a.c']), ['a.*'], []],
    ['any type', condition('eq', 'a.c'), ['*'], []],
    [
      'in a filter',
      { filters: { 'event.type': ['a.b'] } },
      ['a.b', 'a.c'],
      [excludes('filters.event.type', 'a.c')],
    ],
    [
      'in an expression',
      { filters: ['event == "a.b" || event.startsWith("x")'] },
      ['a.b', 'a.c'],
      [excludes('filters[0]', 'a.c')],
    ],
    [
      'an expression for some of the types',
      { filters: ['event != "a.b" || a.total > 5'] },
      ['a.b', 'c.d'],
      [],
    ],
  ])('%s', (_, given, events, expected) => {
    expect(warningsOf(given, events)).toEqual(expected)
  })
})

describe('paths below another type’s resource', () => {
  const foreign = (path: string, field: string, owner: string, type: string, root: string) =>
    `${path}: ${field} reads the resource of ${owner}: for ${type} it only holds when the payload has a member "${root}"`
  test.each<[string, Given, string[], string[]]>([
    [
      'patterns',
      { filters: { 'post.status': 'x' } },
      ['post.*', 'user.*'],
      [foreign('filters.post.status', 'post.status', 'post.*', 'user.*', 'post')],
    ],
    ['everything', { filters: { 'post.status': 'x' } }, ['post.*', '*'], []],
    ['nobody’s resource', { filters: { 'author.name': 'x' } }, ['post.created', 'user.created'], []],
    ['a shared alias', { filters: { 'order.id': 1 } }, ['sales_order.created', 'purchase_order.created'], []],
    [
      'must be missing',
      { filters: { 'post.status': { exists: false } } },
      ['post.created', 'user.created'],
      [],
    ],
    [
      'an expression that asks first',
      { filters: ['!has(post.status) || post.status == "x"'] },
      ['post.created', 'user.created'],
      [],
    ],
    ['a name of the envelope', { filters: { 'context.x': 1 } }, ['context.created', 'user.created'], []],
    [
      'one of several, joined by OR',
      {
        conditions: [
          { field: 'post.id', operator: 'eq', value: 1 },
          { field: 'user.id', operator: 'eq', value: 1 },
        ],
        conditionLogic: 'OR',
      },
      ['post.created', 'user.created'],
      [],
    ],
    [
      'all of several, joined by OR',
      {
        conditions: [
          { field: 'post.id', operator: 'eq', value: 1 },
          { field: 'post.no', operator: 'eq', value: 1 },
        ],
        conditionLogic: 'OR',
      },
      ['post.created', 'user.created'],
      [
        foreign('conditions[0]', 'post.id', 'post.created', 'user.created', 'post'),
        foreign('conditions[1]', 'post.no', 'post.created', 'user.created', 'post'),
      ],
    ],
  ])('%s', (_, given, events, expected) => {
    expect(warningsOf(given, events)).toEqual(expected)
  })
})

test('warnings are bounded', () => {
  const filters = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`post.v${index}`, 1]))
  const events = ['post.created', 'a.b', 'c.d', 'e.f']
  expect(warningsOf({ filters }, events)).toHaveLength(WARNINGS_MAX)
})

describe('a name that could mean two things', () => {
  const bare =
    'filters.status: status is also what the resource of status.changed is called, an object: it is compared with the payload\'s own member "status", where there is one. Write data.status, or data.object.status, to say which'

  test('the name of a resource alone is told what it is compared with', () => {
    expect(warningsOf({ filters: { status: 'up' } }, ['status.changed', 'order.created'])).toEqual([
      expect.stringContaining('status reads the resource of status.changed: for order.created'),
      bare,
    ])
    expect(warningsOf({ filters: { status: { exists: true } } }, ['status.changed'])).toEqual([])
    expect(warningsOf({ filters: { 'data.status': 'up' } }, ['status.changed'])).toEqual([])
  })

  test('a schema that has the member settles it, and one that has not says so', () => {
    const schema = (properties: object) => ({
      'status.changed': { type: 'object', properties, additionalProperties: false },
    })
    const filters = { status: 'up' }
    expect(warningsOf({ filters }, ['status.changed'], schema({ status: { type: 'string' } }))).toEqual([])
    expect(warningsOf({ filters }, ['status.changed'], schema({ state: { type: 'string' } }))).toEqual([
      expect.stringMatching(/can never hold for status\.changed: in its schema status is object/),
    ])
  })

  test('a longer path that an example holds twice is told which is taken', () => {
    const known = new Map([['order.created', { schema: null, example: { total: 1, order: { total: 2 } } }]])
    const rules = { filters: { 'order.total': 1 }, conditions: null, conditionLogic: 'AND' as const }
    expect(ruleWarnings(rules, ['order.created'], known)).toEqual([
      {
        path: 'filters.order.total',
        message: expect.stringMatching(/the resource's is taken\. Write data\.order\.total/),
      },
    ])
  })
})

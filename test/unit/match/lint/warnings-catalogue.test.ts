import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { warningsOf } from './warnings-of.ts'

describe('what the catalogue knows', () => {
  const INVOICE = {
    type: 'object',
    additionalProperties: false,
    properties: { object: { $ref: '#/$defs/invoice' } },
    $defs: {
      invoice: {
        type: 'object',
        additionalProperties: false,
        properties: {
          total: { type: 'string' },
          count: { type: ['integer', 'null'] },
          items: {
            type: 'array',
            items: { properties: { name: { type: 'string' } }, additionalProperties: false },
          },
          tags: { type: 'array', items: { type: 'string' } },
          open: { type: 'object' },
          kind: { enum: ['a', 'b'] },
          mixed: {
            anyOf: [
              { type: 'string' },
              { type: 'object', properties: { x: { type: 'number' } }, additionalProperties: false },
            ],
          },
        },
      },
    },
  }
  const none = (field: string) => [
    `filters.${field}: can never hold for invoice.paid: its schema has no ${field}`,
  ]
  test.each<[string, unknown, string[]]>([
    ['invoice.number', 5, none('invoice.number')],
    ['data.object.number', 5, none('data.object.number')],
    ['number', 5, none('number')],
    ['invoice.items.price', { min: 5 }, none('invoice.items.price')],
    ['invoice.total.amount', 5, none('invoice.total.amount')],
    ['invoice.mixed.y', 5, none('invoice.mixed.y')],
    [
      'invoice.total',
      { gt: 1000 },
      [
        'filters.invoice.total: can never hold for invoice.paid: in its schema invoice.total is string, which gt cannot compare with 1000',
      ],
    ],
    [
      'invoice.total',
      { min: 1000 },
      [
        'filters.invoice.total: can never hold for invoice.paid: in its schema invoice.total is string, which gte cannot compare with 1000',
      ],
    ],
    [
      'invoice.kind',
      5,
      [
        'filters.invoice.kind: can never hold for invoice.paid: in its schema invoice.kind is string, which eq cannot compare with 5',
      ],
    ],
    [
      'invoice.count',
      ['x'],
      [
        'filters.invoice.count: can never hold for invoice.paid: in its schema invoice.count is number or null, which in cannot compare with a list of 1 element',
      ],
    ],
    [
      'invoice.count',
      { contains: 5 },
      [
        'filters.invoice.count: can never hold for invoice.paid: in its schema invoice.count is number or null, which contains cannot compare with 5',
      ],
    ],
    ['invoice.total', { contains: 'x' }, []],
    ['invoice.total', { ne: 5 }, []],
    ['invoice.number', { exists: false }, []],
    ['invoice.count', { max: 5 }, []],
    ['invoice.tags', 'vip', []],
    ['invoice.tags', { contains: 'vip' }, []],
    ['invoice.items.0.name', 'x', []],
    ['invoice.items.name', { startsWith: 'x' }, []],
    ['invoice.open.any.thing', 5, []],
    ['invoice.mixed.x', 5, []],
    ['context.userId', 'x', []],
    ['event.timestamp', { gt: '2024' }, []],
  ])('%s: %j', (field, entry, expected) => {
    expect(
      warningsOf({ filters: { [field]: entry } }, ['invoice.*'], {
        'invoice.paid': INVOICE,
        'post.created': false,
      }),
    ).toEqual(expected)
  })

  test('of an expression’s paths', () => {
    const filters = [
      'invoice.number == 5 && invoice.total != ""',
      '!has(invoice.number) || invoice.number == 5',
    ]
    expect(warningsOf({ filters }, ['invoice.paid'], { 'invoice.paid': INVOICE })).toEqual([
      'filters[0]: can never hold for invoice.paid: its schema has no invoice.number',
    ])
  })

  test('takes the place of the guess about another type’s resource', () => {
    const given = { filters: { 'invoice.total': 5 } }
    const events = ['invoice.paid', 'payment.received']
    expect(warningsOf(given, events, { 'payment.received': { properties: { invoice: {} } } })).toEqual([])
    const closed = { type: 'object', additionalProperties: false }
    expect(warningsOf(given, events, { 'payment.received': closed })).toEqual([
      'filters.invoice.total: can never hold for payment.received: its schema has no invoice.total',
    ])
  })

  test('is nothing where a type has no schema', () => {
    expect(warningsOf({ filters: { x: 5 } }, ['a.b'], { 'a.b': null })).toEqual([])
  })

  const LOOP = {
    $ref: '#/$defs/a',
    $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#' }], items: { $ref: '#' } } },
  }
  test.each([
    ['a loop', LOOP],
    ['a reference to nowhere', { $ref: '#/x/~1y/%zz' }],
    ['a reference elsewhere', { $ref: 'https://example.com/schema' }],
    ['nonsense', { type: [], properties: 5, anyOf: [5, null], allOf: {}, items: 'x', enum: {} }],
    ['not a schema', 'text'],
  ])('is not trusted where it cannot be followed: %s', (_, schema) => {
    expect(warningsOf({ filters: { 'object.x.y': 5 } }, ['a.b'], { 'a.b': schema })).toEqual([])
  })

  test('never makes it throw, whatever the schema', () => {
    const word = fc.constantFrom(
      'type',
      '$ref',
      'properties',
      'items',
      'anyOf',
      'allOf',
      'enum',
      'const',
      'x',
      'additionalProperties',
      '#',
      '#/x',
      '#/properties/x',
      'object',
      'array',
      'string',
    )
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        word,
        fc.boolean(),
        fc.constant(null),
        fc.integer(),
        fc.array(tie('schema'), { maxLength: 3 }),
        fc.dictionary(word, tie('schema'), { maxKeys: 4 }),
      ),
    }))
    const filters = { 'x.x': 5, 'a.x': { gt: 'x' }, 'data.object.0': { contains: 'x' } }
    fc.assert(
      fc.property(schema, (given) => Array.isArray(warningsOf({ filters }, ['a.b'], { 'a.b': given }))),
      { numRuns: 1000 },
    )
  })
})

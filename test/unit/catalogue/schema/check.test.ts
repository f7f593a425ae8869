import { describe, expect, test } from 'vitest'
import { CHECK_STEPS_MAX, checkData } from '../../../../src/catalogue/schema/check.ts'
import { compileSchema } from '../../../../src/catalogue/schema/compile.ts'

function compiled(schema: unknown) {
  const result = compileSchema(schema)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.schema
}

function check(schema: unknown, data: unknown, budget = { steps: CHECK_STEPS_MAX }) {
  return checkData(compiled(schema), { root: 'data', data }, budget).map(
    ({ path, message }) => `${path} ${message}`,
  )
}

const nested = (levels: number, inner: unknown, name = 'not') =>
  JSON.parse(`${`{"${name}":`.repeat(levels)}${JSON.stringify(inner)}${'}'.repeat(levels)}`) as unknown

test('annotations, unknown keywords and unknown formats are taken and mean nothing', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://example.com/invoice.json',
    ...{ title: 'Invoice', description: '…', $comment: 'x', default: 5, examples: [5], readOnly: true },
    ...{ 'x-internal': { type: 'nonsense' }, discriminator: {}, format: 'int32', deprecated: true },
    id: 5,
    additionalProperties: { format: 'regex' },
  }
  expect(check(schema, { a: '(' })).toEqual([])
})

describe('what does not match is named by path:', () => {
  test.each<[string, unknown, unknown, string[]]>([
    ['type', { properties: { a: { type: 'number' } } }, { a: '5' }, ['data.a must be number, not string']],
    ['one of several types', { type: ['object', 'null'] }, [], ['data must be object or null, not array']],
    [
      'a whole number',
      { properties: { a: { type: 'integer' } } },
      { a: 1.5 },
      ['data.a must be integer, not number'],
    ],
    [
      'required',
      { properties: { object: { required: ['id', 'a"b'] } } },
      { object: {} },
      ['data.object.id is required', 'data.object.a"b is required'],
    ],
    ['dependentRequired', { dependentRequired: { a: ['b'] } }, { a: 1 }, ['data.b is required with "a"']],
    [
      'enum',
      { properties: { a: { enum: ['x', 1, null] } } },
      { a: 'y' },
      ['data.a must be one of "x", 1, null'],
    ],
    ['const', { properties: { a: { const: { k: [1] } } } }, { a: 5 }, ['data.a must be {"k":[1]}']],
    ['minimum', { properties: { a: { minimum: 0.5 } } }, { a: 0 }, ['data.a must be at least 0.5']],
    ['maximum', { properties: { a: { maximum: 1e21 } } }, { a: 1e22 }, ['data.a must be at most 1e+21']],
    [
      'exclusiveMinimum',
      { properties: { a: { exclusiveMinimum: 0 } } },
      { a: 0 },
      ['data.a must be more than 0'],
    ],
    [
      'exclusiveMaximum',
      { properties: { a: { exclusiveMaximum: 0 } } },
      { a: 0 },
      ['data.a must be less than 0'],
    ],
    [
      'multipleOf',
      { properties: { a: { multipleOf: 0.01 } } },
      { a: 1.005 },
      ['data.a must be a multiple of 0.01'],
    ],
    [
      'minLength',
      { properties: { a: { minLength: 3 } } },
      { a: 'é' },
      ['data.a must be at least 3 characters'],
    ],
    [
      'maxLength',
      { properties: { a: { maxLength: 1 } } },
      { a: 'ab' },
      ['data.a must be at most 1 characters'],
    ],
    ['minItems', { properties: { a: { minItems: 2 } } }, { a: [1] }, ['data.a must hold at least 2 items']],
    ['maxItems', { properties: { a: { maxItems: 0 } } }, { a: [1] }, ['data.a must hold at most 0 items']],
    ['minProperties', { minProperties: 1 }, {}, ['data must have at least 1 properties']],
    ['maxProperties', { maxProperties: 0 }, { a: 1 }, ['data must have at most 0 properties']],
    [
      'uniqueItems',
      { properties: { a: { uniqueItems: true } } },
      { a: [{ x: 1 }, { x: 1 }] },
      ['data.a must not hold the same item twice'],
    ],
    [
      'format',
      { properties: { a: { format: 'date-time' } } },
      { a: 'today' },
      ['data.a must be in the format "date-time"'],
    ],
    [
      'items',
      { properties: { a: { items: { type: 'string' } } } },
      { a: ['x', 5] },
      ['data.a[1] must be string, not number'],
    ],
    [
      'prefixItems',
      { properties: { a: { prefixItems: [true], items: false } } },
      { a: [1, 2] },
      ['data.a[1] is not allowed by the schema'],
    ],
    [
      'contains',
      { properties: { a: { contains: { type: 'string' } } } },
      { a: [1, 2] },
      ['data.a must hold an item as the schema under "contains" has it'],
    ],
    [
      'minContains',
      { properties: { a: { contains: { type: 'string' }, minContains: 2 } } },
      { a: ['x', 2] },
      ['data.a must hold more items as the schema under "contains" has it (minContains)'],
    ],
    [
      'an unknown property',
      { properties: { a: true }, additionalProperties: false },
      { a: 1, b: 2 },
      ['data.b is not allowed by the schema'],
    ],
    [
      'unevaluatedProperties',
      { allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
      { a: 1, b: 2 },
      ['data.b is not allowed by the schema'],
    ],
    [
      'propertyNames',
      { propertyNames: { maxLength: 1 } },
      { long: 1 },
      ['data.long must have a name that the schema under "propertyNames" allows'],
    ],
    [
      'anyOf',
      { properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } } },
      { a: 5 },
      ['data.a must match at least one of the schemas under "anyOf"'],
    ],
    [
      'oneOf',
      { properties: { a: { oneOf: [{ type: 'number' }, { type: 'integer' }] } } },
      { a: 5 },
      ['data.a must match exactly one of the schemas under "oneOf" (2 matches)'],
    ],
    [
      'not',
      { properties: { a: { not: { type: 'string' } } } },
      { a: 'x' },
      ['data.a is not allowed by the schema'],
    ],
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    ['if and then', { if: { required: ['a'] }, then: { required: ['b'] } }, { a: 1 }, ['data.b is required']],
    [
      'a reference',
      { properties: { a: { $ref: '#/$defs/a~1b%20c' } }, $defs: { 'a/b c': { type: 'string' } } },
      { a: 5 },
      ['data.a must be string, not number'],
    ],
    [
      'a name with strange characters',
      { additionalProperties: { type: 'string' } },
      { 'a/b~c% #é': 5 },
      ['data.a/b~c% #é must be string, not number'],
    ],
  ])('%s', (_, schema, data, said) => {
    expect(check(schema, data)).toEqual(said)
  })

  test('all that is wrong with it, but no more than 20, and no message longer than its reader', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i]))
    const schema = { additionalProperties: { enum: ['x'.repeat(5000)] } }
    const said = check(schema, many)
    expect(said).toHaveLength(20)
    expect(Math.max(...said.map((text) => text.length))).toBeLessThan(400)
  })
})

test('a schema that refers to itself is followed as deep as the data goes', () => {
  const schema = {
    $ref: '#/$defs/n',
    $defs: { n: { type: 'object', properties: { a: { $ref: '#/$defs/n' } } } },
  }
  expect(check(schema, nested(128, {}, 'a'))).toEqual([])
  expect(check(schema, nested(128, 5, 'a'))).toEqual([`data${'.a'.repeat(128)} must be object, not number`])
})

test('`__proto__`, `constructor` and other inherited names are names like any other', () => {
  const text =
    '{"properties":{"__proto__":{"type":"string"}},"required":["__proto__","constructor"],"additionalProperties":false}'
  const schema: unknown = JSON.parse(text)
  expect(check(schema, JSON.parse('{"__proto__":5,"toString":1}')).sort()).toEqual([
    'data.__proto__ must be string, not number',
    'data.constructor is required',
    'data.toString is not allowed by the schema',
  ])
  expect(check(schema, JSON.parse('{"__proto__":"x","constructor":1}'))).toEqual([
    'data.constructor is not allowed by the schema',
  ])
})

test('a name that is half a surrogate pair is refused where the schema looks at it, and does not throw', () => {
  expect(check({ additionalProperties: { type: 'string' } }, { '\ud800': 'x' })).toEqual([
    'data must have member names that are well-formed Unicode',
  ])
  expect(check({ type: 'object' }, { '\ud800': 'x' })).toEqual([])
})

describe('a check takes no more than its steps:', () => {
  const doubling = {
    $ref: '#/$defs/n',
    $defs: {
      n: {
        allOf: [{ properties: { a: { $ref: '#/$defs/n' } } }, { properties: { a: { $ref: '#/$defs/n' } } }],
      },
    },
  }
  const list = (length: number) => ({ a: Array.from({ length }, (_, i) => i) })
  test.each<[string, unknown, unknown]>([
    ['a schema that doubles with each level of the data', doubling, nested(60, {}, 'a')],
    ['unique items by the thousand', { properties: { a: { uniqueItems: true } } }, list(5000)],
    [
      '400 alternatives for each of a thousand',
      { properties: { a: { items: { anyOf: Array.from({ length: 400 }, () => ({ type: 'string' })) } } } },
      list(1000),
    ],
    [
      'a long enum for each of ten thousand',
      { properties: { a: { items: { enum: ['x'.repeat(30_000)] } } } },
      list(10_000),
    ],
    [
      'a long text with a format',
      { properties: { a: { allOf: Array.from({ length: 400 }, () => ({ format: 'email' })) } } },
      { a: 'a'.repeat(1_000_000) },
    ],
    [
      'a large object looked at again and again',
      { allOf: Array.from({ length: 400 }, () => ({})) },
      Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i])),
    ],
  ])('%s', (_, schema, data) => {
    expect(check(schema, data)).toEqual([
      'data must be smaller or less nested: checking it against its schema takes too many steps',
    ])
  })

  test('data of the usual kind needs a small part of them', () => {
    const budget = { steps: CHECK_STEPS_MAX }
    const schema = {
      properties: {
        a: { items: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } },
      },
    }
    expect(check(schema, { a: Array.from({ length: 1000 }, (_, n) => ({ n })) }, budget)).toEqual([])
    expect(CHECK_STEPS_MAX - budget.steps).toBeLessThan(5000)
  })

  test('a budget may be shared, and what it does not suffice for is not taken for valid', () => {
    const budget = { steps: 10 }
    expect(check({ type: 'object' }, {}, budget)).toEqual([])
    expect(check({ properties: { a: { items: true } } }, list(100), budget)).toHaveLength(1)
    expect(check({ type: 'object' }, {}, budget)).toHaveLength(1)
  })

  test('more wrong items than fit the stack as arguments are told like few', () => {
    const schema = { properties: { a: { items: { type: 'string' } } } }
    expect(check(schema, list(60_000))).toHaveLength(20)
  })
})

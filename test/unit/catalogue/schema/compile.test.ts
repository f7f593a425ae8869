import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkData } from '../../../../src/catalogue/schema/check.ts'
import { compileSchema, JSON_BYTES_MAX } from '../../../../src/catalogue/schema/compile.ts'

function refusals(schema: unknown): string[] {
  const result = compileSchema(schema)
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path.join('/')} ${message}`)
}

const nested = (levels: number, inner: unknown, name = 'not') =>
  JSON.parse(`${`{"${name}":`.repeat(levels)}${JSON.stringify(inner)}${'}'.repeat(levels)}`) as unknown

describe('a schema that is none is refused at its place:', () => {
  const NO_SCHEMA = 'must be a JSON Schema: an object, true or false'
  test.each<[string, unknown, string]>([
    ['a text', 'string', ` ${NO_SCHEMA}`],
    ['null', null, ` ${NO_SCHEMA}`],
    ['a list', [], ` ${NO_SCHEMA}`],
    [
      'an unknown type',
      { type: 'text' },
      'type must be one of string, number, integer, boolean, object, array, null',
    ],
    ['no type', { type: [] }, 'type must be one of'],
    ['an unknown type among others', { type: ['string', 'date'] }, 'type must be one of'],
    ['a text as property', { properties: { a: 'string' } }, `properties/a ${NO_SCHEMA}`],
    ['a list of properties', { properties: ['a'] }, 'properties must be an object of schemas by name'],
    [
      'required: true',
      { properties: { a: { required: true } } },
      'properties/a/required must be a list of property names',
    ],
    ['a number among the required', { required: ['a', 5] }, 'required must be a list'],
    ['a negative length', { minLength: -1 }, 'minLength must be a whole number, at least 0'],
    ['half an item', { maxItems: 1.5 }, 'maxItems must be a whole number'],
    ['a text as minimum', { minimum: '5' }, 'minimum must be a number'],
    ['true as exclusiveMinimum', { exclusiveMinimum: true }, 'exclusiveMinimum must be a number'],
    ['multiples of 0', { multipleOf: 0 }, 'multipleOf must be a number above 0'],
    ['an empty enum', { enum: [] }, 'enum must be a list of at least one value'],
    ['a text as enum', { enum: 'a' }, 'enum must be a list'],
    ['an empty anyOf', { anyOf: [] }, 'anyOf must be a list of at least one schema'],
    ['a bad schema in anyOf', { anyOf: [{}, { oneOf: [5] }] }, `anyOf/1/oneOf/0 ${NO_SCHEMA}`],
    ['items as a list', { items: [{}] }, 'items must be one schema; for one per item use "prefixItems"'],
    [
      'dependentRequired',
      { dependentRequired: { a: 'b' } },
      'dependentRequired must be an object of property names',
    ],
    ['uniqueItems: 1', { uniqueItems: 1 }, 'uniqueItems must be true or false'],
    ['a number as format', { format: 5 }, 'format must be a string'],
    [
      'an older draft',
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      '$schema must be "https://json-schema.org/draft/2020-12/schema", or left out',
    ],
    ['an $id below the root', { $defs: { a: { $id: 'x' } } }, '$defs/a/$id must be given at the root only'],
    [
      'a remote reference',
      { $ref: 'https://example.com/a.json' },
      '$ref must be a reference within this schema, such as "#/$defs/Customer"',
    ],
    ['an anchor', { $ref: '#Customer' }, '$ref must be a reference within this schema'],
    ['a reference to nothing', { $ref: '#/$defs/Nobody' }, '$ref must lead to a schema within this one'],
    [
      'a reference to what is no schema',
      { const: {}, $ref: '#/const' },
      '$ref must lead to a schema within this one',
    ],
    ['a broken escape in a reference', { $ref: '#/%zz' }, '$ref must be a reference within this schema'],
    [
      'a pattern',
      { properties: { a: { pattern: '^(a+)+$' } } },
      'properties/a/pattern is not supported: regular expressions are not bounded in time',
    ],
    ['patternProperties', { patternProperties: { '^a': {} } }, 'patternProperties is not supported'],
    ['dependencies', { dependencies: {} }, 'dependencies is not of JSON Schema 2020-12'],
    ['$dynamicRef', { $dynamicRef: '#a' }, '$dynamicRef is not supported'],
    ['33 levels', nested(33, {}), ' must be nested at most 32 levels deep'],
    ['too many bytes', { enum: ['x'.repeat(JSON_BYTES_MAX)] }, ' must be at most 32,000 bytes as JSON'],
    [
      'a reference to itself',
      { $ref: '#' },
      '$ref must not lead back to itself without going into a property or an item',
    ],
    [
      'references in a circle',
      { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } },
      '$defs/a/anyOf/0/$ref must not lead back to itself',
    ],
  ])('%s', (_, schema, said) => {
    const [first, ...others] = refusals(schema)
    expect(first?.slice(0, said.length)).toBe(said)
    expect(others).toEqual([])
  })

  test('all places are named, but no more than 20', () => {
    expect(refusals({ type: 'x', minLength: 'y', properties: { a: 5 } })).toHaveLength(3)
    expect(refusals({ anyOf: Array.from({ length: 50 }, () => 5) })).toHaveLength(20)
  })

  test('references that double thirty times are refused at once', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `d${i}`,
        i === 29 ? {} : { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
      ]),
    )
    expect(refusals({ $ref: '#/$defs/d0', $defs })[0]).toMatch(/must apply at most 500 schemas to one value/)
  })

  test('any JSON is either taken or refused with a place, never thrown at', () => {
    const keyword = fc.constantFrom(
      'type',
      'properties',
      'items',
      'anyOf',
      '$ref',
      'not',
      'enum',
      '$defs',
      'required',
      '__proto__',
    )
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, true, 5, 'string', '#', '#/$defs/a', [], {}),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(keyword, fc.string()), tie('json'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(json, fc.jsonValue(), (schema, data) => {
        const result = compileSchema(schema)
        if (result.ok) checkData(result.schema, { root: 'data', data }, { steps: 10_000 })
        else expect(result.problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })
})

test('inherited names are no keywords and no places', () => {
  expect(refusals(JSON.parse('{"__proto__":{"type":"nonsense"}}'))).toEqual([])
  expect(refusals({ $ref: '#/__proto__' })).toEqual([expect.stringContaining('must lead to a schema')])
})

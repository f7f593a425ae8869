import { describe, expect, test } from 'vitest'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileRules } from '../../../src/match/rules.ts'
import { viewOf } from './rule-events.ts'

const issuesOf = (filters: unknown) =>
  filtersSchema
    .safeParse(filters)
    .error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`) ?? []
const refusalOf = (filters: unknown, object: unknown) => {
  const compiled = compileRules({
    filters: filtersSchema.parse(filters),
    conditions: null,
    conditionLogic: 'AND',
  })
  const verdict = compiled(viewOf({ object }))
  return verdict.holds
    ? null
    : verdict.refusals.map(({ reason, message }) => `${reason}: ${message}`).join('; ')
}

describe('what an entry asks of a value', () => {
  test.each([
    ['a scalar equals', 'paid', 'paid', null],
    ['a number equals', 5, 5, null],
    ['null equals', null, null, null],
    ['true equals', true, true, null],
    ['a number is no text', '5', 5, 'wrong_type: v is 5, where a string is expected'],
    ['null is no value', 'x', null, 'wrong_type: v is null, where a string is expected'],
    ['a list holds', ['a', 5, null], 5, null],
    ['a list does not hold', ['a', 'b'], 'c', 'not_satisfied: v is "c", which is none of "a", "b"'],
    [
      'a list of other types',
      ['a', 5],
      true,
      'wrong_type: v is true, where a string or a number is expected',
    ],
    ['min is inclusive', { min: 5 }, 5, null],
    ['max is inclusive', { max: 5 }, 5, null],
    ['max', { max: 5 }, 5.1, 'not_satisfied: v is 5.1, which is greater than 5'],
    ['a range', { min: 1, max: 5 }, 3, null],
    ['dates as strings', { gte: '2024-01-15' }, '2024-01-15T10:30:00Z', null],
    ['gt is exclusive', { gt: 5 }, 5, 'not_satisfied: v is 5, which is not greater than 5'],
    ['lt is exclusive', { lt: 5 }, 5, 'not_satisfied: v is 5, which is not less than 5'],
    ['several operators', { gt: 5, ne: 7 }, 6, null],
    ['several operators, one fails', { gt: 5, ne: 7 }, 7, 'not_satisfied: v is 7, which the rule excludes'],
    [
      'strings do not compare with numbers',
      { gt: 5 },
      '6',
      'wrong_type: v is "6", where a number is expected',
    ],
    ['startsWith', { startsWith: 'in' }, 'inv', null],
    ['endsWith', { endsWith: 'in' }, 'inv', 'not_satisfied: v is "inv", which does not end with "in"'],
    ['contains in a text', { contains: 'nv' }, 'inv', null],
    ['contains in a number', { contains: 5 }, 55, 'wrong_type: v is 55, where a list is expected'],
    [
      'an object is no scalar',
      { eq: 'x' },
      { a: 1 },
      'wrong_type: v is an object, where a string is expected',
    ],
    ['exists', { exists: true }, null, null],
    ['must not exist', { exists: false }, 5, 'not_satisfied: v is 5, but must be missing'],
    ['ne of another type', { ne: 5 }, '5', null],
    ['nin', { nin: ['a', 5] }, 5, 'not_satisfied: v is 5, which the rule excludes'],
    [
      'long texts are cut',
      'x',
      'é'.repeat(200),
      `not_satisfied: v is "${'é'.repeat(99)}…", which is not "x"`,
    ],
  ])('%s', (_, entry, value, expected) => {
    expect(refusalOf({ v: entry }, { v: value })).toBe(expected)
  })

  test.each([
    ['any element', { v: 'b' }, ['a', 'b'], null],
    ['any nested element', { v: 'b' }, [['a'], [['b']]], null],
    ['no element equals', { v: { ne: 'b' } }, ['a', 'c'], null],
    [
      'an element equals',
      { v: { ne: 'b' } },
      ['a', 'b'],
      'not_satisfied: v is a list of 2 elements, which the rule excludes',
    ],
    ['no element is in', { v: { nin: ['b'] } }, [], null],
    ['an empty list', { v: 'b' }, [], 'not_satisfied: v is a list of 0 elements, none of which is "b"'],
    [
      'one element is the whole range',
      { v: { min: 1, max: 5 } },
      [0, 10],
      'not_satisfied: v is a list of 2 elements, of which no one element is at least 1 and is at most 5',
    ],
    ['an element in the range', { v: { min: 1, max: 5 } }, [0, 10, 3], null],
    [
      'no element of the type',
      { v: { min: 1 } },
      ['a'],
      'wrong_type: v is a list of 1 element, none of which is a number',
    ],
    ['membership', { v: { contains: 5 } }, [4, 5], null],
    [
      'membership is not a substring',
      { v: { contains: 'b' } },
      ['ab'],
      'not_satisfied: v is a list of 1 element, which does not contain "b"',
    ],
    ['across an array', { 'v.name': { startsWith: 'b' } }, [{ name: 'a' }, { name: 'bc' }], null],
    ['substring across an array', { 'v.name': { contains: 'c' } }, [{ name: 'a' }, { name: 'bc' }], null],
    ['by index', { 'v.1': 'b' }, ['a', 'b'], null],
  ])('of a list: %s', (_, filters, value, expected) => {
    expect(refusalOf(filters, { v: value })).toBe(expected)
  })

  test.each(
    [
      5,
      ['a'],
      { min: 5 },
      { ne: 5 },
      { nin: ['a'] },
      { contains: 'a' },
      { exists: true },
      { ne: 5, exists: true },
    ].map((entry) => [entry]),
  )('a missing field does not satisfy %j', (entry) => {
    expect(refusalOf({ 'a.b': entry }, { a: { c: 5 } })).toBe('missing: a.b is missing')
  })

  test('a missing field satisfies exists: false, and that alone', () => {
    expect(refusalOf({ 'a.b': { exists: false } }, { a: {} })).toBeNull()
    expect(refusalOf({ 'a.b': { exists: false, ne: 5 } }, { a: {} })).toBe('missing: a.b is missing')
  })

  test.each(['__proto__.x', 'constructor.name', 'toString', 'a.constructor', 'a.length'])(
    'a path never leads into a prototype: %s',
    (path) => {
      const filters = { [path]: { exists: false } }
      expect(refusalOf(filters, { a: 'text' })).toBeNull()
    },
  )
})

describe('what is refused', () => {
  const PATH = 'must be a path such as "data.object.total": 1-32 names joined by dots, at most 256 characters'
  const SCALAR = 'must be a string of at most 1000 characters, a number, true, false or null'
  test.each<[string, unknown, string[]]>([
    ['a text', 'a == 1', [': must be an object of paths and values, or a list of CEL expressions']],
    ['an empty path', { '': 1 }, [`: ${PATH}`]],
    ['an empty name', { 'a..b': 1 }, [`a..b: ${PATH}`]],
    ['a long path', { ['a'.repeat(257)]: 1 }, [`${'a'.repeat(257)}: ${PATH}`]],
    ['too many names', { [Array(33).fill('a').join('.')]: 1 }, [`${Array(33).fill('a').join('.')}: ${PATH}`]],
    ['__proto__', JSON.parse('{"__proto__": 1}'), ['__proto__: "__proto__" cannot be a name']],
    [
      'an unknown operator',
      { a: { above: 1 } },
      [
        'a/above: must be one of min, max, eq, ne, gt, gte, lt, lte, in, nin, contains, startsWith, endsWith, exists',
      ],
    ],
    [
      'an empty object',
      { a: {} },
      [
        'a: must name at least one of min, max, eq, ne, gt, gte, lt, lte, in, nin, contains, startsWith, endsWith, exists',
      ],
    ],
    ['an empty list', { a: [] }, ['a: must be a list of 1-200 values']],
    ['a list too long', { a: Array(201).fill(1) }, ['a: must be a list of 1-200 values']],
    ['an object in a list', { a: [1, {}] }, [`a/1: ${SCALAR}`]],
    ['a long text', { a: 'x'.repeat(1001) }, [`a: ${SCALAR}`]],
    ['a list to equal', { a: { eq: [1] } }, [`a/eq: ${SCALAR}`]],
    [
      'a bound that has no order',
      { a: { min: true } },
      [
        'a/min: must be a number, or a string of at most 1000 characters: numbers compare with numbers, strings with strings, so ISO 8601 dates too',
      ],
    ],
    [
      'a start that is no text',
      { a: { startsWith: 1 } },
      ['a/startsWith: must be a string of at most 1000 characters'],
    ],
    ['exists of neither', { a: { exists: 'yes' } }, ['a/exists: must be true or false']],
    [
      'too many entries',
      Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a${i}`, 1])),
      [': must hold at most 50 entries'],
    ],
    ['too many expressions', Array(21).fill('true'), [': must hold at most 20 expressions']],
    [
      'an expression that is none',
      ['true', 5],
      ['1: must be a CEL expression of 1-2000 characters, such as "order.total > 100"'],
    ],
    [
      'an empty expression',
      [''],
      ['0: must be a CEL expression of 1-2000 characters, such as "order.total > 100"'],
    ],
    [
      'a long expression',
      [`true${' '.repeat(1997)}`],
      ['0: must be a CEL expression of 1-2000 characters, such as "order.total > 100"'],
    ],
    [
      'a wrong expression',
      ['true', 'order.total >\n 5 5'],
      ['1: must be a CEL expression: line 2, column 4: unexpected 5'],
    ],
  ])('%s', (_, filters, expected) => {
    expect(issuesOf(filters)).toEqual(expected)
  })

  test('not what is just within the bounds', () => {
    const filters = {
      [`${'a'.repeat(193)}${'.b'.repeat(31)}`]: Array(200).fill('x'.repeat(1000)),
      ...Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`a${i}`, 1])),
    }
    expect(issuesOf(filters)).toEqual([])
    expect(issuesOf(Array(20).fill(`true${' '.repeat(1996)}`))).toEqual([])
  })
})

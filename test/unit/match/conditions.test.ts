import { describe, expect, test } from 'vitest'
import { conditionLogicSchema, conditionsSchema } from '../../../src/match/conditions.ts'

const issuesOf = (conditions: unknown) =>
  conditionsSchema
    .safeParse(conditions)
    .error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`) ?? []

const VALID: [operator: string, value: unknown][] = [
  ['eq', 'paid'],
  ['eq', null],
  ['ne', false],
  ['gt', 1000],
  ['gte', '2024-01-01'],
  ['lt', 0.5],
  ['lte', -1],
  ['in', ['a', 5]],
  ['nin', [null]],
  ['contains', 'vip'],
  ['startsWith', 'inv_'],
  ['endsWith', ''],
  ['exists', false],
]

test.each(VALID)('takes %s with %j', (operator, value) => {
  const conditions = [{ field: 'data.object.total', operator, value }]
  expect(conditionsSchema.parse(conditions)).toEqual(conditions)
})

describe('refuses', () => {
  const OPERATOR = 'must be one of eq, ne, gt, gte, lt, lte, in, nin, contains, startsWith, endsWith, exists'
  test.each<[string, unknown, string[]]>([
    ['an object', {}, [': must be a list of conditions']],
    ['a text', ['total > 5'], ['0: must be an object of "field", "operator" and "value"']],
    ['an unknown operator', [{ field: 'a', operator: 'min', value: 1 }], [`0/operator: ${OPERATOR}`]],
    ['no operator', [{ field: 'a', value: 1 }], [`0/operator: ${OPERATOR}`]],
    [
      'a list for a scalar',
      [{ field: 'a', operator: 'contains', value: [1] }],
      ['0/value: must be a string of at most 1000 characters, a number, true, false or null'],
    ],
    [
      'a scalar for a list',
      [{ field: 'a', operator: 'in', value: 1 }],
      ['0/value: must be a list of 1-200 values'],
    ],
    ['no value', [{ field: 'a', operator: 'exists' }], ['0/value: must be true or false']],
    [
      'a field that is no path',
      [{ field: 'a.', operator: 'eq', value: 1 }],
      [
        '0/field: must be a path such as "data.object.total": 1-32 names joined by dots, at most 256 characters',
      ],
    ],
    [
      'too many',
      Array(51).fill({ field: 'a', operator: 'eq', value: 1 }),
      [': must hold at most 50 conditions'],
    ],
  ])('%s', (_, conditions, expected) => {
    expect(issuesOf(conditions)).toEqual(expected)
  })

  test('a member it does not know, by name', () => {
    const result = conditionsSchema.safeParse([{ field: 'a', operator: 'eq', value: 1, not: true }])
    expect(result.error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: ['not'], path: [0] }])
  })

  test('a logic that is neither AND nor OR', () => {
    expect(conditionLogicSchema.safeParse('and').error?.issues[0]?.message).toBe('must be "AND" or "OR"')
  })
})

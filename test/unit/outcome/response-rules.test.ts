import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyResponseRules,
  BODY_CONTAINS_CHARS_MAX,
  type ResponseRule,
  responseRulesSchema,
} from '../../../src/outcome/response-rules.ts'

/** What one rule, or several, make of an answer. */
function verdict(rules: unknown, status: number, text = '') {
  const parsed = responseRulesSchema.parse(Array.isArray(rules) ? rules : [rules])
  return applyResponseRules(parsed, { status, text })?.outcome ?? null
}
const issuesOf = (rules: unknown) =>
  responseRulesSchema
    .safeParse(rules)
    .error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? []

describe('a rule by status', () => {
  test.each([
    [409, [409], [408, 410, 500]],
    ['4xx', [400, 404, 499], [399, 410, 500]],
    ['5xx', [500, 599], [499, 200]],
    ['2xx', [200, 204], [300]],
    ['500-503', [500, 503], [499, 504]],
    [
      [409, '5xx', '420-422'],
      [409, 500, 421],
      [408, 419, 423],
    ],
  ])('%j', (status, matching, others) => {
    const rule = { status, outcome: 'final' }
    expect(matching.filter((each) => verdict(rule, each) === 'final')).toEqual(matching)
    expect(others.filter((each) => verdict(rule, each) !== null)).toEqual([])
  })

  test.each([410, [410, 409]])('%j takes back that a 410 is for good', (status) => {
    expect(verdict({ status, outcome: 'retry' }, 410)).toBe('retry')
  })

  test.each([{ status: '4xx' }, { status: '410-411' }, { bodyContains: 'gone' }])(
    '%j leaves a 410 alone, which it does not name',
    (asked) => {
      expect(verdict({ ...asked, outcome: 'retry' }, 410, 'gone')).toBeNull()
    },
  )
})

describe('a rule by text', () => {
  test('finds it anywhere, as it is', () => {
    const rule = { bodyContains: 'a.c', outcome: 'success' }
    expect(verdict(rule, 500, 'x a.c y')).toBe('success')
    expect(verdict(rule, 500, 'abc')).toBeNull()
    expect(verdict(rule, 500, 'A.C')).toBeNull()
  })

  test('and by status asks for both', () => {
    const rule = { status: 409, bodyContains: 'exists', outcome: 'success' }
    expect(verdict(rule, 409, 'exists')).toBe('success')
    expect(verdict(rule, 409, 'locked')).toBeNull()
    expect(verdict(rule, 500, 'exists')).toBeNull()
  })
})

describe('a rule by JSON', () => {
  const rule = (path: string, equals: unknown) => ({ bodyJson: { path, equals }, outcome: 'retry' })

  test.each([
    ['a member', rule('error.code', 'busy'), '{"error":{"code":"busy"}}', 'retry'],
    ['false', rule('ok', false), '{"ok":false}', 'retry'],
    ['null', rule('error', null), '{"error":null}', 'retry'],
    ['a missing member, which is not null', rule('error', null), '{}', null],
    ['a number, not its text', rule('code', 1), '{"code":"1"}', null],
    ['any element', rule('errors.code', 7), '{"errors":[{"code":1},{"code":7}]}', 'retry'],
    ['an element of a list', rule('tags', 'x'), '{"tags":["y","x"]}', 'retry'],
    ['an index', rule('0.ok', true), '[{"ok":true}]', 'retry'],
    ['no inherited member', rule('constructor.name', 'Object'), '{}', null],
    ['an object, which equals nothing', rule('a', 'x'), '{"a":{"x":1}}', null],
    ['text that is no JSON', rule('ok', false), '<html>', null],
    ['JSON that was cut', rule('ok', false), '{"ok":false,"more":"…', null],
    ['nothing', rule('ok', false), '', null],
  ])('%s', (_, given, text, expected) => {
    expect(verdict(given, 200, text)).toBe(expected)
  })

  test('does not look into JSON nested deeper than 128 levels', () => {
    const nested = (depth: number) => `${'['.repeat(depth - 1)}{"ok":false}${']'.repeat(depth - 1)}`
    expect(verdict(rule('ok', false), 200, nested(128))).toBe('retry')
    expect(verdict(rule('ok', false), 200, nested(129))).toBeNull()
  })
})

test('the first rule that matches counts', () => {
  const rules = [
    { status: 503, bodyContains: 'closed for good', outcome: 'final' },
    { status: '5xx', outcome: 'retry' },
    { status: 503, outcome: 'success' },
  ]
  expect(verdict(rules, 503, 'closed for good')).toBe('final')
  expect(verdict(rules, 503)).toBe('retry')
  expect(verdict(rules, 404)).toBeNull()
})

test.each([null, []])('%j says nothing of any answer', (rules) => {
  expect(applyResponseRules(rules, { status: 200, text: '{}' })).toBeNull()
})

describe('rules that are refused', () => {
  const STATUS = 'must be a status of 200-599, a class such as "5xx"'
  test.each([
    [{}, '', 'must be a list of at most 20'],
    [
      Array.from({ length: 21 }, () => ({ status: 500, outcome: 'retry' })),
      '',
      'must be a list of at most 20',
    ],
    [[7], '0', 'must be an object of "status"'],
    [[{ outcome: 'retry' }], '0', 'must name at least one of status, bodyContains, bodyJson'],
    [[{ status: 500 }], '0.outcome', 'must be "success", "retry" or "final"'],
    [[{ status: 500, outcome: 'ignore' }], '0.outcome', 'must be "success", "retry" or "final"'],
    [[{ status: 500, outcome: 'retry', body: 'x' }], '0', 'must be an object of "status"'],
    [
      [{ status: 429, outcome: 'final', respectRetryAfter: false }],
      '0.respectRetryAfter',
      'goes with the outcome "retry" only',
    ],
    [[{ status: 199, outcome: 'retry' }], '0.status', STATUS],
    [[{ status: 600, outcome: 'retry' }], '0.status', STATUS],
    [[{ status: 404.5, outcome: 'retry' }], '0.status', STATUS],
    [[{ status: '404', outcome: 'retry' }], '0.status', STATUS],
    [[{ status: '6xx', outcome: 'retry' }], '0.status', STATUS],
    [[{ status: '503-500', outcome: 'retry' }], '0.status', STATUS],
    [[{ status: [], outcome: 'retry' }], '0.status', STATUS],
    [[{ status: Array.from({ length: 21 }, () => 500), outcome: 'retry' }], '0.status', STATUS],
    [[{ status: [500, 'x'], outcome: 'retry' }], '0.status.1', STATUS],
    [[{ bodyContains: '', outcome: 'retry' }], '0.bodyContains', 'must be a string of 1-1000'],
    [[{ bodyContains: 'x'.repeat(1001), outcome: 'retry' }], '0.bodyContains', 'must be a string of 1-1000'],
    [[{ bodyJson: { path: 'a..b', equals: 1 }, outcome: 'retry' }], '0.bodyJson.path', 'must be a path'],
    [[{ bodyJson: { path: 'a', equals: [1] }, outcome: 'retry' }], '0.bodyJson.equals', 'must be a string'],
    [[{ bodyJson: { path: 'a' }, outcome: 'retry' }], '0.bodyJson.equals', 'must be a string'],
    [[{ bodyJson: 'a', outcome: 'retry' }], '0.bodyJson', 'must be an object of "path" and "equals"'],
  ])('%j', (rules, path, message) => {
    expect(issuesOf(rules)).toEqual([{ path, message: expect.stringContaining(message) }])
  })
})

describe('for every answer', () => {
  const status = fc.integer({ min: 200, max: 599 })
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.json({ maxDepth: 5 }),
    fc.json().map((json) => json.slice(0, -1)),
    fc.nat(16_384).map((depth) => '['.repeat(depth)),
    fc.nat(8192).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
    fc.nat(2730).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  )
  const path = fc.array(fc.constantFrom('a', '0', '__proto__', 'length', 'constructor'), {
    minLength: 1,
    maxLength: 32,
  })
  const rule: fc.Arbitrary<ResponseRule> = fc
    .record(
      {
        status: fc.oneof(
          status,
          fc.constantFrom('2xx', '4xx', '400-450'),
          fc.array(status, { minLength: 1 }),
        ),
        bodyContains: fc.string({ minLength: 1, maxLength: BODY_CONTAINS_CHARS_MAX }),
        bodyJson: fc.record({
          path: path.map((names) => names.join('.')),
          equals: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
        }),
      },
      { requiredKeys: [] },
    )
    .filter((given) => Object.keys(given).length > 0)
    .map((given) => ({ ...given, outcome: 'final' as const }))
  const rules = fc.array(rule, { minLength: 1, maxLength: 20 })

  test('rules never throw, on any text', () => {
    fc.assert(
      fc.property(rules, status, text, (given, code, body) => {
        expect([undefined, 'final']).toContain(
          applyResponseRules(given, { status: code, text: body })?.outcome,
        )
      }),
      { numRuns: 300 },
    )
  })

  test('a rule made from its status and text matches it', () => {
    fc.assert(
      fc.property(
        status,
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.string(),
        (code, needle, around) => {
          const made: ResponseRule = { status: code, bodyContains: needle, outcome: 'success' }
          expect(applyResponseRules([made], { status: code, text: around + needle + around })?.outcome).toBe(
            'success',
          )
        },
      ),
    )
  })
})

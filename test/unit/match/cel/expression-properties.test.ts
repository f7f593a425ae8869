import { Environment } from '@marcbachmann/cel-js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileExpression } from '../../../../src/match/cel/expression.ts'
import { StepBudget } from '../../../../src/match/step-budget.ts'
import { viewOf } from '../rule-events.ts'

type Grammar = { bool: string; number: string; text: string; list: string; value: string }

/** Expressions of each type, right or nearly so; `element` is only meant inside a comprehension, and may be nested. */
const grammar = fc.letrec<Grammar>((tie) => {
  const join = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc
      .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
      .map((texts) => texts.join(''))
  const operator = (...operators: string[]) => fc.constantFrom(...operators.map((each) => ` ${each} `))
  const maybe = { depthSize: 'small', withCrossShrink: true } as const
  const [bool, number, text, list, value] = [
    tie('bool'),
    tie('number'),
    tie('text'),
    tie('list'),
    tie('value'),
  ]
  const path = fc.constantFrom(
    'order.n',
    'order.t',
    'order.l',
    'order.o',
    'order.o.n',
    'order.l[0]',
    'order.none',
    'order.x.y',
    'e',
    'e.n',
    'data.object.l',
    'event',
  )
  return {
    number: fc.oneof(
      maybe,
      fc.constantFrom('0', '1', '2.5', '-1', 'order.n', 'e'),
      join('(', number, operator('+', '-', '*'), number, ')'),
      join('size(', fc.oneof(list, text), ')'),
    ),
    text: fc.oneof(
      maybe,
      fc.constantFrom('""', '"ab"', 'order.t', 'event', 'e'),
      join('(', text, ' + ', text, ')'),
      join(text, '.upperAscii()'),
    ),
    list: fc.oneof(
      maybe,
      fc.constantFrom('order.l', 'order.m', '[]', '[1, 2.5]', '["ab", ""]', 'order.o'),
      join('[', value, ', ', value, ']'),
      join('(', list, ' + ', list, ')'),
      join(list, '.filter(e, ', bool, ')'),
      join(list, '.map(e, ', value, ')'),
    ),
    value: fc.oneof(maybe, path, number, text, list),
    bool: fc.oneof(
      maybe,
      join(number, operator('<', '<=', '>', '>=', '==', '!='), number),
      join(text, operator('<', '==', '!='), text),
      join(value, operator('==', '!=', '<'), value),
      join(value, ' in ', list),
      fc.constantFrom('true', 'false', 'has(order.n)', 'has(order.x)', 'has(e.n)'),
      join('(', bool, operator('&&', '||'), bool, ')'),
      join('!(', bool, ')'),
      join('(', bool, ' ? ', bool, ' : ', bool, ')'),
      join(text, '.', fc.constantFrom('contains', 'startsWith', 'endsWith'), '(', text, ')'),
      join(list, '.', fc.constantFrom('exists', 'all', 'exists_one'), '(e, ', bool, ')'),
    ),
  }
})

const OBJECT = {
  n: 2,
  t: 'abc',
  l: [1, 2.5, 'ab', null],
  m: [{ n: 1 }, { n: 2 }],
  o: { n: 1, ab: true },
  none: null,
}

/** cel-js's own evaluator, with numbers as lenient as ours. */
const oracle = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
for (const types of ['int X double', 'double X int']) {
  oracle.registerOperator(types.replace('X', '+').concat(': double'), (a, b) => Number(a) + Number(b))
  oracle.registerOperator(types.replace('X', '-').concat(': double'), (a, b) => Number(a) - Number(b))
  oracle.registerOperator(types.replace('X', '*').concat(': double'), (a, b) => Number(a) * Number(b))
}
oracle.registerOperator('int == double', (a, b) => Number(a) === Number(b))

test('what cel-js evaluates to true or false, is evaluated to the same', () => {
  let compared = 0
  let trues = 0
  fc.assert(
    fc.property(grammar.bool, (text) => {
      const compiled = compileExpression(text)
      // cel-js forgets that an element is of a wrong type where a list was added to an empty one.
      if (!compiled.ok || text.includes('[] +')) return
      let expected: unknown
      try {
        expected = oracle.evaluate(text, { order: OBJECT, data: { object: OBJECT }, event: 'order.paid' })
      } catch {
        return
      }
      const refused = compiled.expression.rule.explain(
        viewOf({ event: 'order.paid', object: OBJECT }),
        new StepBudget(),
      )
      expect(`${text}: ${refused === null}`).toBe(`${text}: ${expected}`)
      compared++
      if (expected === true) trues++
    }),
    { numRuns: 3000 },
  )
  // The property says nothing unless plenty of expressions got this far, with either answer.
  expect(compared).toBeGreaterThan(500)
  expect(trues).toBeGreaterThan(100)
  expect(compared - trues).toBeGreaterThan(100)
})

/** Lists and objects of a size that count every read of theirs. */
function counted(length: number, count: () => void): unknown {
  const handler: ProxyHandler<object> = {
    get(target, key, receiver) {
      count()
      return Reflect.get(target, key, receiver)
    },
  }
  const list = (make: (index: number) => unknown) =>
    new Proxy(
      Array.from({ length }, (_, index) => make(index)),
      handler,
    )
  return {
    ...OBJECT,
    t: 'ab'.repeat(length),
    l: list((index) => index),
    m: list((index) => ({ n: index })),
    o: new Proxy(Object.fromEntries(Array.from({ length }, (_, index) => [`k${index}`, index])), handler),
  }
}

test('no accepted expression reads more than a fixed number of times its steps, however large the event', () => {
  const [length, steps] = [5000, 1000]
  let spent = 0
  let reads = 0
  const object = counted(length, () => reads++)
  fc.assert(
    fc.property(grammar.bool, (text) => {
      const compiled = compileExpression(text)
      if (!compiled.ok) return
      reads = 0
      const budget = new StepBudget(steps)
      const refused = compiled.expression.rule.explain(
        viewOf({ event: 'order.paid', object: object as Record<string, unknown> }),
        budget,
      )
      if (budget.left < 0) {
        spent++
        expect(refused?.reason).toBe('too_complex')
      }
      // A list's element takes two reads, its length and itself; straight-line code is bounded by the parser's limit.
      expect(reads).toBeLessThan(3 * steps + 1000)
    }),
    { numRuns: 2000 },
  )
  expect(spent).toBeGreaterThan(100)
})

test('any text is compiled or refused with a line and a column', () => {
  const token = fc.constantFrom(
    'order',
    '.',
    '.total',
    ' > ',
    '1',
    '"a"',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '?',
    ':',
    '!',
    '&&',
    '||',
    ' in ',
    '\n',
    'has(',
    'size(',
    '.exists(i,',
    '.map(',
    '\\',
    "'",
    '"""',
    'b"',
    '-',
    'é',
    '\u0000',
    'true',
    'null',
    'type',
    '__proto__',
  )
  const text = fc.oneof(
    fc.array(token, { maxLength: 20 }).map((tokens) => tokens.join('')),
    fc.string({ unit: 'binary', maxLength: 30 }),
  )
  fc.assert(
    fc.property(text, (given) => {
      const compiled = compileExpression(given)
      if (!compiled.ok) expect(compiled.message).toMatch(/^must be a CEL expression: line \d+, column \d+: ./)
      else compiled.expression.rule.explain(viewOf({ event: 'order.paid', object: OBJECT }), new StepBudget())
    }),
    { numRuns: 3000 },
  )
})

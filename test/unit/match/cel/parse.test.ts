import { describe, expect, test } from 'vitest'
import { compileExpression } from '../../../../src/match/cel/expression.ts'
import { StepBudget } from '../../../../src/match/step-budget.ts'
import type { EventView } from '../../../../src/model/event-view.ts'
import { cpuMsOf } from '../../../support/cpu-time.ts'
import { viewOf } from '../rule-events.ts'

function refusal(text: string, view: EventView): string | null {
  const compiled = compileExpression(text)
  if (!compiled.ok) throw new Error(compiled.message)
  const refused = compiled.expression.rule.explain(view, new StepBudget())
  expect(compiled.expression.rule.holds(view, new StepBudget())).toBe(refused === null)
  return refused === null ? null : `${refused.reason}: ${refused.message}`
}
const problemOf = (text: string) => {
  const compiled = compileExpression(text)
  return compiled.ok ? null : compiled.message
}

describe('is refused when it is saved', () => {
  const REGEX =
    'matches() is not offered, since regular expressions can take forever: use contains, startsWith or endsWith'
  const METHODS =
    'exists, all, exists_one, filter, map, contains, startsWith, endsWith, size, lowerAscii, upperAscii, trim'
  const inside = (name: string) =>
    `${name}() cannot stand inside another of exists, all, exists_one, filter, map`
  test.each([
    ['', 'line 1, column 1: it ends where something should follow'],
    ['order.total >', 'line 1, column 14: it ends where something should follow'],
    ['order.total > 1 and true', 'line 1, column 17: unexpected and'],
    ['a == 1 &&\n  b = 2', 'line 2, column 5: unexpected ='],
    ['order.total', null],
    [
      'order.total + 1',
      'line 1, column 1: the whole expression must be true or false, but it gives a number or a string',
    ],
    ['"text"', 'line 1, column 1: the whole expression must be true or false, but it gives string'],
    [
      'order.items.map(i, i)',
      'line 1, column 1: the whole expression must be true or false, but it gives list',
    ],
    ['1 == "x"', 'line 1, column 1: no such overload: int == string'],
    ['true && "x"', "line 1, column 1: Logical operator requires bool operands, got 'string'"],
    ['a.b.matches("^(a+)+$")', `line 1, column 1: ${REGEX}`],
    ['a == 1 || "aaa".matches(b)', `line 1, column 11: ${REGEX}`],
    ['a.all(i, i.exists(j, j == i))', `line 1, column 10: ${inside('exists')}`],
    ['a.map(i, i.x.filter(j, true)) == a', `line 1, column 10: ${inside('filter')}`],
    ['a.filter(i, true).exists(i, [i].exists_one(j, true))', `line 1, column 29: ${inside('exists_one')}`],
    ['a.filter(i, true).exists(i, true)', null],
    ['a.split(",").size() > 1', `line 1, column 1: there is no method split(); there are ${METHODS}`],
    ['cel.bind(x, a + a, x + x) == "b"', `line 1, column 1: there is no method bind(); there are ${METHODS}`],
    ['a.b.json() == 1', `line 1, column 1: there is no method json(); there are ${METHODS}`],
    [
      'now() > 1',
      'line 1, column 1: there is no function now(); there are has, size, int, double, string, timestamp, dyn',
    ],
    [
      'duration("1h") > a',
      'line 1, column 1: there is no function duration(); there are has, size, int, double, string, timestamp, dyn',
    ],
    [
      'a == b"x"',
      'line 1, column 6: bytes and unsigned numbers are not offered: write strings and numbers as JSON has them',
    ],
    [
      'a == 5u',
      'line 1, column 6: bytes and unsigned numbers are not offered: write strings and numbers as JSON has them',
    ],
    ['a == {}', 'line 1, column 6: map literals are not offered'],
    [
      'type == "x"',
      'line 1, column 1: "type" is a word of CEL: for a field of that name write data.type or data.object.type',
    ],
    ['data.type == "x"', null],
    [
      'a.contains("x", "y")',
      "line 1, column 1: found no matching overload for 'dyn.contains(string, string)'",
    ],
    ['has(1)', 'line 1, column 5: has() takes names joined by dots, such as has(order.total)'],
    ['a.exists(1, true)', 'line 1, column 10: exists(var, predicate) invalid predicate iteration variable'],
    [`${'('.repeat(40)}a${')'.repeat(40)}`, 'line 1, column 33: it is nested more than 32 deep'],
    [`[${'1,'.repeat(201)}].exists(i, true)`, 'line 1, column 402: a list has more than 200 elements'],
    [Array(600).fill('a').join('<'), 'line 1, column 1: it has more than 1000 parts'],
  ])('%s', (text, problem) => {
    expect(problemOf(text)).toBe(problem === null ? null : `must be a CEL expression: ${problem}`)
  })

  test('a deep chain of operators is no trouble', () => {
    const compiled = compileExpression(`${'!'.repeat(900)}true`)
    expect(compiled.ok).toBe(true)
    expect(refusal(`${'!'.repeat(900)}true`, viewOf())).toBeNull()
    expect(problemOf(`${'!'.repeat(1999)}a`)).toContain('more than 1000 parts')
  })
})

describe('is bounded by a count', () => {
  const huge = Array.from({ length: 200_000 }, (_, i) => ({ i }))
  const view = (object: Record<string, unknown>) => viewOf({ event: 'order.created', object })
  const members = (count: number) => Object.fromEntries(huge.slice(0, count).map(({ i }) => [`k${i}`, i]))
  const long = 'ab'.repeat(3_000_000)
  test.each<[string, string, Record<string, unknown>]>([
    ['exists', 'order.a.exists(e, e.i == -1)', { a: huge }],
    ['exists with trouble at every element', 'order.a.exists(e, e.x == 1)', { a: huge }],
    ['all', 'order.a.all(e, true)', { a: huge }],
    [
      'a chain of filters',
      'order.a.filter(e, true).filter(e, true).size() == 1',
      { a: huge.slice(0, 30_000) },
    ],
    ['membership', '-1 in order.a', { a: huge }],
    [
      'membership inside a comprehension',
      'order.a.exists(e, e in order.b)',
      { a: huge.slice(0, 1000), b: Array(1000).fill(0) },
    ],
    ['equality', 'order.a == order.b', { a: huge, b: structuredClone(huge) }],
    ['comparing objects', 'order.o == order.p', { o: members(120_000), p: members(119_999) }],
    ['joining lists', '(order.a + order.a).size() == 1', { a: huge }],
    ['joining texts', `(${Array(100).fill('order.t').join(' + ')}).contains("x")`, { t: long }],
    ['searching', Array(4).fill('order.t.contains("aa")').join(' || '), { t: long }],
    ['counting', 'size(order.t) == 1', { t: long }],
    ['trouble that another side would hide', '-1 in order.a || true', { a: huge }],
  ])('%s', (_, text, object) => {
    const tookMs = cpuMsOf(() => {
      expect(refusal(text, view(object))).toBe(
        'too_complex: the event is too large for the rules: they would take more than 100000 steps together',
      )
    })
    expect(tookMs).toBeLessThan(2000)
  })

  test('an answer that is found early costs nothing more', () => {
    expect(refusal('order.a.exists(e, e.i == 5)', view({ a: huge }))).toBeNull()
  })

  test('ten thousand elements are within it', () => {
    expect(refusal('order.a.all(e, e.i >= 0 && e.i < 200000)', view({ a: huge.slice(0, 10_000) }))).toBeNull()
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { elementStarts, memberSpans, nestingDepth } from '../../../../src/base/json/members.ts'
import { cpuMsOf } from '../../../support/cpu-time.ts'
import { anyArrayText, anyObjectText, anyPlainObjectText, anySpace, anyValueText } from './json-texts.ts'

/** A quadratic walk of 5 MB takes hours. */
const LINEAR_MS = 2_000
const RUNS = { numRuns: 1_000 }

function membersOf(text: string, start = 0): [string, string][] {
  return [...memberSpans(text, start)].map(([name, span]) => [name, text.slice(span.start, span.end)])
}

function depthOf(text: string): number {
  return nestingDepth(text, { start: 0, end: text.length })
}

describe('the members of an object', () => {
  test('are found to the character, the last of a name given twice, whatever the white space and escapes', () => {
    fc.assert(
      fc.property(anyObjectText, anySpace, ({ text, members }, space) => {
        const expected = new Map(
          members.map(({ nameText, valueText }) => [JSON.parse(nameText) as string, valueText]),
        )
        expect(new Map(membersOf(space + text + space))).toEqual(expected)
      }),
      RUNS,
    )
  })

  test('parse to what JSON.parse makes of the whole', () => {
    fc.assert(
      fc.property(anyPlainObjectText, ({ text }) => {
        const parsed = JSON.parse(text) as Record<string, unknown>
        const spans = membersOf(text).map(([name, part]) => [name, JSON.stringify(JSON.parse(part))])
        const whole = Object.entries(parsed).map(([name, value]) => [name, JSON.stringify(value)])
        expect(spans.sort()).toEqual(whole.sort())
      }),
      RUNS,
    )
  })

  test('are found in an object that stands inside another text', () => {
    fc.assert(
      fc.property(fc.array(anyObjectText, { minLength: 1, maxLength: 4 }), (objects) => {
        const text = `[${objects.map((object) => object.text).join(' ,\n')}]`
        const found = elementStarts(text, 0).map((start) => membersOf(text, start))
        expect(found).toEqual(objects.map((object) => membersOf(object.text)))
      }),
    )
  })

  test.each([
    ['an empty object', '{}', []],
    ['an object of nothing but white space', ' {\n\t\r } ', []],
    ['a number with a trailing zero', '{"a":2567.50}', [['a', '2567.50']]],
    ['a number beyond 2^53', '{"a":12345678901234567890}', [['a', '12345678901234567890']]],
    ['a number in front of white space', '{"a":-1.0E+2 \n}', [['a', '-1.0E+2']]],
    ['an empty name', '{"":1}', [['', '1']]],
    ['an escaped name', '{"d\\u0061ta":1}', [['data', '1']]],
    ['a name of a quote', '{"\\"":1}', [['"', '1']]],
    [
      'a name ending in a backslash',
      '{"a\\\\":1,"b":2}',
      [
        ['a\\', '1'],
        ['b', '2'],
      ],
    ],
    [
      '__proto__',
      '{"__proto__":{"data":1},"b":2}',
      [
        ['__proto__', '{"data":1}'],
        ['b', '2'],
      ],
    ],
    ['a name given twice', '{"a":1,"a":[2]}', [['a', '[2]']]],
    ['a name given twice, once escaped', '{"a":1,"\\u0061":2}', [['a', '2']]],
    [
      'a string full of structure',
      '{"a":"}],{[\\"","b":1}',
      [
        ['a', '"}],{[\\""'],
        ['b', '1'],
      ],
    ],
    [
      'a string of backslashes',
      '{"a":"\\\\\\\\","b":1}',
      [
        ['a', '"\\\\\\\\"'],
        ['b', '1'],
      ],
    ],
    [
      'a string ending in an escaped quote',
      '{"a":"\\\\\\"","b":1}',
      [
        ['a', '"\\\\\\""'],
        ['b', '1'],
      ],
    ],
    [
      'a nested object full of quoted braces',
      '{"a":{"}":"{"},"b":1}',
      [
        ['a', '{"}":"{"}'],
        ['b', '1'],
      ],
    ],
    ['text beyond the basic plane', '{"😀":"漢\u2028é"}', [['😀', '"漢\u2028é"']]],
    [
      'half a surrogate pair',
      '{"a":"\\ud800","b":1}',
      [
        ['a', '"\\ud800"'],
        ['b', '1'],
      ],
    ],
  ])('%s', (_, text, members) => {
    expect(membersOf(text)).toEqual(members)
  })
})

describe('the elements of an array', () => {
  test('begin where they were written', () => {
    fc.assert(
      fc.property(anyArrayText, ({ text, starts }) => {
        expect(elementStarts(text, 0)).toEqual(starts)
      }),
      RUNS,
    )
  })

  test('are counted from the start of the text, not of the array', () => {
    expect(elementStarts('{"events": [ {}, [] ]}', 10)).toEqual([13, 17])
  })
})

describe('the nesting depth of a value', () => {
  test('is that of its deepest array or object', () => {
    fc.assert(
      fc.property(anyValueText, ({ text, depth }) => {
        expect(depthOf(text)).toBe(depth)
      }),
      RUNS,
    )
  })

  test.each([
    ['1', 0],
    ['"[[[{{{"', 0],
    ['"\\"[["', 0],
    ['{}', 1],
    ['[[],[[]]]', 3],
    ['{"a":[{"b":"[["}]}', 3],
  ])('of %s is %i', (text, depth) => {
    expect(depthOf(text)).toBe(depth)
  })

  test('counts nothing outside its span', () => {
    expect(nestingDepth('[[[1]]]', { start: 2, end: 5 })).toBe(1)
  })
})

describe('5 MB of hostile text', () => {
  const MB5 = 5_000_000
  test.each([
    ['one string of backslashes', `{"a":"${'\\'.repeat(MB5)}"}`, 1],
    ['one string of escaped quotes', `{"a":"${'\\"'.repeat(MB5 / 2)}"}`, 1],
    ['backslash runs before every quote', `{"a":"${'\\\\\\\\\\"'.repeat(MB5 / 6)}"}`, 1],
    ['one nest of arrays', `{"a":${'['.repeat(MB5 / 2)}${']'.repeat(MB5 / 2)}}`, 1],
    ['one nest of objects', `{"a":${'{"":'.repeat(MB5 / 5)}1${'}'.repeat(MB5 / 5)}}`, 1],
    ['white space', `{${' '.repeat(MB5)}"a":1}`, 1],
    ['empty strings', `{"a":[${'"",'.repeat(MB5 / 3)}1]}`, 1],
    ['one number', `{"a":${'1'.repeat(MB5)}}`, 1],
    ['one name many times', `{${'"a":{},'.repeat(MB5 / 7)}"a":1}`, 1],
    ['one escaped name', `{"${'\\u0061'.repeat(MB5 / 6)}":1}`, 1],
  ])('%s is walked in linear time', (_, text, members) => {
    const tookMs = cpuMsOf(() => {
      expect(memberSpans(text, 0).size).toBe(members)
      depthOf(text)
    })
    expect(tookMs).toBeLessThan(LINEAR_MS)
  })

  test('an array of a million elements is walked in linear time', () => {
    const text = `[${'[],'.repeat(1_000_000)}0]`
    const tookMs = cpuMsOf(() => {
      expect(elementStarts(text, 0)).toHaveLength(1_000_001)
    })
    expect(tookMs).toBeLessThan(LINEAR_MS)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRawJson, RawNumber, rawJsonText, rawText } from '../../../../src/base/json/raw-number.ts'

const ODD_NUMBERS = [
  '2567.50',
  '0.00',
  '-0',
  '-0.0',
  '1E5',
  '1e+5',
  '1e400',
  '-1.0E-2',
  '12345678901234567890',
  '123456789012345678901234567890',
  '0.1000000000000000055511151231257827',
]

describe('a number', () => {
  test.each(ODD_NUMBERS)('%s is printed as it was written, alone and inside', (source) => {
    expect(rawJsonText(parseRawJson(source))).toBe(source)
    expect(rawJsonText(parseRawJson(`{"a":[${source},1]}`))).toBe(`{"a":[${source},1]}`)
    expect(rawText(parseRawJson(source))).toBe(source)
  })

  test.each(ODD_NUMBERS)('%s calculates and compares as the number JSON.parse makes of it', (source) => {
    const raw = parseRawJson(source) as RawNumber
    const plain = JSON.parse(source) as number
    expect(raw).toBeInstanceOf(RawNumber)
    expect(Number(raw)).toBe(plain)
    expect(raw.equals(plain)).toBe(true)
    expect(raw.equals(parseRawJson(source))).toBe(true)
    expect(raw.equals('x')).toBe(false)
    expect([raw.gt(plain), raw.geq(plain), raw.lt(plain), raw.leq(plain)]).toEqual([false, true, false, true])
  })

  test.each(['0', '1', '-1.5', '2567.5', '1e+21', '9007199254740991'])(
    '%s is a plain one where that prints the same',
    (source) => {
      expect(parseRawJson(source)).toBe(JSON.parse(source))
    },
  )

  test('has no members for a path to find', () => {
    expect(Reflect.ownKeys(parseRawJson('1.10') as object)).toEqual([])
  })
})

test('any JSON comes back as JSON.stringify prints it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const printed = JSON.stringify(JSON.parse(text))
      expect(rawJsonText(parseRawJson(printed))).toBe(printed)
    }),
  )
})

test('a member called __proto__ stays a member', () => {
  expect(rawJsonText(parseRawJson('{"__proto__":{"a":1.10},"b":2}'))).toBe('{"__proto__":{"a":1.10},"b":2}')
})

test.each([
  [undefined, 'null', ''],
  [null, 'null', ''],
  ['a"', '"a\\""', 'a"'],
  [true, 'true', 'true'],
  [[1, 'a'], '[1,"a"]', '[1,"a"]'],
  [{ a: null }, '{"a":null}', '{"a":null}'],
])('%j is %s as JSON and "%s" inside text', (value, json, text) => {
  expect([rawJsonText(value), rawText(value)]).toEqual([json, text])
})

test('what is not JSON is refused as JSON.parse does', () => {
  expect(() => parseRawJson('{"a":')).toThrow(SyntaxError)
})

import { describe, expect, test } from 'vitest'
import { compileTransform, transformSchema } from '../../../../../src/shape/transform.ts'

const OBJECT =
  '{"a": {"b": 1.50, "c": "<x>"}, "list": ["p", {"q": 1}, null, [2, 3]], "half": "a\\ud800b", "n": 7, "t": "x-y"}'
const EVENT = `{"id":"e","event":"order.made","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":{"object":${OBJECT}},"context":{}}`

const inText = (expression: string) => {
  const transform = transformSchema.parse({ template: `>{{ ${expression} }}<`, contentType: 'text/plain' })
  const result = compileTransform(transform)({ text: EVENT })
  return result.kind === 'rendered' ? result.text : result.message
}

describe('filters of texts take lists and objects as JSON', () => {
  const A = '{"b":1.50,"c":"<x>"}'
  const LIST = '["p",{"q":1},null,[2,3]]'
  test.each([
    ['a | url_encode', encodeURIComponent(A)],
    ['a | cgi_escape', encodeURIComponent(A)],
    ['a | uri_escape', encodeURI(A)],
    ['a | upcase', A.toUpperCase()],
    ['list | downcase', LIST],
    ['a | escape', '{&quot;b&quot;:1.50,&quot;c&quot;:&quot;&lt;x&gt;&quot;}'],
    ['a | append: list', A + LIST],
    ['t | append: a', `x-y${A}`],
    ['t | prepend: a', `${A}x-y`],
    ['t | replace: "-", a', `x${A}y`],
    ['a | replace: a, "same"', 'same'],
    ['a | remove_first: "b"', '{"":1.50,"c":"<x>"}'],
    ['a | split: ":" | size', '3'],
    ['list | join: ";"', 'p;{"q":1};;[2,3]'],
    ['list | join: a | size', String('p{"q":1}[2,3]'.length + 3 * A.length)],
    ['a | join: ","', A],
    ['list | array_to_sentence_string', 'p, {"q":1}, , and [2,3]'],
    ['a | truncate: 8', '{"b":...'],
    ['a | slice: 0, 5', '{"b":'],
    ['list | slice: 1, 1', '[{"q":1}]'],
    ['a | base64_encode', btoa(A)],
    ['a | strip_html', '{"b":1.50,"c":""}'],
    ['n | append: nil', '7'],
    ['nothing | upcase', ''],
    ['nothing | url_encode', ''],
    ['a.b | append: "!"', '1.50!'],
    ['"a%20b+c" | url_decode', 'a b c'],
  ])('%s gives %s', (expression, text) => {
    expect(inText(expression)).toBe(`>${text}<`)
  })
})

describe('a filter that has no answer', () => {
  test.each(['divided_by', 'modulo'])('%s fails for a divisor of 0, of nothing and of no number', (name) => {
    const failure = expect.stringContaining(`${name} must not divide by zero`)
    for (const divisor of ['0', '0.0', 'nothing', 't'])
      expect(inText(`n | ${name}: ${divisor}`)).toEqual(failure)
    expect(inText(`n | ${name}`)).toEqual(failure)
  })

  test('divides by anything else', () => {
    expect(inText('n | divided_by: 2')).toBe('>3.5<')
    expect(inText('n | divided_by: 2, true')).toBe('>3<')
    expect(inText('n | modulo: "-4"')).toBe('>-1<')
  })

  test('url_decode fails by its name for what is no escape', () => {
    expect(inText('"100%" | url_decode')).toContain('url_decode must get text')
    expect(inText('"%ff" | url_decode')).toContain('url_decode must get text')
  })
})

test.each([
  ['url_encode', 'a%EF%BF%BDb'],
  ['cgi_escape', 'a%EF%BF%BDb'],
  ['uri_escape', 'a%EF%BF%BDb'],
])('%s takes half of a surrogate pair for U+FFFD', (name, text) => {
  expect(inText(`half | ${name}`)).toBe(`>${text}<`)
})

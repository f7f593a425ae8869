import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indentJson } from '../../../apps/dashboard/src/components/json/indent-json.ts'

test('each value stands as it was sent: no number loses a digit, no text an escape', () => {
  const sent =
    '{"total":2567.50,"big":12345678901234567890,"e":1E400,"text":"a\\u00e9 {\\"b\\": [1,2]}","none":null}'
  expect(
    indentJson(sent)
      ?.split('\n')
      .map((line) => line.trim()),
  ).toEqual([
    '{',
    '"total": 2567.50,',
    '"big": 12345678901234567890,',
    '"e": 1E400,',
    '"text": "a\\u00e9 {\\"b\\": [1,2]}",',
    '"none": null',
    '}',
  ])
})

test('it is indented as JSON.stringify does it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const printed = JSON.stringify(value)
      // Empty lists and objects stay on their line in both.
      expect(indentJson(printed)).toBe(JSON.stringify(JSON.parse(printed), null, 2))
    }),
  )
})

test.each(['', 'plain text', '<xml/>', '{"a":1', 'a=1&b=2'])('a text that is no JSON is none: %j', (text) => {
  expect(indentJson(text)).toBeNull()
})

import { describe, expect, test } from 'vitest'
import {
  pathCompleter,
  templateCompleter,
  typeCompleter,
  withOption,
} from '../../../apps/dashboard/src/components/completion/completion.ts'
import { errorPlace } from '../../../apps/dashboard/src/components/completion/error-place.ts'
import { eventPaths } from '../../../apps/dashboard/src/components/completion/event-paths.ts'

const PATHS = ['data', 'data.object', 'data.object.total', 'event']

describe('completion', () => {
  test('offers what begins as the word before the caret, then what holds it', () => {
    const complete = pathCompleter(PATHS)
    expect(complete('x == data.o', 11)).toEqual({ from: 5, to: 11, options: PATHS.slice(1, 3) })
    expect(complete('tot', 3)?.options).toEqual(['data.object.total'])
    expect([complete('', 0), complete('5 > ', 4), complete('nothing', 7)]).toEqual([null, null, null])
  })

  test('puts an option in the place of the word, and the caret behind it', () => {
    const completion = { from: 2, to: 4, options: [] }
    expect(withOption('a da b', completion, 'data')).toEqual({ text: 'a data b', caret: 6 })
  })

  test('of types offers patterns too', () => {
    const complete = typeCompleter(['a.b.c', 'a.b.d'])
    expect(complete('a', 1)?.options).toEqual(['a.*', 'a.b.*', 'a.b.c', 'a.b.d'])
  })

  test('of a template is there within outputs and tags alone', () => {
    const complete = templateCompleter(PATHS)
    const isOffered = (text: string) => complete(text, text.length) !== null
    expect(['{"data', '{"a": "{{ data', '{{ data }} data', '{% if data'].map(isOffered)).toEqual([
      false,
      true,
      false,
      true,
    ])
  })
})

test('paths of events are those of the sample, of examples and of schemas; lists stand for their elements', () => {
  const sample = { event: 'a', data: { lines: [{ sku: 'A' }, { no: 1 }] } }
  const types = [
    {
      example: { total: 5 },
      schema: { properties: { paid: {}, lines: { items: { properties: { tax: {} } } } } },
    },
  ]
  expect(eventPaths(sample, types)).toEqual(
    expect.arrayContaining([
      'event',
      'data.lines.sku',
      'data.lines.no',
      'data.total',
      'data.paid',
      'data.lines.tax',
    ]),
  )
})

describe('the place of an error', () => {
  const placeOf = (text: string, message: string) => {
    const { line, column, offset } = errorPlace(text, message) ?? {}
    return [line, column, offset]
  }

  test('is counted within the rule that is refused', () => {
    const message = 'filters[1]: must be a CEL expression: line 1, column 3: x'
    expect(placeOf('a == 1\n\n  b !! 2', message)).toEqual([3, 5, 12])
  })

  test('is counted within the text of a template, also where that stands in JSON', () => {
    expect(placeOf('a\n{{ b | }}', 'transform.template: x (line 2, column 4)')).toEqual([2, 4, 5])
    const inJson = 'transform.template.sum: x (line 1, column 4)'
    expect(placeOf('{\n  "sum": "{{ b | }}"\n}', inJson)).toEqual([2, 14, 15])
  })

  test('of JSON is the one that the browser names, and none where none is named', () => {
    expect(placeOf('{"a": 1,}', 'is no JSON: Expected … at position 8 (line 1 column 9)')).toEqual([1, 9, 8])
    expect(errorPlace('x', 'must be a whole number')).toBeNull()
    expect(errorPlace('x', 'filters[4]: line 3, column 1')).toBeNull()
  })
})

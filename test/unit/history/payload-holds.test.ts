import { describe, expect, test } from 'vitest'
import { needlesOf, type PayloadSearch } from '../../../src/history/search/needles.ts'
import { payloadHolds } from '../../../src/history/search/payload-holds.ts'

/** The stored text of an event's payload. */
const bodyOf = (data: string) =>
  `"timestamp":"2026-11-02T12:00:00Z","livemode":true,"api_version":"1","data":${data},"context":{}}`

function holds(data: string, search: PayloadSearch): boolean {
  return payloadHolds({ type: 'invoice.paid', ownId: 'own', body: bodyOf(data) }, search, needlesOf(search))
}

const text = (value: string): PayloadSearch => ({ kind: 'text', text: value })
const value = (path: string, equals: string): PayloadSearch => ({ kind: 'value', path, equals })

describe('a text is found', () => {
  test.each([
    ['in any case', '{"name":"Meier & Söhne"}', 'meier'],
    ['written with escapes', '{"name":"Meier & S\\u00f6hne"}', 'Söhne'],
    ['with a slash that is escaped', '{"url":"https:\\/\\/a.example\\/b"}', 'a.example/b'],
    ['with quotes in it', '{"name":"so \\"called\\""}', '"called"'],
    ['as a piece of JSON', '{"total":25,"paid":true}', '"total":25'],
  ])('%s', (_, data, wanted) => {
    expect(holds(data, text(wanted))).toBe(true)
  })

  test('only where it is', () => {
    expect(holds('{"name":"Meier"}', text('Meyer'))).toBe(false)
  })
})

describe('a value is found', () => {
  test.each([
    ['a text', '{"object":{"id":"in_42"}}', 'data.object.id', 'in_42'],
    ['under an alias of the resource', '{"object":{"id":"in_42"}}', 'invoice.id', 'in_42'],
    ['a number', '{"object":{"total":2567.50}}', 'data.object.total', '2567.5'.concat('0')],
    ['true', '{"object":{"paid":true}}', 'data.object.paid', 'true'],
    ['null', '{"object":{"paid":null}}', 'data.object.paid', 'null'],
    ['one of an array', '{"object":{"tags":["new","vip"]}}', 'data.object.tags', 'vip'],
    ['of one element of an array', '{"lines":[{"sku":"a"},{"sku":"b"}]}', 'data.lines.sku', 'b'],
    ['with a slash that is escaped', '{"object":{"id":"a\\/b"}}', 'data.object.id', 'a/b'],
    ['written with escapes', '{"object":{"id":"\\u00fcber"}}', 'data.object.id', 'über'],
  ])('%s', (_, data, path, equals) => {
    expect(holds(data, value(path, equals))).toBe(true)
  })

  test.each([
    ['elsewhere in the payload', '{"object":{"id":"a","ref":"in_42"}}', 'data.object.id', 'in_42'],
    ['as a part of another', '{"object":{"id":"in_421"}}', 'data.object.id', 'in_42'],
    ['of an object', '{"object":{"id":{"id":"in_42"}}}', 'data.object.id', '[object Object]'],
    ['where the path leads nowhere', '{"object":{}}', 'data.object.id', 'undefined'],
  ])('not %s', (_, data, path, equals) => {
    expect(holds(data, value(path, equals))).toBe(false)
  })
})

import { describe, expect, test } from 'vitest'
import { type TrialEvent, templateWarnings } from '../../../src/shape/template-warnings.ts'

const MADE_UP: TrialEvent = { type: 'order.created', data: {}, isMadeUp: true }
const example = (data: unknown): TrialEvent => ({ type: 'order.created', data, isMadeUp: false })
const messagesOf = (template: unknown, contentType?: string, events: TrialEvent[] = [MADE_UP]) =>
  templateWarnings({ template, ...(contentType && { contentType }) }, events).map(
    ({ path, message }) => `${path}: ${message}`,
  )

describe('a text that cannot be JSON', () => {
  test.each(['New order {{ data.id }}', '<xml>', 'plain'])('%s is told what to do', (template) => {
    const messages = messagesOf(template)
    expect(messages.at(-1)).toMatch(/^transform\.template: .*(json|text\/plain)/)
  })

  test.each(['', '{"a":1,}', '{% if data.x %}{"a": 1}{% endif %}'])('"%s" fails its trial', (template) => {
    expect(messagesOf(template)).toEqual([
      expect.stringMatching(
        /^transform\.template: fails for an event without data: must give JSON: .*; write JSON with "\| json"/,
      ),
    ])
  })

  test('the example of the catalogue is tried as well, and named', () => {
    const template = '{"n": {{ data.items | size }}{% if data.bad %},{% endif %}}'
    expect(messagesOf(template, undefined, [example({ bad: true }), MADE_UP])).toEqual([
      expect.stringContaining('fails for the example of order.created: must give JSON'),
    ])
    expect(messagesOf(template, undefined, [example({ items: [] }), MADE_UP])).toEqual([])
  })
})

describe('an output that some values break', () => {
  test.each([
    ['{"text": "{{ data.note }}"}', '{{ data.note }} stands between quotes (line 1, column 11)'],
    ['{"text": "a \\" {{ data.note | upcase }}"}', '{{ data.note | upcase }} stands between quotes'],
    ['{"n": {{ data.total }}}', '{{ data.total }} has no "| json" at its end (line 1, column 7)'],
    ['[{% for i in data.items %}{{ i.sku }},{% endfor %}1]', '{{ i.sku }} has no "| json"'],
    ['{"text": "{{ data.note | json }}"}', '{{ data.note | json }} stands between quotes'],
  ])('%s', (template, warning) => {
    expect(messagesOf(template)).toContainEqual(expect.stringContaining(warning))
  })

  test.each([
    '{"text": {{ data.note | json }}, "n": {{ data.total | times: 2 }}}',
    '{"id": "{{ event.id }}", "at": "{{ event.timestamp }}", "q": "?a={{ data.x | url_encode }}"}',
    '[{% for i in data.items %}{{ i.sku | json }}{% unless forloop.last %},{% endunless %}{% endfor %}]',
    '{% capture x %}{{ data.note }}{% endcapture %}{{ x | json }}',
    '{{ data }}',
  ])('%s has none', (template) => {
    expect(messagesOf(template)).toEqual([])
  })
})

describe('templates without such a fault', () => {
  test.each([
    [{ a: 'New {{ data.id }}', b: '{{ data.total }}' }, undefined],
    ['New {{ data.id }}', 'text/plain'],
    ['<a>{{ data.id }}</a>', 'application/xml'],
    ['id={{ data.id }}', 'application/x-www-form-urlencoded'],
  ])('%j', (template, contentType) => {
    expect(messagesOf(template, contentType)).toEqual([])
  })
})

describe('a filter that fails', () => {
  const template = { rate: '{{ data.a | divided_by: data.b }}' }

  test('is told for an example, and for made-up data where there is no example', () => {
    const failure = /^transform\.template\.rate: fails for .*: divided_by must not divide by zero/
    expect(messagesOf(template, undefined, [example({ a: 1, b: 0 })])).toEqual([
      expect.stringMatching(failure),
    ])
    expect(messagesOf(template)).toEqual([expect.stringMatching(failure)])
    expect(messagesOf(template, undefined, [example({ a: 1, b: 2 }), MADE_UP])).toEqual([])
  })
})

test('trials are bounded together, and what they cannot afford says nothing', () => {
  const events = Array.from({ length: 50 }, () => example({ text: 'x'.repeat(100_000) }))
  const template = '{% for i in (1..40) %}{% assign a = data.text | upcase %}{% endfor %}1'
  expect(messagesOf(template, undefined, events)).toEqual([])
})

import { describe, expect, test } from 'vitest'
import { isJsonContentType } from '../../../src/shape/content-type.ts'
import { compileTransform, storedTransformSchema, transformSchema } from '../../../src/shape/transform.ts'

const problemsOf = (transform: unknown) =>
  transformSchema.safeParse(transform).error?.issues.map(({ path, message }) => [path.join('.'), message])

describe('a transform is refused when it is saved', () => {
  test('each string that does not compile is named, with line and column', () => {
    const template = {
      a: { b: ['{{ x | nofilter }}', 'ok'] },
      c: 'line\n {% include "x" %}',
      d: '{{ x',
      e: '{% if a %}',
      f: '{{ "now" | date: "%Y" }}',
      g: '{{ x }}',
    }
    expect(problemsOf({ template })).toEqual([
      ['template.a.b.0', 'has no filter "nofilter" (line 1, column 1)'],
      [
        'template.c',
        expect.stringMatching(/^has no tag "include"; the tags are if, .* \(line 2, column 2\)$/),
      ],
      ['template.d', 'output "{{ x" not closed (line 1, column 1)'],
      ['template.e', 'tag {% if a %} not closed (line 1, column 1)'],
      ['template.f', expect.stringMatching(/^must not read the clock \("now"\).*event\.timestamp/)],
    ])
  })

  test.each([
    'include "x"',
    'render "x"',
    'layout "x"',
    'block x',
    'tablerow x in y',
    'cycle 1, 2',
    'increment x',
  ])('the tag %s is not there', (tag) => {
    expect(problemsOf({ template: [`{% ${tag} %}`] })).toEqual([
      ['template.0', expect.stringContaining(`has no tag "${tag.split(' ')[0]}"`)],
    ])
  })

  test.each([
    'where_exp',
    'find_exp',
    'group_by_exp',
    'sample',
    'sha256',
    'hmac_sha256',
    'inspect',
    'constructor',
  ])('the filter %s is not there', (filter) => {
    expect(problemsOf({ template: [`{{ x | ${filter} }}`] })).toEqual([
      ['template.0', `has no filter "${filter}" (line 1, column 1)`],
    ])
  })

  test.each([
    [{ template: 5 }, 'template', 'must be an object, a list or a string'],
    [{ template: null }, 'template', 'must be an object, a list or a string'],
    [{}, 'template', 'is required: an object, a list or a string'],
    [{ template: {}, contentType: 'text/plain' }, 'template', expect.stringMatching(/^must be one string/)],
    [{ template: {}, contentType: 'application/soap+xml' }, 'template', expect.stringMatching(/one string/)],
    [
      { template: [], contentType: 'application/x-www-form-urlencoded' },
      'template',
      expect.stringMatching(/^must be an object, the form/),
    ],
    [{ template: {}, extra: 1 }, '', expect.stringContaining('extra')],
  ])('%j: %s %s', (transform, path, message) => {
    expect(problemsOf(transform)).toEqual([[path, message]])
  })

  test.each([
    'image/png',
    'application/octet-stream',
    'multipart/form-data',
    'application/json\r\nX-Evil: 1',
    'application/json; charset=utf-8\n',
    'application/json; charset=latin1',
    'application/json; charset',
    'json',
    '',
    `text/${'x'.repeat(300)}`,
  ])('the content type %j', (contentType) => {
    expect(problemsOf({ template: 'x', contentType })).toEqual([
      ['contentType', expect.stringMatching(/^must be application\/json, .*\+xml/)],
    ])
  })

  test('one that was saved all the same fails for every event, by path', () => {
    const render = compileTransform(storedTransformSchema.parse({ template: { a: '{% nope %}' } }))
    expect(render({ text: '{"event":"a.b"}' })).toEqual({
      kind: 'failed',
      path: 'template.a',
      message: expect.stringContaining('has no tag "nope"') as string,
    })
  })
})

test.each([
  ['application/json', true],
  ['Application/JSON; charset=UTF-8', true],
  ['application/vnd.api+json; a="b; c"', true],
  ['text/csv', false],
  ['application/xml', false],
  ['image/svg+xml', false],
  ['application/x-www-form-urlencoded', false],
])('%s is allowed; JSON: %s', (contentType, isJson) => {
  expect(isJsonContentType(contentType)).toBe(isJson)
  expect(problemsOf({ template: '{{ id }}', contentType })).toBeUndefined()
})

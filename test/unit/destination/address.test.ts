import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileAddress } from '../../../src/destination/address.ts'
import { checkUrl, fixedUrl } from '../../../src/destination/url-template.ts'
import { headerProblems } from '../../../src/shape/headers.ts'

const RULES = { allowPrivate: false, ownHostnames: ['relay.example.com'] }
const inputOf = (data: unknown) => ({
  text: JSON.stringify({
    id: 'evt_1',
    event: 'order.created',
    timestamp: '2026-01-01T00:00:00Z',
    data,
    context: {},
  }),
})
const urlOf = (url: string, data: unknown = {}) => {
  const rendered = compileAddress(url, {})?.(inputOf(data))
  return rendered?.kind === 'rendered' ? rendered.url : rendered
}
const headerOf = (value: string, data: unknown = {}) => {
  const rendered = compileAddress('https://a.example.com/', { 'X-A': value })?.(inputOf(data))
  return rendered?.kind === 'rendered' ? rendered.headers['X-A'] : rendered
}
const failed = (path: string, message: RegExp) => ({
  kind: 'failed',
  path,
  message: expect.stringMatching(message) as string,
})

describe('outputs in the path and query of a URL', () => {
  test.each<[string, unknown, string]>([
    ['https://a.example.com/{{event.type}}', {}, 'https://a.example.com/order.created'],
    ['https://a.example.com/o/{{ data.id }}?e={{ id }}', { id: 7 }, 'https://a.example.com/o/7?e=evt_1'],
    ['https://a.example.com?q={{ data.q }}', { q: 'a b&c=d#e' }, 'https://a.example.com?q=a%20b%26c%3Dd%23e'],
    [
      'https://a.example.com/{{ data.q }}',
      { q: '../x\\y//@b:1' },
      'https://a.example.com/..%2Fx%5Cy%2F%2F%40b%3A1',
    ],
    [
      'https://a.example.com/{{ data.q }}',
      { q: 'é\ud800😀\r\n' },
      'https://a.example.com/%C3%A9%EF%BF%BD%F0%9F%98%80%0D%0A',
    ],
    ['https://a.example.com/{{ data.n }}', { n: 1.5 }, 'https://a.example.com/1.5'],
    ['https://a.example.com/{{ data.none | default: "all" }}', {}, 'https://a.example.com/all'],
    [
      'https://a.example.com/x?f={%22a%22:1}&t={{ event }}',
      {},
      'https://a.example.com/x?f={%22a%22:1}&t=order.created',
    ],
  ])('%s with %j', (url, data, expected) => {
    expect(urlOf(url, data)).toBe(expected)
  })

  test.each<[string, unknown, RegExp]>([
    ['{{ data.none }}', {}, /gives nothing: add a default/],
    ['{{ data.q }}', { q: '..' }, /must not give "\." or ".."/],
    ['a/{{ data.q }}.', { q: '.' }, /must not give "\."/],
    ['%2e{{ data.q }}/b', { q: '.' }, /must not give "\."/],
    ['{{ data.q }}', { q: 'x'.repeat(3000) }, /at most 2048 characters, not 3022/],
    ['{{ 1 | divided_by: data.q }}', { q: 0 }, /must not divide by zero/],
  ])('https://a.example.com/%s with %j fails the delivery', (rest, data, message) => {
    expect(urlOf(`https://a.example.com/${rest}`, data)).toEqual(failed('url', message))
  })

  test('no value reaches another origin or another depth of the path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        const url = urlOf('https://a.example.com:8443/x/{{ data.a }}/y?b={{ data.a }}', { a: value })
        if (typeof url !== 'string') return
        const parsed = new URL(url)
        expect([parsed.origin, parsed.pathname.split('/').length, parsed.hash]).toEqual([
          'https://a.example.com:8443',
          4,
          '',
        ])
        expect([...parsed.searchParams.keys()]).toEqual(['b'])
        expect(parsed.searchParams.get('b')).toBe(value.toWellFormed())
      }),
    )
  })
})

describe('outputs in header values', () => {
  test.each<[string, unknown, string]>([
    ['{{ event.type }}', {}, 'order.created'],
    ['v1 {{ data.a | upcase }}!', { a: 'x' }, 'v1 X!'],
    ['{{ data.a }}', { a: 'x\r\nSet-Cookie: y\u0000\u007f z' }, 'x Set-Cookie: y  z'],
    ['{{ data.a }}', { a: 'Zoë 😀' }, 'Zo%C3%AB%20%F0%9F%98%80'.replace('%20', ' ')],
    ['{{ data.a }}', { a: ['x', 1] }, '["x",1]'],
    ['{%22 {{ data.a }}', { a: 1 }, '{%22 1'],
  ])('%s with %j', (value, data, expected) => {
    expect(headerOf(value, data)).toBe(expected)
  })

  test.each<[string, unknown, RegExp]>([
    ['{{ data.none }}', {}, /gives nothing: add a default/],
    ['{{ data.a }}', { a: '\n\n' }, /must not be empty/],
    ['{{ data.a }}', { a: 'x'.repeat(1001) }, /at most 1000 characters, not 1001/],
  ])('%s with %j fails the delivery', (value, data, message) => {
    expect(headerOf(value, data)).toEqual(failed('headers.X-A', message))
  })

  test('no value breaks out of its header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        const header = headerOf('a{{ data.a }}', { a: value })
        if (typeof header === 'string') expect(header).toMatch(/^[ -~]+$/)
      }),
    )
  })
})

describe('what is refused when it is saved', () => {
  test.each([
    ['https://{{ data.host }}/x', /path and query only/],
    ['{{ data.scheme }}://a.example.com/x', /path and query only/],
    ['https://a.example.com:{{ data.port }}/x', /path and query only/],
    ['https://a.example.com{{ data.x }}/x', /path and query only/],
    ['https://user{{ data.x }}@a.example.com/', /path and query only/],
    ['https:{{ data.x }}', /path and query only/],
    ['https://relay.example.com/{{ data.x }}', /point back/],
    ['https://10.0.0.1/{{ data.x }}', /IP address/],
    ['http://a.example.com/{{ data.x }}', /https/],
    ['https://a.example.com/{{ data.x }}#y', /"#"/],
    ['https://a.example.com/{{ data.x', /without "}}"/],
    ['https://a.example.com/{{ data.x | nope }}', /no filter "nope"/],
    ['https://a.example.com/{{ data.x | url_encode }}', /percent-encoded in any case/],
    ['https://a.example.com/{{ "now" | date: "%s" }}', /must not read the clock/],
  ])('%s', (url, message) => {
    expect(checkUrl(url, RULES)).toMatchObject({
      ok: false,
      message: expect.stringMatching(message) as string,
    })
  })

  test.each(['https://a.example.com/{{ data.x }}', 'https://a.example.com?x={{ data.x | upcase }}'])(
    '%s is taken',
    (url) => {
      expect(checkUrl(url, RULES)).toMatchObject({ ok: true })
    },
  )

  test('headers that do not compile are named', () => {
    expect(
      headerProblems({ 'X-A': '{{ data.x', 'X-B': '{{ data.x | nope }}', 'X-C': '{{ data.x }}' }),
    ).toEqual([
      { name: 'X-A', message: expect.stringContaining('without "}}"') as string },
      { name: 'X-B', message: expect.stringContaining('no filter "nope"') as string },
    ])
  })
})

test('without outputs there is nothing to render, and what was stored before there were any is sent as it is', () => {
  expect(compileAddress('https://a.example.com/%7B%7B', { 'X-A': 'b' })).toBeNull()
  expect(compileAddress('https://a.example.com/{{', { 'X-A': '{{ nope' })).toBeNull()
  expect(fixedUrl('https://a.example.com/{{')).toBe('https://a.example.com/{{')
  expect(fixedUrl('https://a.example.com/{{ a b }}/{{c}}')).toBe('https://a.example.com/x/x')
})

test('one budget bounds all outputs of a request', () => {
  const headers = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`X-${i}`, '{{ data.a | upcase | downcase | upcase | slice: 0 }}']),
  )
  const rendered = compileAddress('https://a.example.com/', headers)?.(inputOf({ a: 'x'.repeat(200_000) }))
  expect(rendered).toMatchObject({ kind: 'failed', message: expect.stringContaining('less work') as string })
})

import { describe, expect, test } from 'vitest'
import {
  ITERATIONS_MAX,
  OUTPUT_CHARS_MAX,
  TEMPLATE_CHARS_MAX,
  TEMPLATE_LEAVES_MAX,
} from '../../../../src/shape/liquid/budget.ts'
import { compileTransform, transformSchema } from '../../../../src/shape/transform.ts'
import { cpuMsOf } from '../../../support/cpu-time.ts'

/** Far above what any of these takes (at most 0.3 s); unbounded ones take minutes, or all memory. */
const BOUNDED_MS = 1_500
const LONG = 300_000

const eventWith = (object: unknown) =>
  `{"id":"e","event":"order.created","timestamp":"2024-01-15T10:30:00Z","data":{"object":${JSON.stringify(object)}},"context":{}}`
const BIG = eventWith({
  text: 'a'.repeat(LONG),
  same: 'a'.repeat(LONG),
  items: Array.from({ length: 10_000 }, (_, i) => ({ sku: `s${i}`, tags: ['a', 'b'] })),
  digits: `${'7'.repeat(390)}.${'3'.repeat(390)}`,
  numbers: Array.from({ length: 10_000 }, (_, i) => `${i}.25`),
  members: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
})
const SMALL = eventWith({
  items: [1, 2, 3],
  low: 1e17,
  high: 1e17 + 16,
  million: 1_000_000,
  minus: -1e300,
})

function render(template: unknown, text = SMALL, contentType = 'text/plain') {
  const transform = compileTransform(transformSchema.parse({ template, contentType }))
  let result: ReturnType<typeof transform> | undefined
  const tookMs = cpuMsOf(() => {
    result = transform({ text })
  })
  expect(tookMs).toBeLessThan(BOUNDED_MS)
  return result
}

const failed = (message: RegExp) => ({
  kind: 'failed',
  path: 'template',
  message: expect.stringMatching(message) as string,
})

const repeat = (body: string, times = 60) => `{% for i in (1..${times}) %}${body}{% endfor %}`
const NESTED_LISTS = `{% assign a = "x" | split: "" %}${repeat('{% assign a = a | push: a %}')}`
/** As deep as that can be before the budget ends it, and still 2^15 times as long printed as held. */
const SMALL_NEST = `{% assign a = "x" | split: "" %}${repeat('{% assign a = a | push: a %}', 15)}`

describe('a render is bounded and says by what', () => {
  test.each([
    ['a range of a billion', '{% for i in (1..1000000000) %}{% endfor %}', /ranges of at most 10000/],
    ['a range to what the event says', '{{ (1..order.million) | size }}', /ranges of at most 10000/],
    ['a range from minus infinity', '{% for i in (order.minus..1) %}{% endfor %}', /ranges of at most 10000/],
    ['loops within loops', repeat(repeat('', 1000), 1000), /loop at most 10000 times in all/],
    ['loops one after another', repeat('', 9000) + repeat('', 9000), /loop at most 10000 times/],
    [
      'text doubled by append',
      `{% assign a = "x" %}${repeat('{% assign a = a | append: a %}')}`,
      /less work/,
    ],
    ['text doubled by capture', repeat('{% capture a %}{{ a }}{{ a }}xx{% endcapture %}'), /less work/],
    [
      'text multiplied by replace',
      repeat('{% assign a = a | append: "x" | replace: "x", "xxxxxxxx" %}'),
      /less work/,
    ],
    [
      'text multiplied by join',
      `{% assign a = "xx" %}${repeat('{% assign a = a | split: "" | join: "abcdefgh" %}')}`,
      /less work/,
    ],
    [
      'a list doubled by concat',
      `{% assign a = order.items %}${repeat('{% assign a = a | concat: a %}')}`,
      /less work/,
    ],
    ['a list that holds itself twice, 60 deep', NESTED_LISTS, /less work/],
    ['100 MB of output', repeat('x'.repeat(20_000), 5000), /at most 1000000 characters/],
    ['more steps than a million', repeat('{{ nope }}'.repeat(1000), 1000), /more than 1000000 steps/],
  ])('%s', (_, template, message) => {
    expect(render(template)).toEqual(failed(message))
  })

  test.each([
    ['printed', '{{ a }}{{ a }}{{ a }}'.repeat(20)],
    ['compared', '{% if a == a and a > a %}{% endif %}'.repeat(20)],
    ['searched', '{% if a contains a %}{% endif %}'.repeat(20)],
    ['a case', '{% case a %}{% when a, a, a %}{% endcase %}'.repeat(20)],
    ['joined', '{{ a | join: "," }}'.repeat(20)],
    ['sorted', '{% assign b = a | sort %}'.repeat(20)],
    ['JSON', '{{ a | json }}'.repeat(20)],
    ['followed', '{{ a.b }}'.repeat(200)],
    ['added up', '{{ a | plus: a }}'.repeat(20)],
  ])('a list that is long only when it is walked through, %s', (_, use) => {
    expect(render(SMALL_NEST + use)).toMatchObject({ kind: 'failed' })
  })

  test.each(['json', 'upcase', 'join', 'compact'])(
    'a list that holds one long name hundreds of times, taken by %s',
    (filter) => {
      const text = eventWith({ items: [{ ['k'.repeat(100_000)]: 1 }] })
      const doubled = `{% assign a = order.items %}${'{% assign a = a | concat: a %}'.repeat(8)}`
      expect(render(`${doubled}{{ a | ${filter} | size }}`, text)).toEqual(failed(/less work/))
    },
  )

  test('such a list as a name or a default is not walked through', () => {
    const uses = '{{ order[a] }}{{ a[a] }}{{ nope | default: a | size }}'.repeat(500)
    expect(render(SMALL_NEST + uses)).toMatchObject({ kind: 'rendered' })
  })

  test.each([
    ['comparing long texts', '{% if order.text == order.same %}{% endif %}'],
    ['a case of long texts', '{% case order.text %}{% when order.same %}{% endcase %}'],
    ['searching long texts', '{% if order.text contains order.same %}{% endif %}'],
    ['sorting', '{% assign a = order.items | sort: "sku" %}'],
    ['sorting naturally', '{% assign a = order.items | sort_natural: "sku" %}'],
    ['selecting', '{% assign a = order.items | where: "sku", "s5" %}'],
    ['grouping', '{% assign a = order.items | group_by: "sku" %}'],
    ['crossing arrays', '{% assign a = order.items.tags %}'],
    ['listing members', '{% for m in order.members limit: 0 %}{% endfor %}'],
    ['copying a list', '{% for m in order.items limit: 0 %}{% endfor %}{{ order.items | reverse | size }}'],
    ['dividing', '{% assign a = order.digits | divided_by: order.digits | plus: order.digits %}'],
    ['rests', '{% assign a = order.digits | modulo: 7.3 | round: 300 %}'],
    ['adding up', '{% assign a = order.numbers | sum %}'],
    ['telling values apart', '{% assign a = order.items | uniq %}{% assign a = order.items | uniq: "sku" %}'],
    ['splitting', '{% assign a = order.text | split: "" %}'],
    ['slugs', '{% assign a = order.text | slugify: "latin" %}'],
    ['escaping', '{% assign a = order.text | url_encode | escape %}'],
    ['JSON', '{% assign a = order.items | json %}'],
    ['time zones', '{% assign a = event.timestamp | date: "%c", "Asia/Kuala_Lumpur" %}'],
    ['dates', `{% assign a = event.timestamp | date: "${'%c'.repeat(90)}" %}`],
  ])('%s, ten thousand times over a large event', (_, body) => {
    expect(render(repeat(body, ITERATIONS_MAX), BIG)).toEqual(failed(/^must /))
  })

  test.each(['remove', 'remove_last', 'replace_last', 'split'])(
    '%s with a long text to look for, where the engine takes quadratic time',
    (filter) => {
      const needle = '{% assign q = order.text | slice: 0, 100000 %}'
      const hard = `${needle}{% assign after = q | append: "b" %}{% assign before = q | prepend: "b" %}`
      const calls = `{{ order.text | ${filter}: after, "" | size }}{{ order.text | ${filter}: before, "" | size }}`
      expect(render(hard + calls, BIG)).toEqual(failed(/less work/))
    },
  )

  test('a list from far beyond 2^53, where adding 1 changes nothing, ends', () => {
    expect(render('{% for i in (order.low..order.high) %}x{% endfor %}')).toMatchObject({ kind: 'rendered' })
  })

  test.each([
    ['a width that would fill memory', '%1000000000Y', '%1000000000Y'],
    ['the widest', '%99Y', '2024'.padStart(99, '0')],
  ])('a date with %s', (_, format, text) => {
    expect(render(`{{ event.timestamp | date: "${format}" }}`)).toMatchObject({ kind: 'rendered', text })
  })

  test('a date with an overlong format', () => {
    expect(render(`{{ event.timestamp | date: "${'x'.repeat(201)}" }}`)).toEqual(
      failed(/at most 200 characters/),
    )
  })

  test('a member name that holds a range is not evaluated', () => {
    expect(render('{{ order.items | where: "a[(1000000000000000000..1000000000000000016)]" }}')).toEqual(
      failed(/must be a name such as/),
    )
  })

  test('the whole payload may pass through, but not time and again', () => {
    const sole = (times: number) => render(Array(times).fill('{{ data }}'), BIG, 'application/json')
    expect(sole(1)).toMatchObject({ kind: 'rendered' })
    expect(sole(400)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('1000000 characters') as string,
    })
  })

  test('all strings of a template share the budget', () => {
    const tenth = repeat('x'.repeat(1100), OUTPUT_CHARS_MAX / 10_000)
    expect(render([tenth], SMALL, 'application/json')).toMatchObject({ kind: 'rendered' })
    expect(render(Array(10).fill(tenth), SMALL, 'application/json')).toMatchObject({
      kind: 'failed',
      path: 'template.9',
    })
  })

  test('what is at the bound is rendered', () => {
    expect(render(repeat('x', ITERATIONS_MAX))).toMatchObject({ text: 'x'.repeat(ITERATIONS_MAX) })
    expect(render(repeat('x'.repeat(100), OUTPUT_CHARS_MAX / 100))).toMatchObject({ kind: 'rendered' })
  })
})

describe('a template is bounded when it is saved', () => {
  const nested = (depth: number): unknown => (depth === 0 ? '{{ id }}' : [nested(depth - 1)])
  const problemsOf = (template: unknown, contentType = 'application/json') =>
    transformSchema.safeParse({ template, contentType }).error?.issues.map(({ message }) => message)

  test.each([
    ['20 levels', nested(20), undefined],
    ['21 levels', nested(21), ['must be nested at most 20 deep']],
    ['500 values with their list', Array(TEMPLATE_LEAVES_MAX - 1).fill(1), undefined],
    ['501 values with their list', Array(TEMPLATE_LEAVES_MAX).fill(1), ['must have at most 500 values']],
    ['64 KB', 'x'.repeat(TEMPLATE_CHARS_MAX - 2), undefined],
    ['more than 64 KB', 'x'.repeat(TEMPLATE_CHARS_MAX - 1), ['must be at most 65536 characters of JSON']],
    ['20 tags deep', '{% if a %}'.repeat(20) + '{% endif %}'.repeat(20), undefined],
    ['a path of 32 names', `{{ a${'.b'.repeat(31)} }}`, undefined],
    ['a path of 33 names', `{{ a${'.b'.repeat(32)} }}`, [expect.stringMatching(/paths of at most 32 names/)]],
    ['a path of 33 names in brackets', `{{ x[a${'.b'.repeat(32)}] }}`, [expect.stringMatching(/32 names/)]],
  ])('%s', (_, template, problems) => {
    expect(problemsOf(template, typeof template === 'string' ? 'text/plain' : undefined)).toEqual(problems)
  })

  test('a list nested a hundred thousand deep is refused, not walked through', () => {
    let template: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) template = [template]
    expect(problemsOf(template)).toEqual(['must be nested at most 20 deep'])
  })

  test.each([
    [
      'tags 22 deep',
      '{% if a %}'.repeat(22) + '{% endif %}'.repeat(22),
      /^must nest tags at most 20 deep \(line 1, column 211\)$/,
    ],
    [
      'tags 2,500 deep',
      '{% if a %}'.repeat(2500) + '{% endif %}'.repeat(2500),
      /nested too deeply|at most 20 deep/,
    ],
    ['brackets 8,000 deep', `{{ a${'[b'.repeat(8000)}${']'.repeat(8000)} }}`, /nested too deeply/],
    ['nothing but opening braces', '{{'.repeat(32_000), /not closed/],
    ['nothing but opening tags', '{%'.repeat(32_000), /./],
    ['an unclosed raw full of tags', `{% raw %}${'{% endraw '.repeat(6000)}`, /not closed/],
    ['quotes without end', `{{ ${'"'.repeat(30_001)}`, /not closed/],
    ['filters without end', `{{ a ${'| upcase '.repeat(7000)}| nope }}`, /no filter/],
  ])('%s: refused within a second', (_, template, message) => {
    let problems: string[] | undefined
    const tookMs = cpuMsOf(() => {
      problems = problemsOf(template, 'text/plain')
    })
    expect(problems).toEqual([expect.stringMatching(message)])
    expect(tookMs).toBeLessThan(BOUNDED_MS)
  })
})

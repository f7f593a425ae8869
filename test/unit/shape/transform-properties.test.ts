import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileTransform, transformSchema } from '../../../src/shape/transform.ts'

const RUNS = { numRuns: 500 }

/** JSON numbers as people and programs write them, most of which JavaScript would print otherwise. */
const anyNumber = fc.oneof(
  fc.constantFrom('-0', '1E5', '1.10', '2567.50', '1e400', '12345678901234567890', '0.000', '-1.0E-2'),
  fc
    .tuple(fc.bigInt(), fc.option(fc.nat().map(String)), fc.constantFrom('', 'e5', 'E+05', 'e-400'))
    .map(([whole, fraction, exponent]) => `${whole}${fraction === null ? '' : `.${fraction}0`}${exponent}`),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
)
/** No backslashes: Node 24's JSON.parse misreads names that hold one (nodejs/node#63785). */
const anyName = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'size',
    'first',
    'then',
    'next',
    'toLiquid',
    'length',
  ),
  fc.string().filter((name) => !name.includes('\\')),
)
const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('{{ id }}', '{% x', 'now', '\ud800', '<b>', '1705314600', '2024-01-15'),
)

/** Compact JSON text, each name once and none a number, so that it has one way to be printed. */
const { json: anyJson } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    anyNumber,
    anyString.map((text) => JSON.stringify(text)),
    fc.constantFrom('null', 'true', 'false'),
    fc.array(tie('json'), { maxLength: 4 }).map((elements) => `[${elements.join(',')}]`),
    fc
      .uniqueArray(
        fc.tuple(
          anyName.filter((name) => !/^\d/.test(name)),
          tie('json'),
        ),
        {
          maxLength: 4,
          selector: ([name]) => name,
        },
      )
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  ),
}))

const eventOf = (data: string, type = 'order.created') =>
  `{"id":"e","event":"${type}","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":${data},"context":{}}`

test('one path keeps any JSON value to the byte, under its place and under its alias', () => {
  const render = compileTransform({
    template: {
      a: '{{ data.object.value }}',
      b: '{{ order.value }}',
      c: '{{value}}',
      d: '{{ data.object }}',
    },
  })
  fc.assert(
    fc.property(anyJson, (value) => {
      expect(render({ text: eventOf(`{"object":{"value":${value}}}`) })).toMatchObject({
        text: `{"a":${value},"b":${value},"c":${value},"d":{"value":${value}}}`,
      })
    }),
    RUNS,
  )
})

test('an array that is crossed gives what each of its elements has', () => {
  const render = compileTransform({ template: ['{{ data.list.value }}'] })
  fc.assert(
    fc.property(fc.array(anyJson, { minLength: 1, maxLength: 5 }), (values) => {
      const list = `[${values.map((value) => `{"value":${value}}`).join(',')}]`
      expect(render({ text: eventOf(`{"list":${list}}`) })).toMatchObject({ text: `[[${values.join(',')}]]` })
    }),
    RUNS,
  )
})

test('a constant template comes out as it is, whatever its names and values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify([value], (_, each) =>
        typeof each === 'string' ? each.replaceAll('{', '(') : (each as unknown),
      )
      const transform = transformSchema.parse({ template: JSON.parse(text) })
      expect(compileTransform(transform)({ text: eventOf('{}') })).toMatchObject({ kind: 'rendered', text })
    }),
  )
})

/** Something of everything, over whatever the event holds. */
const EVERYTHING = [
  '{{ data }}',
  '>{{ data.object }}{{ order.a }}{{ event }}{{ context }}',
  '{% for a in data.object %}{{ a }}{{ a[0] }}{{ a[1].size }}{{ a.first }}{% for b in a %}{{ b }}{% endfor %}{% endfor %}',
  '{% case data.object %}{% when order.a, "x", empty %}1{% endcase %}{% if order.a > order.b or order.a contains order.b %}1{% endif %}',
  '{% assign x = order.a | append: order.b %}{{ x | json }}{{ order.a | plus: order.b }}{{ order.a | default: "d" }}',
  '{{ order.a | sort: "a" | map: "b" | join: order.b | upcase }}{{ order.a | where: "a", order.b | size }}',
  '{{ order.a | date: "%F" }}{{ order.a | split: order.b | first }}{{ order.a | uniq | sort | reverse | compact }}',
  '{{ data[order.a] }}{{ data[order.a][order.b] }}{% for i in (order.a..order.b) limit: order.a %}{{ i }}{% endfor %}',
  '{{ order.a | slice: order.b, order.a }}{{ order.a | truncate: order.b }}{{ order.a | replace: order.b, order.a }}',
].map((template) => compileTransform({ template, contentType: 'text/plain' }))

test('rendering never throws, and the same event gives the same answer', () => {
  const anyData = fc.oneof(
    anyJson,
    fc.tuple(anyJson, anyJson).map(([a, b]) => `{"object":{"a":${a},"b":${b}}}`),
    fc.tuple(anyJson, anyJson).map(([a, b]) => `{"a":${a},"b":${b},"order":[${a},${b}]}`),
  )
  fc.assert(
    fc.property(anyData, fc.constantFrom('order.created', 'x', '__proto__.x', 'a_b.c'), (data, type) => {
      const text = eventOf(data, type)
      for (const render of EVERYTHING) {
        const first = render({ text })
        expect(['rendered', 'failed']).toContain(first.kind)
        expect(render({ text })).toEqual(first)
      }
    }),
    RUNS,
  )
})

test('nothing but an event is an input that is told, not thrown', () => {
  fc.assert(
    fc.property(fc.oneof(anyJson, fc.string()), (text) => {
      for (const render of EVERYTHING) expect(['rendered', 'failed']).toContain(render({ text }).kind)
    }),
  )
})

test('any string is compiled or refused, never thrown', () => {
  const source = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '{{',
          '}}',
          '{%',
          '%}',
          '{% if ',
          '{% for a in ',
          '{% endfor %}',
          '(1..3)',
          '|',
          ':',
          '"',
          "'",
        ),
        fc.constantFrom(
          '{% raw %}',
          '{% liquid ',
          '\n',
          'data',
          '.',
          '[',
          ']',
          ' upcase',
          ' date',
          ',',
          '-',
          '0',
          '#',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(source, (template) => {
      const transform = { template: [template] }
      const valid = transformSchema.safeParse(transform).success
      const result = compileTransform(transform)({ text: eventOf('{"a":[1,"x"]}') })
      if (!valid) expect(result.kind).toBe('failed')
    }),
    { numRuns: 3_000 },
  )
})

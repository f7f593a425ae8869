import { describe, expect, test } from 'vitest'
import { SharedWork, WORK_ALWAYS } from '../../../../src/shape/liquid/budget.ts'
import { compileTransform, transformSchema } from '../../../../src/shape/transform.ts'

const nested = (depth: number): unknown => (depth === 0 ? { z: 1 } : { a: nested(depth - 1) })
const eventWith = (data: unknown) => ({
  text: JSON.stringify({ id: 'e', event: 'order.paid', timestamp: '', data, context: {} }),
})
const transformOf = (template: unknown) =>
  compileTransform(transformSchema.parse({ template, contentType: 'application/json' }))
/** The work that a rendering takes, and its result. */
function render(template: unknown, input: { text: string }, left = 1e9) {
  const shared = new SharedWork(left)
  const { kind, ...rest } = transformOf(template)(input, shared)
  return { kind, ...rest, work: left - shared.left }
}

const DEEP = `data.items.${'a.'.repeat(28)}`
const ITEMS = eventWith({ items: Array.from({ length: 600 }, () => nested(28)) })

describe('a template pays for each value that a name is applied to', () => {
  test.each([
    ['in an output', `{{ ${DEEP}q }}x`],
    ['alone in a string', `{{ ${DEEP}z }}`],
    ['in an if', `{% if ${DEEP}q %}{% endif %}`],
    ['in a loop over them', `{% for i in ${DEEP}q %}{% endfor %}`],
    ['below a variable', `{% assign v = data.items %}{{ v.${'a.'.repeat(28)}q }}`],
  ])('%s', (_, template) => {
    const { kind, work } = render({ x: template }, ITEMS)
    expect(kind).toBe('rendered')
    expect(work).toBeGreaterThan(28 * 600 * 8)
    expect(work).toBeLessThan(80 * 600 * 8)
  })

  test('and is too much work when it repeats long walks', () => {
    const often = `{% for i in (1..10000) %}${`{% if ${DEEP}q %}{% endif %}`.repeat(20)}{% endfor %}`
    expect(render({ x: often }, ITEMS)).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^must do less work/),
    })
    const headers = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`h${i}`, `{{ ${DEEP}q | default: "-" }}`]),
    )
    expect(render(headers, ITEMS)).toMatchObject({
      kind: 'failed',
      path: expect.stringMatching(/^template\.h/),
    })
  })

  test('one of ten thousand elements and usual paths is far from its bound', () => {
    const items = Array.from({ length: 10_000 }, (_, i) => ({ product: { name: `p${i}` }, price: i }))
    const template = '{% for i in data.items %}{{ i.product.name }}: {{ i.price }}; {% endfor %}'
    const { kind, work } = render({ x: template }, eventWith({ items }))
    expect(kind).toBe('rendered')
    expect(work).toBeLessThan(15_000_000)
  })
})

describe('the renderings of one claim share their work', () => {
  test('beyond which usual templates are still rendered, and costly ones fail and say why', () => {
    const shared = new SharedWork(3 * WORK_ALWAYS)
    const costly = transformOf({ x: `{% for i in (1..30) %}{{ ${DEEP}z | size }}{% endfor %}` })
    const usual = transformOf({ x: '{{ data.items | size }} items of {{ event }}' })
    const kinds = [costly, costly, costly, usual, costly, usual].map((each) => each(ITEMS, shared))
    expect(kinds.map(({ kind }) => kind)).toEqual([
      'rendered',
      'failed',
      'failed',
      'rendered',
      'failed',
      'rendered',
    ])
    expect(kinds[2]).toMatchObject({
      message: expect.stringMatching(/^must do less work: this and other templates of its claim/),
    })
    expect(shared.left).toBeGreaterThan(-3 * WORK_ALWAYS)
  })

  test('a batch of a thousand usual members is within it', () => {
    const shared = new SharedWork()
    const usual = transformOf({
      id: '{{ data.id }}',
      text: '{{ data.name | upcase }} {{ event.timestamp | date: "%Y" }}',
    })
    for (let i = 0; i < 1000; i++)
      expect(usual(eventWith({ id: i, name: 'a' }), shared).kind).toBe('rendered')
    expect(shared.left).toBeGreaterThan(0.9 * new SharedWork().left)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ORDER_KEY_CHARS_MAX, orderKeyOf } from '../../../src/pacing/order-key.ts'
import { viewOf } from '../match/rule-events.ts'

const keyOf = (value: unknown) => orderKeyOf(viewOf({ data: { key: value } }), 'data.key')

/** JSON as a publisher sends it: it has been text, so there is neither -0 nor undefined in it. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

/** JSON ends in no such way. */
const CUT = /#[0-9a-f]{16}$/

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).reverse()
  return Object.fromEntries(members.map(([name, member]) => [name, shuffled(member)]))
}

describe('the ordering key of an event', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'cust_1', '"cust_1"'],
    ['a number', 1, '1'],
    ['a text of digits', '1', '"1"'],
    ['null', null, 'null'],
    ['the text null', 'null', '"null"'],
    ['false', false, 'false'],
    ['an empty text', '', '""'],
    ['a list', [2, '1'], '[2,"1"]'],
    ['an object, its names sorted', { b: 1, a: { d: [], c: {} } }, '{"a":{"c":{},"d":[]},"b":1}'],
    [
      'names that no copy keeps in place',
      JSON.parse('{"b":1,"__proto__":2,"10":3,"9":4}'),
      '{"10":3,"9":4,"__proto__":2,"b":1}',
    ],
  ])('of %s tells types apart', (_, value, key) => {
    expect(keyOf(value)).toBe(key)
  })

  test('is empty without a path, where nothing is there, and for an id that is still to come', () => {
    const view = viewOf({ id: null, data: { a: 1 } })
    expect(['data.b', 'data.a.b', 'id', 'event.id'].map((path) => orderKeyOf(view, path))).toEqual(
      new Array(4).fill(''),
    )
    expect(orderKeyOf(view, null)).toBe('')
  })

  test('finds what filters find: the resource by its name, an element of a list by its index, the type', () => {
    const view = viewOf({ object: { customerId: 'c', items: [{ sku: 'a' }, { sku: 'b' }] } })
    const paths = ['invoice.customerId', 'customerId', 'items.1.sku', 'event', 'context']
    expect(paths.map((path) => orderKeyOf(view, path))).toEqual([
      '"c"',
      '"c"',
      '"b"',
      '"invoice.created"',
      '{}',
    ])
  })

  test('of several values is their list', () => {
    const view = viewOf({ object: { items: [{ sku: 'a' }, { sku: 1 }, {}] } })
    expect(orderKeyOf(view, 'items.sku')).toBe('["a",1]')
  })

  test('is the same for values that mean the same, and another for any others', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const [key, otherKey] = [keyOf(one), keyOf(other)]
        expect(keyOf(shuffled(one))).toBe(key)
        const areEqual = JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
        expect(key === otherKey).toBe(areEqual)
        if (!CUT.test(key)) expect(JSON.parse(key)).toEqual(one)
      }),
    )
  })

  test('is bounded, tells long values apart by all of them, and is never half a character', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '"', '\n', '\ud800'),
      minLength: 250,
      maxLength: 400,
    })
    fc.assert(
      fc.property(text, fc.nat(249), fc.constantFrom('x', 'y', '😀'), (value, at, other) => {
        const key = keyOf(value)
        expect(key).toMatch(/^.{199,200}#[0-9a-f]{16}$/s)
        expect(key.isWellFormed()).toBe(true)
        expect(keyOf(value)).toBe(key)
        const changed = `${value.slice(0, at)}${other}${value.slice(at)}`
        expect(keyOf(changed)).not.toBe(key)
      }),
    )
  })

  test('is a value as it stands up to 256 characters', () => {
    expect(keyOf('x'.repeat(254))).toBe(`"${'x'.repeat(254)}"`)
    expect(keyOf('x'.repeat(255))).toMatch(/^"x{199}#[0-9a-f]{16}$/)
  })

  test('does not change from one release to the next: deliveries that rest hold it', () => {
    expect(keyOf('x'.repeat(300))).toBe(`"${'x'.repeat(199)}#355ac289d810e484`)
  })

  test('of 20,000 long values that differ in one number is another for each', () => {
    const keys = new Set<string>()
    for (let n = 0; n < 20_000; n++) keys.add(keyOf(`${'x'.repeat(300)}${n}`))
    expect(keys.size).toBe(20_000)
  })

  test('is found for whatever an event may hold', () => {
    const name = fc.constantFrom(
      'data',
      'context',
      'event',
      'id',
      'a',
      '0',
      '__proto__',
      'constructor',
      'object',
    )
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('.'))
    const record = fc.dictionary(name, fc.jsonValue({ maxDepth: 4 }))
    fc.assert(
      fc.property(record, record, path, (data, context, each) => {
        expect(orderKeyOf(viewOf({ data, context }), each).length).toBeLessThanOrEqual(ORDER_KEY_CHARS_MAX)
      }),
    )
    const deep = JSON.parse(`{"a":${'['.repeat(127)}${']'.repeat(127)}}`) as Record<string, unknown>
    expect(orderKeyOf(viewOf({ data: deep }), 'data')).toMatch(/^\{"a":\[{127}\]{68}#[0-9a-f]{16}$/)
  })
})

/** Equal members in one order: entries, so that no name is lost on the way. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(canonical)]
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, canonical(member)])
  return ['object', ...members.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))]
}

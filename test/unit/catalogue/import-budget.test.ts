import { describe, expect, test } from 'vitest'
import { atOnce } from '../../../src/base/concurrency/yielder.ts'
import { type ReadImport, readImport } from '../../../src/catalogue/openapi-import.ts'
import { cpuMsOf } from '../../support/cpu-time.ts'

type Json = Record<string, unknown>

/** Far above what any of these takes (at most 2 s); before there was a bound, they took 3 s to a minute. */
const BOUNDED_MS = 8_000

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))
const webhook = (media: Json) => ({ post: { requestBody: { content: { 'application/json': media } } } })
const webhooks = (count: number, item: (at: number) => unknown) =>
  Object.fromEntries(times(count, (at) => [`type.n${at}`, item(at)]))

function read(hooks: Json, schemas: Json, others: Json = {}) {
  const body = { openapi: '3.1.0', webhooks: hooks, components: { schemas }, ...others }
  const text = JSON.stringify(body)
  let result: ReadImport | undefined
  expect(cpuMsOf(() => (result = atOnce(readImport(body, text))))).toBeLessThan(BOUNDED_MS)
  if (result?.kind !== 'read') throw new Error('the document is refused')
  const reasons = new Set(result.skipped.map(({ reason }) => reason))
  return { ...result, reasons: [...reasons] }
}

/** How often others have their turn while an import is read. */
function turnsOf(body: Json): number {
  let turns = 0
  for (const task = readImport(body, JSON.stringify(body)); task.next().done !== true; ) turns++
  return turns
}

const X = { $ref: '#/components/schemas/X' }
const TOO_LARGE = 'schema: must be at most 32,000 bytes, with all it refers to'
const SPENT = 'the import takes too much work: import it by itself'

describe('an import is bounded as a whole', () => {
  test('a schema and an example that a thousand webhooks share are read once', () => {
    const shared = webhook({ schema: X, example: { items: times(400_000, () => 1) } })
    const anyOf = times(100, (i) => ({ const: `c${i}` }))
    const { types, warnings } = read(
      webhooks(1000, () => ({ $ref: '#/shared' })),
      { X: { properties: { items: { items: { anyOf } } } } },
      { shared },
    )
    expect([types.length, warnings.length]).toEqual([1000, 1000])
    expect(warnings[0]?.reason).toBe('without its example: must be at most 32,000 bytes as JSON')
  })

  test.each<[string, unknown]>([
    ['values under an unknown keyword', { x: times(400_000, () => 1) }],
    ['an enum', { enum: times(400_000, () => 1) }],
    ['an allOf', { allOf: times(60_000, () => ({})) }],
    ['properties', { properties: Object.fromEntries(times(30_000, (i) => [`p${i}`, true])) }],
    ['a constant text', { const: 'x'.repeat(800_000) }],
  ])('%s too large to be taken are not walked to their end by each', (_, schema) => {
    const { types, reasons } = read(
      webhooks(1000, (at) => webhook({ schema: { title: `t${at}`, ...X } })),
      { X: schema },
    )
    expect(types).toEqual([])
    expect(reasons).toContain(TOO_LARGE)
  })

  test('copies of a large schema are made until they are too much; the others are skipped by name', () => {
    const properties = Object.fromEntries(times(900, (i) => [`p${i}`, { type: 'string' }]))
    const { types, skipped, reasons } = read(
      webhooks(1000, (at) => webhook({ schema: { title: `t${at}`, ...X } })),
      { X: { properties } },
    )
    expect(types.length).toBeGreaterThan(100)
    expect(types.length + skipped.length).toBe(1000)
    expect(reasons).toContain(SPENT)
  })

  test('others have their turn while copies are made, and while examples are checked', () => {
    const properties = Object.fromEntries(times(900, (i) => [`p${i}`, { type: 'string' }]))
    const hooks = webhooks(100, (at) => webhook({ schema: { title: `t${at}`, ...X } }))
    const document = { openapi: '3.1.0', webhooks: hooks, components: { schemas: { X: { properties } } } }
    expect(turnsOf(document)).toBeGreaterThan(20)
    const node = { type: 'object', properties: { n: { anyOf: times(3, () => ({ $ref: '#/$defs/n' })) } } }
    const nested = (depth: number): unknown => (depth === 0 ? {} : { n: nested(depth - 1) })
    const type = { schema: { $defs: { n: node }, $ref: '#/$defs/n' }, example: nested(6) }
    expect(turnsOf({ eventTypes: times(60, (at) => ({ name: `t.n${at}`, ...type })) })).toBeGreaterThan(5)
  })

  test('a long pointer is resolved once', () => {
    const { types } = read(
      webhooks(1000, () => ({ $ref: '#/y' })),
      {},
      { y: { $ref: `#/${'a/'.repeat(200_000)}` } },
    )
    expect(types).toHaveLength(1000)
  })

  test('examples share the steps of their checks; those beyond them are left out with a warning', () => {
    const recursive = { n: { anyOf: [X, X, X] } }
    const nested = (depth: number): unknown => (depth === 0 ? {} : { n: nested(depth - 1) })
    const { types, warnings } = read(
      webhooks(100, (at) => webhook({ schema: { title: `t${at}`, ...X }, example: nested(9) })),
      { X: { type: 'object', properties: recursive } },
    )
    expect(types).toHaveLength(100)
    expect(warnings.length).toBeGreaterThan(50)
    expect(warnings.at(-1)?.reason).toMatch(/^without its example: example must be smaller or less nested/)
  })

  test('so do those of a list of types, of which the ones beyond are refused by their place', () => {
    const node = { type: 'object', properties: { n: { anyOf: times(3, () => ({ $ref: '#/$defs/n' })) } } }
    const nested = (depth: number): unknown => (depth === 0 ? {} : { n: nested(depth - 1) })
    const schema = { $defs: { n: node }, $ref: '#/$defs/n' }
    const body = { eventTypes: times(60, (at) => ({ name: `t.n${at}`, schema, example: nested(9) })) }
    const result = atOnce(readImport(body, JSON.stringify(body)))
    if (result.kind !== 'invalid') throw new Error('the list is taken')
    expect(result.error.issues.at(-1)?.path).toEqual(['eventTypes', 59, 'example'])
    expect(result.error.issues.length).toBeLessThan(60)
  })
})

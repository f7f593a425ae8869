/// <reference types="node" />
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  EVENT_TYPES_MAX,
  exampleProblems,
  namedEventTypeSchema,
  SCHEMAS_BYTES_MAX,
} from '../../../src/catalogue/catalogue.ts'

const EXAMPLES = path.resolve(import.meta.dirname, '../../../examples')
const read = (file: string) => JSON.parse(readFileSync(path.join(EXAMPLES, file), 'utf8')) as unknown

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Schema = { type?: string; properties?: Record<string, Schema>; items?: Schema; required?: string[] }
type EventType = { name: string; description: string; group: string; example: Json; schema: Schema }

const files = readdirSync(path.join(EXAMPLES, 'event-types')).sort()
const typesOf = (file: string) => (read(`event-types/${file}`) as { eventTypes: EventType[] }).eventTypes
const all = files.flatMap(typesOf)
const byName = new Map(all.map((type) => [type.name, type]))

test('the shipped catalogue has more than 220 types, none twice, and fits into one workspace', () => {
  expect(all.length).toBeGreaterThanOrEqual(220)
  expect(all.length).toBeLessThanOrEqual(EVENT_TYPES_MAX)
  expect(byName.size).toBe(all.length)
  expect(JSON.stringify(all.map(({ schema }) => schema)).length).toBeLessThan(SCHEMAS_BYTES_MAX)
})

test.each([
  ['e-commerce.json', 'store_order.placed'],
  ['finance.json', 'budget.variance_exceeded'],
  ['hr-payroll.json', 'payroll_run.paid'],
  ['inventory.json', 'stock_count.completed'],
  ['manufacturing.json', 'quality_check.failed'],
  ['purchasing.json', 'goods_receipt.posted'],
  ['sales-crm.json', 'lead.qualified'],
])('the module %s has twenty types and more, such as %s', (file, name) => {
  expect(typesOf(file).length).toBeGreaterThanOrEqual(20)
  expect(typesOf(file).map((type) => type.name)).toContain(name)
})

test.each(['post', 'page', 'comment', 'media', 'category', 'product'])(
  'a %s has its five events',
  (resource) => {
    for (const verb of ['created', 'updated', 'deleted', 'published', 'archived']) {
      expect(byName.has(`${resource}.${verb}`), verb).toBe(true)
    }
  },
)

describe.each(files)('%s', (file) => {
  const types = typesOf(file)

  test('says of each type in a sentence when it happens, and of which group it is', () => {
    for (const { name, description, group } of types) {
      expect(description, name).toMatch(/^[A-Z][^\n]{15,}\.$/)
      expect(group, name).toMatch(/^[A-Z].* Events$/)
    }
    expect(new Set(types.map(({ description }) => description)).size).toBe(types.length)
  })

  test('gives each an example and a schema that the relay takes, and that fit each other', () => {
    for (const type of types) {
      const parsed = namedEventTypeSchema.safeParse(type)
      expect(parsed.error?.issues, type.name).toBeUndefined()
      expect(Object.keys(type.example as object).length, type.name).toBeGreaterThan(0)
    }
  })

  test('describes every member of an example', () => {
    for (const { name, example, schema } of types) expect(undescribed(example, schema, name)).toEqual([])
  })

  test('misses whatever a schema requires', () => {
    for (const { name, example, schema } of types) {
      for (const member of schema.required ?? []) {
        const { [member]: _, ...rest } = example as Record<string, Json>
        expect(exampleProblems(schema, rest).length, `${name} without ${member}`).toBeGreaterThan(0)
      }
      expect(schema.required?.length, name).toBeGreaterThan(0)
    }
  })
})

/** Paths of an example that its schema says nothing of. */
function undescribed(value: Json, schema: Schema | undefined, at: string): string[] {
  if (schema === undefined) return [at]
  if (Array.isArray(value)) return value.flatMap((each) => undescribed(each, schema.items, `${at}[]`))
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return []
  const { properties } = schema
  return Object.entries(value).flatMap(([name, each]) => undescribed(each, properties[name], `${at}.${name}`))
}

test('the shipped events of these types fit their schemas', () => {
  const events = readdirSync(path.join(EXAMPLES, 'events')).map(
    (file) => read(`events/${file}`) as { event?: string; type?: string; data: unknown },
  )
  const checked = events.flatMap(({ event, type, data }) => {
    const known = byName.get(event ?? type ?? '')
    // What the core API's own documents publish is bare: its profile puts it below `object`.
    const isBare =
      known !== undefined && 'object' in (known.example as object) && !('object' in (data as object))
    return known === undefined || isBare ? [] : [[known.name, exampleProblems(known.schema, data)]]
  })
  expect(checked.length).toBeGreaterThan(8)
  for (const [name, problems] of checked) expect(problems, String(name)).toEqual([])
})

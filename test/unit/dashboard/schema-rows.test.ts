import { expect, test } from 'vitest'
import { schemaRows } from '../../../apps/dashboard/src/components/json/schema-rows.ts'

const pathsOf = (schema: unknown) => schemaRows(schema).map(({ path }) => path)

test('the fields of a schema are listed as rules name them, lists by their items', () => {
  const schema = {
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'string', format: 'uuid', minLength: 3, maxLength: 3, description: 'Its id' },
      lines: { type: 'array', minItems: 1, items: { properties: { sku: { enum: ['A', 1] } } } },
      grid: { type: 'array', items: { type: 'array', items: { type: ['number', 'null'] } } },
    },
  }
  expect(schemaRows(schema)).toEqual([
    {
      ...row('id', 'string'),
      isRequired: true,
      bounds: ['as uuid', 'exactly 3 characters'],
      description: 'Its id',
    },
    { ...row('lines', 'list of objects'), bounds: ['at least 1 item'] },
    { ...row('lines[].sku', 'any'), bounds: ['one of "A", 1'] },
    row('grid', 'list of lists of numbers or null'),
  ])
})

test('references are followed, and one that leads back to itself ends', () => {
  const schema = {
    $ref: '#/$defs/Node',
    $defs: {
      Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' }, no: { type: 'integer' } } },
    },
  }
  expect(pathsOf(schema)).toEqual(['next', 'no'])
})

test('the forms of a value are said to be several, and each shows its fields', () => {
  const forms = [{ properties: { iban: { type: 'string' } } }, { properties: { card: { type: 'string' } } }]
  const schema = { properties: { payment: { type: 'object', oneOf: forms } } }
  expect(pathsOf(schema)).toEqual(['payment', 'payment.iban', 'payment.card'])
  expect(schemaRows(schema)[0]?.bounds).toEqual(['one of 2 forms'])
})

test('what is no schema has no fields, and a huge one is cut', () => {
  expect([pathsOf(null), pathsOf([]), pathsOf({ properties: 5 })]).toEqual([[], [], []])
  const properties = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, {}]))
  expect(schemaRows({ properties })).toHaveLength(400)
})

function row(path: string, type: string) {
  return { path, type, isRequired: false, isDeprecated: false, bounds: [] as string[], description: null }
}

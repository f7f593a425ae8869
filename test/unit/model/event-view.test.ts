import { describe, expect, test } from 'vitest'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileRules } from '../../../src/match/rules.ts'
import type { EventView } from '../../../src/model/event-view.ts'
import { compileTransform } from '../../../src/shape/transform.ts'

const viewOf = (event: string, data: Record<string, unknown>): EventView => ({
  id: null,
  event,
  timestamp: '2026-01-01T00:00:00Z',
  livemode: true,
  api_version: 'v1',
  data,
  context: {},
})
const holds = (filters: unknown, event: string, data: Record<string, unknown>) =>
  compileRules({ filters: filtersSchema.parse(filters), conditions: null, conditionLogic: 'AND' })(
    viewOf(event, data),
  ).holds
const rendered = (template: string, event: string, data: Record<string, unknown>) =>
  compileTransform({ template, contentType: 'text/plain' })({ text: JSON.stringify(viewOf(event, data)) })

describe("a member of the payload called like the event's resource", () => {
  test.each<[string, unknown, Record<string, unknown>]>([
    ['a text of data', { status: 'up' }, { status: 'up' }],
    ['a text of data.object', { status: 'up' }, { object: { status: 'up' } }],
    ['a list', { status: 'up' }, { status: ['down', 'up'] }],
    ['null', { status: null }, { status: null }],
    ['in an expression', ['status == "up"'], { status: 'up' }],
  ])('is what its name alone means: %s', (_, filters, data) => {
    expect(holds(filters, 'status.changed', data)).toBe(true)
  })

  test('a template prints it with its digits', () => {
    expect(rendered('now {{price}}', 'price.changed', { price: 9.99, sku: 'A' })).toMatchObject({
      text: 'now 9.99',
    })
    const text = '{"id":"e","event":"price.changed","data":{"price":9.90}}'
    expect(compileTransform({ template: ['{{ price }}'] })({ text })).toMatchObject({ text: '[9.90]' })
  })

  test('an object of that name does not stand in for the resource, which no rule could compare either', () => {
    expect(rendered('{{ order }}', 'order.created', { order: { a: 1 }, b: 2 })).toMatchObject({
      text: '{"order":{"a":1},"b":2}',
    })
  })

  test.each<[unknown, string, Record<string, unknown>]>([
    [{ 'invoice.total': 5 }, 'invoice.created', { object: { total: 5, invoice: 'INV-1' } }],
    [{ 'invoice.total': 5 }, 'invoice.created', { total: 5, invoice: { total: 6 } }],
    [{ 'order.total': 5 }, 'sales_order.created', { object: { total: 5, order: 'so_1' } }],
    [['order.total > 4'], 'sales_order.created', { order: { total: 5 } }],
    [['has(order)'], 'sales_order.created', {}],
    [{ invoice: { exists: true } }, 'invoice.created', {}],
  ])('longer paths, and asking for the resource, go on as they were: %j of %s', (filters, event, data) => {
    expect(holds(filters, event, data)).toBe(true)
  })
})

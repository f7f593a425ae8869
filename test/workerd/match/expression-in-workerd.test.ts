import { expect, test } from 'vitest'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileRules } from '../../../src/match/rules.ts'
import type { EventView } from '../../../src/model/event-view.ts'

const VIEW: EventView = {
  id: 'evt_1',
  event: 'sales_order.created',
  timestamp: '2024-01-15T10:30:00Z',
  livemode: true,
  api_version: 'v1',
  data: { object: { total: 150.5, status: 'open', items: [{ category: 'software' }], tags: ['vip'] } },
  context: {},
}

function holds(filters: unknown): boolean {
  return compileRules({ filters: filtersSchema.parse(filters), conditions: null, conditionLogic: 'AND' })(
    VIEW,
  ).holds
}

test('seed 004’s expressions are compiled and evaluated', () => {
  expect(holds(['order.total > 100', 'order.status != "draft"'])).toBe(true)
  expect(holds(['order.total > 200', 'order.status != "draft"'])).toBe(false)
})

test.each([
  'order.items.exists(i, i.category == "software") && "vip" in order.tags && has(order.total)',
  'event == "sales_order.created" && timestamp(event.timestamp) < timestamp("2024-01-16T00:00:00Z")',
  'order.status.upperAscii() == "OPEN" && size(order.items) == 1 && int(order.total) == 150',
  `${'!'.repeat(900)}true`,
  Array(300).fill('true').join('&&'),
])('holds: %s', (text) => {
  expect(holds([text])).toBe(true)
})

test('what does not compile is refused with its place', () => {
  const { error } = filtersSchema.safeParse(['order.total >'])
  expect(error?.issues).toMatchObject([{ path: [0], message: expect.stringContaining('line 1, column 14') }])
})

test('an endless walk ends at its count, though the clock stands still', () => {
  const view = { ...VIEW, data: { object: { items: Array(200_000).fill(1) } } }
  const rules = { filters: ['order.items.all(i, i == 1)'], conditions: null, conditionLogic: 'AND' } as const
  expect(compileRules({ ...rules, filters: [...rules.filters] })(view)).toMatchObject({
    holds: false,
    refusals: [{ rule: 'filters[0]', reason: 'too_complex' }],
  })
})

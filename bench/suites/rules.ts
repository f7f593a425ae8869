/** What a subscription's rules cost: `node bench/suites/rules.ts` prints µs for one event and one subscription. */

import { conditionsSchema } from '../../src/match/conditions.ts'
import { filtersSchema } from '../../src/match/filters.ts'
import { compileMatcher } from '../../src/match/matcher.ts'
import { compileRules, type Rules } from '../../src/match/rules.ts'
import type { EventView } from '../../src/model/event-view.ts'

/** Seed 002's example of invoice.created, with the customer's tags that its filters ask for. */
const INVOICE: EventView = {
  id: 'evt_001',
  event: 'invoice.created',
  timestamp: '2024-01-15T10:30:00Z',
  livemode: true,
  api_version: 'v1',
  data: {
    object: {
      id: 'inv_123456789',
      customer: { id: 'cust_456789012', name: 'Acme Corporation', tags: ['vip'] },
      status: 'draft',
      currency: 'MYR',
      total: 2567.5,
      items: [{ description: 'Professional Services', quantity: 10, unitPrice: 230, total: 2300 }],
    },
  },
  context: {},
}
const SMALL: EventView = {
  ...INVOICE,
  data: { object: { total: 10, status: 'draft', customer: { tags: [] } } },
}

const RUNS = 200_000
const ROUNDS = 7

const none: Rules = { filters: null, conditions: null, conditionLogic: 'AND' }
const FILTERS = filtersSchema.parse({
  'customer.tags': ['vip', 'enterprise'],
  'invoice.total': { min: 1000 },
})
const CONDITIONS = conditionsSchema.parse([
  { field: 'data.object.total', operator: 'gt', value: 1000 },
  { field: 'data.object.customer.tags', operator: 'contains', value: 'vip' },
])
const EXPRESSION = filtersSchema.parse(['invoice.total > 100'])
const WALK = filtersSchema.parse(['invoice.items.exists(i, i.total > 100) && "vip" in invoice.customer.tags'])

const matcher = compileMatcher([{ no: 1, active: true, events: ['invoice.created'], narrowed: null }])
const kinds: [name: string, run: (view: EventView) => unknown][] = [
  [
    'exact pattern',
    (view) => matcher({ type: view.event, livemode: true, apiVersion: 'v1', view: () => view }),
  ],
  ['2 filters (seed 002)', compileRules({ ...none, filters: FILTERS })],
  ['2 conditions (seed 002)', compileRules({ ...none, conditions: CONDITIONS })],
  ['1 CEL expression (seed 004)', compileRules({ ...none, filters: EXPRESSION })],
  ['1 CEL expression over a list', compileRules({ ...none, filters: WALK })],
]

/** Median of some rounds, in µs. */
function measure(run: () => unknown, runs: number): string {
  const times = Array.from({ length: ROUNDS }, () => {
    const startedMs = performance.now()
    for (let at = 0; at < runs; at++) run()
    return ((performance.now() - startedMs) * 1000) / runs
  })
  return (times.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN).toFixed(2).padStart(9)
}

console.log(`${'µs per event and subscription'.padEnd(32)}    match   refused`)
for (const [name, run] of kinds) {
  console.log(`${name.padEnd(32)}${measure(() => run(INVOICE), RUNS)} ${measure(() => run(SMALL), RUNS)}`)
}
console.log(
  `${'compile, 1 CEL expression'.padEnd(32)}${measure(() => compileRules({ ...none, filters: EXPRESSION }), 2000)}`,
)
console.log(
  `${'compile, 2 filters'.padEnd(32)}${measure(() => compileRules({ ...none, filters: FILTERS }), 2000)}`,
)

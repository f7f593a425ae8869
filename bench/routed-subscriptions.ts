/** The subscriptions of the routing benches: many, of which a given number want the load driver's event. */
import { type Condition, conditionsSchema } from '../src/domain/conditions.ts'
import { type Filters, filtersSchema } from '../src/domain/filters.ts'
import type { Rules } from '../src/domain/rules.ts'

export const COUNTS = [1, 10, 100, 1000] as const

/** By what subscriptions choose: the event's type, a prefix of it, or rules that look into the event. */
export const KINDS = ['exact', 'wildcard', 'filters', 'conditions', 'expression'] as const
export type Kind = (typeof KINDS)[number]

/** What one subscription asks for. */
export type Routed = { events: string[]; rules: Rules | null }

const EVENT_TYPE = 'invoice.paid'
const CUSTOMER = 'c1'

/**
 * So many subscriptions of one kind; the first `wanting` of them want the load driver's event. By rules they all name
 * its type, no two have the same rules, and all but the last comparison holds for each: none is refused early.
 */
export function routedSubscriptions(kind: Kind, count: number, wanting: number): Routed[] {
  return Array.from({ length: count }, (_, at) => routed(kind, at, at < wanting))
}

function routed(kind: Kind, at: number, wants: boolean): Routed {
  const customer = wants ? CUSTOMER : `other_${at}`
  switch (kind) {
    case 'exact':
      return { events: [wants ? EVENT_TYPE : `invoice.other_${at}`], rules: null }
    case 'wildcard':
      return { events: [wants ? 'invoice.*' : `other_${at}.*`], rules: null }
    case 'filters':
      return filtered({ 'invoice.total': { min: at }, 'customer.id': [customer, `${customer}_too`] })
    case 'conditions':
      return conditioned([
        { field: 'data.object.total', operator: 'gt', value: at },
        { field: 'data.object.customer.id', operator: 'eq', value: customer },
      ])
    case 'expression':
      return filtered([`invoice.total > ${at} && customer.id == "${customer}"`])
  }
}

function filtered(filters: Filters): Routed {
  const rules: Rules = { filters: filtersSchema.parse(filters), conditions: null, conditionLogic: 'AND' }
  return { events: [EVENT_TYPE], rules }
}

function conditioned(conditions: Condition[]): Routed {
  const rules: Rules = {
    filters: null,
    conditions: conditionsSchema.parse(conditions),
    conditionLogic: 'AND',
  }
  return { events: [EVENT_TYPE], rules }
}

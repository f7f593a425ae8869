import { describe, expect, test } from 'vitest'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileRules } from '../../../src/match/rules.ts'
import { StepBudget } from '../../../src/match/step-budget.ts'
import { type EventView, lookUpOnce } from '../../../src/model/event-view.ts'
import { warningsOf } from './lint/warnings-of.ts'
import { viewOf } from './rule-events.ts'

const verdict = (filters: unknown, view: EventView) =>
  compileRules({ filters: filtersSchema.parse(filters), conditions: null, conditionLogic: 'AND' })(view)
const generated = viewOf({ id: null, object: { id: 'inv_1', event: { id: 'other' } } })
const WHY = "id is given after matching; only a publisher's own id can be matched"

const lookUp = (view: EventView, names: string[]) =>
  lookUpOnce(view, names.join('.'), names, new StepBudget())

describe('an id that is given after matching', () => {
  test.each([['id'], ['event.id']])('is missing at %s, and not looked for in the payload', (path) => {
    expect(lookUp(generated, path.split('.'))).toEqual([])
    expect(lookUp(viewOf({ id: 'own' }), path.split('.'))).toEqual(['own'])
    expect(lookUp(generated, ['data', 'object', 'id'])).toEqual(['inv_1'])
  })

  test('is not looked for below a resource that is called event either', () => {
    const view = viewOf({ id: null, event: 'event.created', object: { id: 'inner' } })
    expect(lookUp(view, ['event', 'id'])).toEqual([])
  })

  test.each<[unknown, string]>([
    [{ id: { exists: true } }, `id is missing: ${WHY}`],
    [{ 'event.id': null }, `event.id is missing: ${WHY}`],
    [{ id: 'inv_1' }, `id is missing: ${WHY}`],
    [['event.id == "x"'], `event.id == "x" does not hold: event.id is missing: ${WHY}`],
    [['id == null'], `id == null does not hold: id is missing: ${WHY}`],
  ])('refuses %j, and says why', (filters, message) => {
    expect(verdict(filters, generated)).toMatchObject({
      holds: false,
      refusals: [{ reason: 'missing', message }],
    })
  })

  test.each<[unknown]>([[{ id: { exists: false } }], [['!has(event.id)']], [['!has(id)']]])(
    'satisfies %j, which an own id does not',
    (filters) => {
      expect(verdict(filters, generated)).toEqual({ holds: true })
      expect(verdict(filters, viewOf({ id: 'own' }))).toMatchObject({ holds: false })
    },
  )
})

describe('saving warns', () => {
  const own = "is the event's own id, which is missing unless the publisher gave one"
  test.each<[Parameters<typeof warningsOf>[0], string]>([
    [{ filters: { id: 'x' } }, `filters.id: id ${own}`],
    [{ filters: ['total > 1 || event.id == "x"'] }, `filters[0]: event.id ${own}`],
    [
      { conditions: [{ field: 'event.id', operator: 'startsWith', value: 'x' }] },
      `conditions[0]: event.id ${own}`,
    ],
    [{ filters: ['1 > 2'] }, 'filters[0]: names no path of the event, so that it holds for no event'],
    [
      { filters: ['[1, 2].exists(i, i > 1)'] },
      'filters[0]: names no path of the event, so that it holds for every',
    ],
    [{ filters: { n: 9007199254740992 } }, 'filters.n: 9007199254740992 is beyond 2^53'],
    [{ filters: { n: [1, -9007199254740994] } }, 'filters.n: -9007199254740994 is beyond 2^53'],
    [{ filters: ['n == 9007199254740994'] }, 'filters[0]: 9007199254740994 is beyond 2^53'],
  ])('of %j', (given, warning) => {
    expect(warningsOf(given, ['*'])).toEqual([expect.stringContaining(warning)])
  })

  test.each<[Parameters<typeof warningsOf>[0]]>([
    [{ filters: { 'data.id': 'x', 'invoice.id': 'y', n: 9007199254740991 } }],
    [{ filters: ['data.object.id == "x" && n < 9007199254740991 && [1].exists(i, i == total)'] }],
  ])('not of %j', (given) => {
    expect(warningsOf(given, ['*'])).toEqual([])
  })
})

describe('has()', () => {
  const view = viewOf({ object: { total: 5, none: null } })
  test.each([
    'has(total)',
    'has(none) && has(event) && has(data)',
    '!has(other)',
    'has(total) ? total > 4 : false',
    '[1].exists(i, has(i) && has(total) && i == 1)',
  ])('takes a bare name: %s', (text) => {
    expect(verdict([text], view)).toEqual({ holds: true })
  })

  test.each(['has(1)', 'has(size(total))', 'has(!total)'])('refuses %s, and says what it takes', (text) => {
    expect(filtersSchema.safeParse([text]).error?.issues[0]?.message).toContain(
      'has() takes names joined by dots, such as has(order.total)',
    )
  })
})

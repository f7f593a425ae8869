import { describe, expect, test } from 'vitest'
import { compileExpression } from '../../../../src/match/cel/expression.ts'
import { StepBudget } from '../../../../src/match/step-budget.ts'
import type { EventView } from '../../../../src/model/event-view.ts'
import { seedView, viewOf } from '../rule-events.ts'

function refusal(text: string, view: EventView): string | null {
  const compiled = compileExpression(text)
  if (!compiled.ok) throw new Error(compiled.message)
  const refused = compiled.expression.rule.explain(view, new StepBudget())
  expect(compiled.expression.rule.holds(view, new StepBudget())).toBe(refused === null)
  return refused === null ? null : `${refused.reason}: ${refused.message}`
}
const problemOf = (text: string) => {
  const compiled = compileExpression(text)
  return compiled.ok ? null : compiled.message
}

const ORDER = viewOf({
  event: 'sales_order.created',
  object: {
    total: 150,
    rate: 0.5,
    qty: 2,
    name: 'Ärger 😀',
    status: 'open',
    none: null,
    paid: true,
    at: '2024-02-01T00:00:00+01:00',
    items: [
      { category: 'software', price: 10 },
      { category: 'books', price: 20.5 },
    ],
    customer: { tags: ['vip', 'new'], 'x-id': 7, event: 'inner' },
  },
})

describe('holds', () => {
  test.each([
    'order.total > 100',
    'order.total == 150',
    'order.total == 150.0',
    'order.total != 151',
    'order.total >= 99.5 && order.qty in [1, 2]',
    'order.rate < 1 && order.rate > 0 && order.rate in [0.5, 1]',
    'order.total + 0.5 == 150.5 && order.total / 4 == 37.5 && order.total - 1 > 148.5',
    'order.total % 4 == 2 && -order.total < -149.5 && order.total * order.rate == 75',
    '1 == 1.0 && 1 + 0.5 == 1.5 && size(order.items) * 1.5 == 3',
    'sales_order.total == 150 && data.object.total == 150 && total == 150 && object.total == 150',
    'event == "sales_order.created" && event.timestamp < "2025" && event.type == event && event.id == "evt_1"',
    'context == context && livemode && api_version == "v1"',
    'has(order.total) && !has(order.x) && !has(nothing.at.all) && !has(order.items.x)',
    'has(order.none) && order.none == null',
    'size(order.items) == 2 && order.items.size() > 1 && size(order.name) == 7 && order.customer.tags.size() == 2',
    'order.items.exists(i, i.category == "software")',
    'order.items.all(i, i.price >= 10) && order.items.exists_one(i, i.price > 20)',
    'order.items.filter(i, i.price > 15).map(i, i.category) == ["books"]',
    'order.items.map(i, i.price > 15, i.category)[0] == "books"',
    'order.items.exists(order, order.category == "books")',
    'order.items.exists(i, i.price < order.total)',
    'order.customer.exists(name, name == "tags")',
    '"vip" in order.customer.tags && !("old" in order.customer.tags) && "tags" in order.customer',
    'order.items[0].price == 10 && order["total"] == 150 && order.customer["x-id"] == 7',
    'order.items == order.items && order.items[0] == order.items[0] && order.items[0] != order.items[1]',
    'order.customer.tags + ["x"] == ["vip", "new", "x"]',
    'order.name.contains("rger") && order.name.startsWith("Ä") && order.name.endsWith("😀")',
    'order.status.upperAscii() == "OPEN" && "  a ".trim() == "a" && "ÄB".lowerAscii() == "Äb"',
    'order.status + "x" == "openx"',
    'int("7") == 7 && double("7.5") == 7.5 && int(7.9) == 7 && string(order.total) == "150"',
    'timestamp(order.at) == timestamp("2024-01-31T23:00:00Z") && timestamp(order.at) > timestamp(0)',
    'order.paid ? order.total > 100 : false',
    'order.paid',
    'dyn(order.total) > 100',
    'order.x == 1 || order.total > 100',
    'order.total > 100 || order.x == 1',
    '!(order.x == 1 && order.total < 100)',
    'order.items.exists(i, i.nothing == 1 || i.price == 10)',
    'order.total != "150"',
    'true // with a comment',
  ])('%s', (text) => {
    expect(refusal(text, ORDER)).toBeNull()
  })
})

describe('does not hold, and says why', () => {
  test.each([
    ['order.total < 100', 'not_satisfied: order.total < 100 is false: order.total is 150'],
    ['false', 'not_satisfied: false is false'],
    [
      'order.total < 100 && order.status == "x" && order.qty == 1 && order.rate == 1',
      'not_satisfied: order.total < 100 && order.status == "x" && order.qty == 1 && order.rate == 1 is false: order.total is 150, order.status is "open", order.qty is 2',
    ],
    [
      'order.customer.name == "x"',
      'missing: order.customer.name == "x" does not hold: order.customer.name is missing',
    ],
    ['nothing', 'missing: nothing does not hold: nothing is missing'],
    [
      'order.items.category == "books"',
      'missing: order.items.category == "books" does not hold: order.items.category is missing',
    ],
    ['order.items.all(i, i.x == 1)', 'missing: order.items.all(i, i.x == 1) does not hold: i.x is missing'],
    [
      'order.items[2].price == 1',
      'missing: order.items[2].price == 1 does not hold: a list of 2 elements has no element 2',
    ],
    ['order.items[0].x == 1', 'missing: order.items[0].x == 1 does not hold: an object has no member "x"'],
    ['order.x != 1', 'missing: order.x != 1 does not hold: order.x is missing'],
    ['order.total', 'wrong_type: order.total gives 150, which is neither true nor false'],
    ['order.none', 'wrong_type: order.none gives null, which is neither true nor false'],
    ['order.status > 5', 'wrong_type: order.status > 5 does not hold: "open" cannot be compared with 5'],
    ['!order.total', 'wrong_type: !order.total does not hold: 150 is neither true nor false'],
    ['order.total && true', 'wrong_type: order.total && true does not hold: 150 is neither true nor false'],
    [
      'order.total + "x" == "x"',
      'wrong_type: order.total + "x" == "x" does not hold: 150 + "x" is not defined',
    ],
    [
      'order.customer.tags.contains("vip")',
      'wrong_type: order.customer.tags.contains("vip") does not hold: contains() is for strings, not for a list of 2 elements: write value in list',
    ],
    [
      'order.total in order.qty',
      'wrong_type: order.total in order.qty does not hold: 2 is neither a list nor an object to look in',
    ],
    [
      'order.total.exists(i, true)',
      'wrong_type: order.total.exists(i, true) does not hold: 150 is neither a list nor an object',
    ],
    [
      'order.items.exists(i, i.price)',
      'wrong_type: order.items.exists(i, i.price) does not hold: 10 is neither true nor false',
    ],
    [
      'order.total / (order.qty - 2) > 1',
      'failed: order.total / (order.qty - 2) > 1 does not hold: it divides by zero',
    ],
    ['int(order.status) == 1', 'wrong_type: int(order.status) == 1 does not hold: "open" is no int'],
    [
      'timestamp(order.status) > timestamp(0)',
      'wrong_type: timestamp(order.status) > timestamp(0) does not hold: "open" is no timestamp',
    ],
  ])('%s', (text, expected) => {
    expect(refusal(text, ORDER)).toBe(expected)
  })

  test('long expressions and values are cut', () => {
    const text = `order.status == "${'x'.repeat(150)}"`
    const view = viewOf({ event: 'order.paid', object: { status: 'y'.repeat(150) } })
    expect(refusal(text, view)).toBe(
      `not_satisfied: ${text.slice(0, 99)}… is false: order.status is "${'y'.repeat(99)}…"`,
    )
  })
})

describe('names are looked up as in filters', () => {
  test('a path leads to the first place that holds all of it', () => {
    const view = viewOf({ event: 'order.created', data: { order: { note: 'x' }, object: { total: 5 } } })
    expect(refusal('order.total == 5 && order.note == "x"', view)).toBeNull()
  })

  test('of a seed’s payment with an order inside', () => {
    const view = seedView('seed 002, payment.received', { order: { total: 101 } })
    expect(refusal('order.total > 100 && payment.amount > 2567', view)).toBeNull()
  })

  test.each([
    'constructor',
    '__proto__.x',
    'order.constructor',
    'order.__proto__',
    'order["__proto__"]',
    'order.customer["constructor"]["name"]',
    'order.items.length',
    'order.name.length',
    'order.items[0]["constructor"]',
    'order.items.map(i, i["__proto__"])[0]',
    'toString',
  ])('no name leads into a prototype: %s', (text) => {
    const problem = problemOf(`${text} != 1`)
    if (problem === null) expect(refusal(`${text} != 1`, ORDER)).toMatch(/^missing: /)
    else expect(problem).toContain('Reserved identifier: __proto__')
  })

  test('a member that is called __proto__ is one like any other', () => {
    const view = viewOf({ event: 'order.created', data: JSON.parse('{"object": {"__proto__": {"x": 1}}}') })
    expect(refusal('order["__proto__"]["x"] == 1 && "__proto__" in data.object', view)).toBeNull()
  })
})

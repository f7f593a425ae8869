import { describe, expect, test } from 'vitest'
import { compileTransform, type Transform, transformSchema } from '../../../src/shape/transform.ts'
import { SEED_EVENTS } from '../match/seed-events.ts'

const ORDER = `{
  "id": "so_1", "customer_id": "cus_7", "total": 2567.50, "status": "open", "big": 12345678901234567890,
  "items": [{"sku": "a", "price": 1.10, "size": "XL", "tags": ["x", "y"]}, {"sku": "b", "price": 2, "size": "M"}],
  "customer": {"name": "Alice \\"A\\" & Co", "no": null}, "place": "first", "zone": "Asia/Kuala_Lumpur",
  "__proto__": {"polluted": true}, "cents": [0, 1.00]
}`
const EVENT = `{"id":"evt_001","event":"sales_order.created","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":{"object":${ORDER}},"context":{"userId":"user_789"}}`

const seedEvent = (name: string) => SEED_EVENTS.find(([each]) => each.includes(name))?.[1] ?? ''
const rendered = (template: unknown, contentType?: string, text = EVENT) => {
  const transform: Transform = transformSchema.parse({ template, ...(contentType && { contentType }) })
  return compileTransform(transform)({ text })
}
const textOf = (template: unknown, contentType?: string, text = EVENT) => {
  const result = rendered(template, contentType, text)
  return result.kind === 'rendered' ? result.text : result
}

describe('the seeds', () => {
  test('seed 002: the transform of invoice.created gives this body', () => {
    const transform = JSON.parse(`{
    "template": {
      "id": "{{data.object.id}}",
      "invoice_number": "{{data.object.invoiceNumber}}",
      "customer_name": "{{data.object.customer.name}}",
      "amount": "{{data.object.total}}",
      "currency": "{{data.object.currency}}",
      "custom_field": "Invoice Created"
    },
    "contentType": "application/json"
  }`)
    expect(
      compileTransform(transformSchema.parse(transform))({ text: seedEvent('invoice.created') }),
    ).toEqual({
      kind: 'rendered',
      text: '{"id":"inv_123456789","invoice_number":"INV-2024-0001","customer_name":"Acme Corporation","amount":2567.50,"currency":"MYR","custom_field":"Invoice Created"}',
      contentType: 'application/json',
    })
  })

  test('seed 004: the payload format of the order webhook gives this body', () => {
    const template = {
      order_id: '{{ order.id }}',
      customer_id: '{{ order.customer_id }}',
      total_amount: '{{ order.total }}',
      status: '{{ order.status }}',
      items: '{{ order.items }}',
      timestamp: '{{ event.timestamp }}',
    }
    expect(textOf(template)).toBe(
      '{"order_id":"so_1","customer_id":"cus_7","total_amount":2567.50,"status":"open","items":[{"sku":"a","price":1.10,"size":"XL","tags":["x","y"]},{"sku":"b","price":2,"size":"M"}],"timestamp":"2024-01-15T10:30:00Z"}',
    )
  })

  test('seed 004: the payload format of the customer webhook gives this body', () => {
    const template = {
      customer_id: '{{ customer.id }}',
      name: '{{ customer.name }}',
      email: '{{ customer.email }}',
      phone: '{{ customer.phone }}',
      address: '{{ customer.address }}',
      created_date: '{{ customer.created_date }}',
    }
    const text =
      '{"id":"e","event":"customer.created","timestamp":"2024-01-15T10:30:00Z","data":{"object":{"id":"cus_1","name":"Acme","email":"a@acme.com","address":{"city":"KL"},"created_date":"2024-01-15"}},"context":{}}'
    expect(textOf(template, undefined, text)).toBe(
      '{"customer_id":"cus_1","name":"Acme","email":"a@acme.com","phone":null,"address":{"city":"KL"},"created_date":"2024-01-15"}',
    )
  })
})

describe('a leaf of one path keeps its value', () => {
  test.each([
    ['{{event}}', '"sales_order.created"'],
    ['{{ event.id }}', '"evt_001"'],
    ['{{ event.type }}', '"sales_order.created"'],
    ['{{ context.userId }}', '"user_789"'],
    ['{{ livemode }}', 'true'],
    ['{{ order.total }}', '2567.50'],
    ['{{ sales_order.total }}', '2567.50'],
    ['{{ total }}', '2567.50'],
    ['{{- order.big -}}', '12345678901234567890'],
    ['{{ order.customer.no }}', 'null'],
    ['{{ order.nothing.at.all }}', 'null'],
    ['{{ order["customer"].no }}', 'null'],
    ['{{ order.items[0].sku }}', '"a"'],
    ['{{ order.items.1.sku }}', '"b"'],
    ['{{ order.items[-1].sku }}', '"b"'],
    ['{{ order.items.last.sku }}', '"b"'],
    ['{{ order.items[9].sku }}', 'null'],
    ['{{ order.items.size }}', '2'],
    ['{{ order.items.sku }}', '["a","b"]'],
    ['{{ order.items.price }}', '[1.10,2]'],
    ['{{ order.items.tags }}', '[["x","y"]]'],
    ['{{ order.items.colour }}', 'null'],
    ['{{ order.customer.size }}', 'null'],
    ['{{ order.items[order.cents[1]].sku }}', '"b"'],
    ['{{ order.__proto__ }}', '{"polluted":true}'],
    ['{{ order.customer.__proto__ }}', 'null'],
    ['{{ data.constructor }}', 'null'],
    ['{{ constructor.prototype }}', 'null'],
    ['{{ toString }}', 'null'],
    ['{{ order.id.length }}', 'null'],
    ['{{ order.total.rawJSON }}', 'null'],
  ])('%s is %s', (path, json) => {
    expect(textOf([path])).toBe(`[${json}]`)
  })

  test('the first place that has the whole path counts: an alias before data.object', () => {
    const text =
      '{"id":"e","event":"order.created","data":{"order":{"a":1},"object":{"b":2,"order":{"c":3}}},"context":{}}'
    expect(textOf(['{{ order.a }}', '{{ order.b }}', '{{ order.c }}'], undefined, text)).toBe('[1,2,3]')
  })

  test('other JSON values and member names are left as they are', () => {
    const template = JSON.parse('{"{{ id }}":[1,-2.5,true,null,{}],"__proto__":{"a":"{{ id }}"},"b":[]}')
    expect(textOf(template)).toBe('{"{{ id }}":[1,-2.5,true,null,{}],"__proto__":{"a":"evt_001"},"b":[]}')
  })

  test('with anything around it, it is text', () => {
    expect(textOf([' {{ total }}', '{{ total | plus: 0 }}', '{{ "x" }}', '{{ nil }}'])).toBe(
      '[" 2567.50","2567.5","x",""]',
    )
  })
})

describe('one string is the whole output', () => {
  test('JSON written by hand is sent as it was written', () => {
    const template =
      '{ "lines": [{% for item in order.items %}{{ item.sku | json }}{% unless forloop.last %}, {% endunless %}{% endfor %}], "total": {{ order.total }} }'
    expect(textOf(template)).toBe('{ "lines": ["a", "b"], "total": 2567.50 }')
  })

  test('one path alone gives its value as JSON, and its text elsewhere', () => {
    expect(textOf('{{ order.id }}')).toBe('"so_1"')
    expect(textOf('{{ order.id }}', 'text/plain')).toBe('so_1')
    expect(textOf('{{ order.customer }}', 'application/vnd.acme+json')).toBe(
      '{"name":"Alice \\"A\\" & Co","no":null}',
    )
  })

  test.each([
    '{"name": "{{ order.customer.name }}"}',
    '{% if false %}1{% endif %}',
    '[1,{{ order.nothing }}]',
  ])('%s does not give JSON and fails with the reason', (template) => {
    expect(rendered(template)).toEqual({
      kind: 'failed',
      path: 'template',
      message: expect.stringMatching(/^must give JSON: ./) as string,
    })
  })

  test('XML, text and forms are sent as they come, with the content type as it was given', () => {
    expect(
      rendered('<o id="{{ id }}">{{ customer.name | escape }}</o>', 'application/xml; charset=utf-8'),
    ).toEqual({
      kind: 'rendered',
      text: '<o id="evt_001">Alice &quot;A&quot; &amp; Co</o>',
      contentType: 'application/xml; charset=utf-8',
    })
    expect(textOf('a={{ total }}', 'application/x-www-form-urlencoded')).toBe('a=2567.50')
  })
})

test('an object becomes the fields of a form: nested values as JSON, null as nothing', () => {
  const template = {
    id: '{{ id }}',
    'a b': 'x y&z {{ total }}',
    total: '{{ total }}',
    customer: '{{ customer }}',
    nested: { total: '{{ total }}' },
    missing: '{{ nothing }}',
    none: null,
    yes: true,
  }
  expect([...new URLSearchParams(textOf(template, 'application/x-www-form-urlencoded') as string)]).toEqual([
    ['id', 'evt_001'],
    ['a b', 'x y&z 2567.50'],
    ['total', '2567.50'],
    ['customer', '{"name":"Alice \\"A\\" & Co","no":null}'],
    ['nested', '{"total":2567.50}'],
    ['missing', ''],
    ['none', ''],
    ['yes', 'true'],
  ])
})

describe('a template that fails on an event', () => {
  test.each([
    ['a filter that throws', '{{ order.id | base64_decode }}!', 'invalid base64 provided to base64_decode'],
    [
      'the clock asked for at run time',
      '{% assign x = "now" %}{{ x | date: "%F" }}',
      '"now" is not available',
    ],
    ['an unknown time zone', '{{ event.timestamp | date: "%F", "Mars/Base" }}', 'a time zone must be'],
    [
      'a member name from outside',
      '{{ order.items | where: "a[0]" }}',
      'the member a filter goes by must be',
    ],
  ])('%s names its path and position', (_, source, message) => {
    expect(rendered({ fine: '{{ id }}', list: [{ bad: source }] })).toEqual({
      kind: 'failed',
      path: 'template.list.0.bad',
      message: expect.stringMatching(new RegExp(`^${message}.*\\(line 1, column \\d+\\)$`)) as string,
    })
  })

  test.each(['', 'null', '[]', '{}', '{"event":1}', '{"event":"a.b"'])('an input of %j is told', (text) => {
    expect(rendered({ a: '{{ id }}' }, undefined, text)).toMatchObject({ kind: 'failed', path: 'template' })
  })
})

test('transforms that share an input do not share what a template assigns', () => {
  const input = { text: EVENT }
  const first = compileTransform({ template: ['{% assign id = "other" %}{{ id }}', '{{ id }}'] })(input)
  const second = compileTransform({ template: ['{{ id }}'] })(input)
  expect([first, second]).toMatchObject([{ text: '["other","evt_001"]' }, { text: '["evt_001"]' }])
})

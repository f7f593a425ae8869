import { expect, test } from 'vitest'
import { compileTransform, transformSchema } from '../../../src/shape/transform.ts'

const EVENT = `{"id":"evt_001","event":"sales_order.created","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":{"object":{"id":"so_1","total":2567.50,"big":12345678901234567890,"items":[{"sku":"a","price":1.10},{"sku":"b","price":-0}]}},"context":{}}`

function render(template: unknown, contentType = 'application/json') {
  return compileTransform(transformSchema.parse({ template, contentType }))({ text: EVENT })
}

test('numbers keep their bytes in workerd', () => {
  const template = {
    total: '{{ order.total }}',
    big: '{{ order.big }}',
    items: '{{ order.items }}',
    none: '{{ x }}',
  }
  expect(render(template)).toEqual({
    kind: 'rendered',
    text: '{"total":2567.50,"big":12345678901234567890,"items":[{"sku":"a","price":1.10},{"sku":"b","price":-0}],"none":null}',
    contentType: 'application/json',
  })
})

test('loops, filters, dates in a named time zone and forms work in workerd', () => {
  const source =
    '[{% for item in order.items %}{{ item.sku | upcase | json }},{% endfor %}"{{ event.timestamp | date: "%F %R %z", "Asia/Kuala_Lumpur" }}"]'
  expect(render(source)).toMatchObject({ text: '["A","B","2024-01-15 18:30 +0800"]' })
  expect(
    render({ id: '{{ order.id }}', total: '{{ total }}' }, 'application/x-www-form-urlencoded'),
  ).toMatchObject({
    text: 'id=so_1&total=2567.50',
  })
})

test.each([
  ['{% for i in (1..1000000000) %}{% endfor %}', /ranges of at most 10000/],
  ['{% for i in (1..5000) %}{% for j in (1..5000) %}{% endfor %}{% endfor %}', /loop at most 10000 times/],
  ['{% for i in (1..60) %}{% capture a %}{{ a }}{{ a }}xx{% endcapture %}{% endfor %}', /less work/],
  ['{{ order.id | base64_decode }}!', /invalid base64/],
])('%s ends in workerd with its reason', (template, message) => {
  expect(render(template, 'text/plain')).toEqual({
    kind: 'failed',
    path: 'template',
    message: expect.stringMatching(message) as string,
  })
})

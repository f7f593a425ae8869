import { describe, expect, test } from 'vitest'
import { compileTransform, transformSchema } from '../../../../src/shape/transform.ts'

const ORDER = `{
  "id": "so_1", "customer_id": "cus_7", "total": 2567.50, "status": "open", "big": 12345678901234567890,
  "items": [{"sku": "a", "price": 1.10, "size": "XL", "tags": ["x", "y"]}, {"sku": "b", "price": 2, "size": "M"}],
  "customer": {"name": "Alice \\"A\\" & Co", "no": null}, "place": "first", "zone": "Asia/Kuala_Lumpur",
  "__proto__": {"polluted": true}, "cents": [0, 1.00]
}`
const EVENT = `{"id":"evt_001","event":"sales_order.created","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":{"object":${ORDER}},"context":{"userId":"user_789"}}`

/** Inside text, not alone: nothing keeps its type. */
const inText = (source: string) => {
  const transform = transformSchema.parse({ template: `>${source}<`, contentType: 'text/plain' })
  const result = compileTransform(transform)({ text: EVENT })
  return result.kind === 'rendered' ? result.text : result
}

describe('inside text', () => {
  test.each([
    ['{{ total }} {{ order.big }}', '2567.50 12345678901234567890'],
    ['{{ order.nothing }}{{ order.customer.no }}', ''],
    ['{{ order.items[0] }}', '{"sku":"a","price":1.10,"size":"XL","tags":["x","y"]}'],
    ['{{ order.items.sku }}', '["a","b"]'],
    ['{{ total | append: " MYR" }}', '2567.50 MYR'],
    [
      '{{ total | times: 2 }} {{ total | round }} {{ total | divided_by: 4 | round: 2 }}',
      '5135.0 2568 641.88',
    ],
    ['{% if total == 2567.5 and total > 2000 and 3000 > total %}yes{% endif %}', 'yes'],
    ['{% if order.items contains "a" or order.id contains "so" %}yes{% endif %}', 'yes'],
    ['{% case total %}{% when 1 %}one{% when 2567.5 %}yes{% else %}else{% endcase %}', 'yes'],
    ['{% for item in order.items %}{{ forloop.index }}{{ item.sku }}{% endfor %}', '1a2b'],
    ['{% for item in order.items reversed %}{{ item.sku }}{% endfor %}', 'ba'],
    ['{% for i in (1..3) %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}', '13'],
    ['{% for pair in order.customer %}{{ pair[0] }},{% endfor %}', 'name,no,'],
    ['{% assign order = "mine" %}{{ order }}', 'mine'],
    ['{% capture x %}{{ id }}!{% endcapture %}{{ x | upcase }}', 'EVT_001!'],
    ['{{ order.nothing | default: "none" }}', 'none'],
    ['{{ order.customer.name | json }}', '"Alice \\"A\\" & Co"'],
    ['{{ order.nothing | json }} {{ total | json }}', 'null 2567.50'],
    ['{{ order.customer.name | escape }}', 'Alice &quot;A&quot; &amp; Co'],
    ['{{ order.customer.name | url_encode }}', 'Alice+%22A%22+%26+Co'],
    ['{{ order.items | map: "sku" | join: "," }}', 'a,b'],
    ['{{ order.items | where: "price", 1.1 | map: "sku" | first }}', 'a'],
    ['{{ order.items | sort: "price" | map: "price" | reverse | join }}', '2 1.10'],
    ['{{ order.items | sum: "price" }}', '3.1'],
    ['{{ "a-b-c" | split: "-" | size }}{{ "x" | base64_encode }}', '3eA=='],
    ['{% raw %}{{ id }}{% endraw %}{% comment %}x{% endcomment %}{% # x %}', '{{ id }}'],
    ['{% liquid\n assign a = id\n echo a %}', 'evt_001'],
  ])('%s gives %s', (source, text) => {
    expect(inText(source)).toBe(`>${text}<`)
  })

  test.each([
    ['%Y-%m-%d %H:%M:%S', '2024-01-15 10:30:00'],
    ['%e|%-d|%d|%j|%y|%C|%u|%w|%U|%W', '15|15|15|015|24|20|1|1|02|03'],
    ['%a %A %b %B %^a', 'Mon Monday Jan January MON'],
    ['%I:%M %p %l %k %P %L %N', '10:30 AM 10 10 am 000 000000000'],
    ['%s %z %:z %Z %%', '1705314600 +0000 +00:00 UTC %'],
    ['%F %T %R %D %c %Q %9Y', '2024-01-15 10:30:00 10:30 01/15/24 Mon Jan 15 10:30:00 2024 %Q 000002024'],
  ])('a date of format %s is %s', (format, text) => {
    expect(inText(`{{ event.timestamp | date: "${format}" }}`)).toBe(`>${text}<`)
  })

  test.each([
    ['"2024-03-31T02:30:00+02:00" | date: "%F %R"', '2024-03-31 00:30'],
    ['"2024-01-15" | date: "%F %R"', '2024-01-15 00:00'],
    ['"2024-01-15T23:30" | date: "%F %R"', '2024-01-15 23:30'],
    ['"2024-02-30" | date: "%F"', '2024-02-30'],
    ['"next week" | date: "%F"', 'next week'],
    ['1705314600 | date: "%F"', '2024-01-15'],
    ['"1705314600" | date: "%F"', '2024-01-15'],
    ['event.timestamp | date: "%F %R %z", "Asia/Kuala_Lumpur"', '2024-01-15 18:30 +0800'],
    ['event.timestamp | date: "%F %R %z", order.zone', '2024-01-15 18:30 +0800'],
    ['"2024-07-01T00:00:00Z" | date: "%R", "America/New_York"', '20:00'],
    ['event.timestamp | date: "%R", "-03:30"', '07:00'],
    ['event.timestamp | date', '2024-01-15 10:30:00 UTC'],
    ['event.timestamp | date_to_xmlschema', '2024-01-15T10:30:00+00:00'],
    ['event.timestamp | date_to_rfc822', 'Mon, 15 Jan 2024 10:30:00 +0000'],
    ['event.timestamp | date_to_long_string', '15 January 2024'],
  ])('%s is %s', (expression, text) => {
    expect(inText(`{{ ${expression} }}`)).toBe(`>${text}<`)
  })
})

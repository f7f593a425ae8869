/** What rendering the seeds' templates costs: `node bench/suites/transform.ts` prints microseconds per render. */
import { compileTransform, type TemplateInput } from '../../src/shape/transform.ts'

const RENDERS = 20_000
const ROUNDS = 5

/** Seed 002's invoice.created, as the default payload. */
const INVOICE = `{"id":"evt_001","event":"invoice.created","timestamp":"2024-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":{"object":{"id":"inv_123456789","invoiceNumber":"INV-2024-0001","customerId":"cust_456789012","customer":{"id":"cust_456789012","name":"Acme Corporation","email":"billing@acme.com"},"invoiceDate":"2024-01-15","dueDate":"2024-02-14","status":"draft","currency":"MYR","total":2567.50,"amountDue":2567.50,"items":[{"description":"Professional Services","quantity":10,"unitPrice":230.00,"total":2300.00}],"createdAt":"2024-01-15T10:30:00Z"}},"context":{}}`
const ORDER = INVOICE.replace('invoice.created', 'sales_order.created')

/** Seed 002's transform, seed 004's payload format, and one string with a loop and filters. */
const CASES = [
  {
    name: 'seed 002, object of paths',
    text: INVOICE,
    template: {
      id: '{{data.object.id}}',
      invoice_number: '{{data.object.invoiceNumber}}',
      customer_name: '{{data.object.customer.name}}',
      amount: '{{data.object.total}}',
      currency: '{{data.object.currency}}',
      custom_field: 'Invoice Created',
    },
  },
  {
    name: 'seed 004, object of aliases',
    text: ORDER,
    template: {
      order_id: '{{ order.id }}',
      customer_id: '{{ order.customer_id }}',
      total_amount: '{{ order.total }}',
      status: '{{ order.status }}',
      items: '{{ order.items }}',
      timestamp: '{{ event.timestamp }}',
    },
  },
  {
    name: 'one string, loop and filters',
    text: ORDER,
    template:
      '{"lines":[{% for item in order.items %}{{ item.description | upcase | json }}{% unless forloop.last %},{% endunless %}{% endfor %}],"on":"{{ event.timestamp | date: "%d/%m/%Y" }}"}',
  },
]

for (const { name, text, template } of CASES) {
  const transform = compileTransform({ template })
  const fresh = measure(() => transform({ text }))
  const shared: TemplateInput = { text }
  const again = measure(() => transform(shared))
  const compiling = measure(() => compileTransform({ template }), RENDERS / 20)
  const parsing = measure(() => JSON.parse(text))
  console.log(
    `${name}: ${fresh} µs per render with the event parsed anew, ${again} µs with a shared one; ${compiling} µs to compile; JSON.parse alone ${parsing} µs`,
  )
}

/** The best of a few rounds, in microseconds per call. */
function measure(task: () => unknown, calls = RENDERS): string {
  let bestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const startedAtMs = performance.now()
    for (let call = 0; call < calls; call++) task()
    bestMs = Math.min(bestMs, performance.now() - startedAtMs)
  }
  return ((bestMs / calls) * 1000).toFixed(1)
}

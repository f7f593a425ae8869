import assert from 'node:assert/strict'
import {
  allTypes,
  changes,
  counts,
  curls,
  requires,
  retriesInTime,
  samePayload,
  subscribes,
  takesHttpsOnly,
} from './checks/bigledger.ts'
import { keyPerCustomer } from './checks/callers.ts'
import { arrives, endsEach, goes, retriesAfter, taken } from './checks/deliveries.ts'
import { express002, flask002, flaskTested, php002, phpTested } from './checks/handlers.ts'
import { handlesErrors, integrates } from './checks/handlers-002.ts'
import { deliveredAndFailed, tests } from './checks/history.ts'
import { logFilters, logRow } from './checks/logs.ts'
import { batches, flushes, shaped } from './checks/rules.ts'
import { example } from './examples.ts'
import { cannot, differs, needing, type Seed, works } from './row.ts'

const BIGLEDGER = { profile: 'bigledger' }
const INVOICE = example.event('002-invoice.created')
const PAID = example.event('002-invoice.paid')
const TEST = {
  event: 'invoice.created',
  testData: { invoiceId: 'inv_test_123', customerId: 'cust_test_456' },
}
const invoice = (object: object) => ({ event: 'invoice.created', data: { object } })
const payment = (amount: number) => ({ event: 'payment.received', data: { object: { amount } } })
/** 5, 10, 20, 40 and 80 seconds. */
const POLICY = { maxRetries: 5, retryDelay: 5, backoffMultiplier: 2 }
const TRANSFORMED = {
  id: 'inv_123456789',
  invoice_number: 'INV-2024-0001',
  customer_name: 'Acme Corporation',
  amount: 2567.5,
  currency: 'MYR',
  custom_field: 'Invoice Created',
}

/** Seed 002: webhooks of a business system. */
export const SEED_002: Seed = {
  name: '002',
  about: 'webhooks of a business system, profiles standard and bigledger',
  rows: [
    works(
      '1 signed, retried, filtered',
      arrives(BIGLEDGER, PAID, () => undefined),
    ),
    works('2-51 fifty event types', allTypes('bigledger', 50)),
    works('52 POST /api/v1/webhooks/subscribe, and /v1', subscribes),
    works('53 its body', subscribes),
    works('54 url and events are required', requires),
    differs('55 url must be HTTPS', takesHttpsOnly),
    works('56 the curl lines', curls),
    works('57 an API key per customer', keyPerCustomer),
    differs('58 the answer', subscribes),
    works('59 GET /webhooks', changes),
    works('60 PUT /webhooks/{id}, in part', changes),
    works('61 DELETE /webhooks/{id}', changes),
    works('62 the payload', samePayload('002-invoice.paid')),
    works('63 id', samePayload('002-invoice.paid', 'id')),
    differs('64 timestamp', samePayload('002-invoice.paid', 'timestamp')),
    works(
      '65 livemode',
      goes(
        { livemode: false },
        [{ ...invoice({}), livemode: false }, true],
        [{ ...invoice({}), livemode: true }, false],
      ),
    ),
    works('66 api_version', samePayload('002-invoice.paid', 'api_version')),
    differs('67 previous_attributes', samePayload('002-invoice.paid', 'data')),
    differs('68 context', samePayload('002-invoice.paid', 'context')),
    differs('69 example invoice.created', samePayload('002-invoice.created')),
    differs('70 example payment.received', samePayload('002-payment.received')),
    differs('71 example inventory.low_stock', samePayload('002-inventory.low_stock')),
    differs('72 example einvoice.accepted', samePayload('002-einvoice.accepted')),
    differs(
      '73 X-Signature on every request',
      arrives(BIGLEDGER, PAID, ({ headers }) => {
        assert.match(headers['x-signature'] ?? '', /^sha256=[0-9a-f]{64}$/)
        return headers['x-signature']
      }),
    ),
    works('74 the Node handler', express002),
    works('75 the Python handler, on Flask', needing('flask', flask002)),
    works('76 the PHP handler', needing('php', php002)),
    works('77 an answer within 10 seconds', taken(BIGLEDGER, { timeoutSeconds: 10 })),
    works('78 repetitions are told by the event’s id', handlesErrors),
    differs('79 HTTPS only', takesHttpsOnly),
    works('80 the handler with its error handling', handlesErrors),
    works('81 processWebhookEvent', handlesErrors),
    works('82 first retry after 5 seconds', retriesInTime),
    works('83 then 10, 20, 40 s', retriesAfter(BIGLEDGER, 5, { ...POLICY, source: 'profile' })),
    works('84 5 retries within 24 hours', retriesAfter(BIGLEDGER, 5, { ...POLICY, maxAgeSeconds: 86400 })),
    differs(
      '85 any 4xx or 5xx is a failure',
      endsEach(BIGLEDGER, [400, 401, 404, 408, 422, 429, 500, 502, 503], (row) =>
        assert.notEqual(row.nextRetryAt, null),
      ),
    ),
    works(
      '86 200-299 is a success',
      endsEach(BIGLEDGER, [200, 201, 204, 299], (row) => assert.equal(row.status, 'success')),
    ),
    works('87 GET /webhooks/{id}/statistics', counts),
    works(
      '88 a URL of ngrok',
      taken(
        { url: 'https://abc123.ngrok.io/webhooks/bigledger', events: ['invoice.created'] },
        { active: true },
      ),
    ),
    works('89 POST /webhooks/{id}/test', tests(TEST, {})),
    cannot('90 an inspector of requests'),
    differs(
      '91 filter by customer',
      goes(
        example.subscription('002-filter-by-customer'),
        [invoice({ customer: { tags: ['vip'] }, tags: ['vip'], total: 1200 }), true],
        [invoice({ customer: { tags: ['new'] }, total: 1200 }), false],
        [payment(9000), false],
      ),
    ),
    works(
      '92 filter by amount',
      goes(example.subscription('002-filter-by-amount'), [payment(5000), true], [payment(4999.99), false]),
    ),
    works('93 the test call reaches the Flask handler', needing('flask', flaskTested)),
    works('93 the test call reaches the PHP handler', needing('php', phpTested)),
    works(
      '94 filter by product',
      goes(
        example.subscription('002-filter-by-product'),
        [invoice({ items: [{ category: 'hardware' }, { category: 'licenses' }] }), true],
        [invoice({ items: [{ category: 'hardware' }] }), false],
      ),
    ),
    works('95 logs by event', logFilters('event=invoice.paid', 1)),
    works('96 logs by status', logFilters('status=failed', 1)),
    works('97 logs by dateFrom and dateTo', logFilters('dateFrom=2024-01-01&dateTo=2024-01-31', 0)),
    works('98 logs, limit', logFilters('limit=500', 2)),
    works('99 a row of the log', logRow),
    works(
      '100 its id log_…',
      deliveredAndFailed(2, (rows) => assert.ok(rows.every(({ id }) => id.startsWith('log_')))),
    ),
    works('101 batchSettings', flushes(example.subscription('002-batch'))),
    works(
      '102 the payload of a batch',
      batches(
        { batchSettings: { enabled: true, maxEvents: 2 } },
        [invoice({ id: 1 }), payment(1)],
        (body) => {
          assert.match(`${body['batchId']} ${body['batchTimestamp']}`, /^batch_\w+ \d{4}-\d\d-\d\dT/)
          assert.deepEqual(Object.keys(body), ['batch', 'events', 'batchId', 'batchTimestamp'])
        },
      ),
    ),
    works('103 transform', shaped(example.subscription('002-transformation'), INVOICE, TRANSFORMED)),
    works(
      '104 conditions and conditionLogic',
      goes(
        example.subscription('002-conditional'),
        [invoice({ total: 1200, customer: { tags: ['vip'] } }), true],
        [invoice({ total: 900, customer: { tags: ['vip'] } }), false],
        [invoice({ total: 1200, customer: { tags: [] } }), false],
      ),
    ),
    works(
      '105 further operators',
      goes(
        {
          conditions: [
            { field: 'data.object.note', operator: 'startsWith', value: 'a' },
            { field: 'data.object.n', operator: 'in', value: [1, 2] },
          ],
          conditionLogic: 'OR',
        },
        [invoice({ note: 'abc' }), true],
        [invoice({ n: 2 }), true],
        [invoice({ note: 'b', n: 3 }), false],
      ),
    ),
    works('106 the integrations', integrates),
  ],
}

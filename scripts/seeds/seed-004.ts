import assert from 'node:assert/strict'
import { allTypes, takesHttpsOnly } from './checks/bigledger.ts'
import { allowsAddresses, allowsHosts, hasRoles, isAudited, isLimited } from './checks/callers.ts'
import { arrives, ends, goes, refused, retriesAfter, taken } from './checks/deliveries.ts'
import { attempts } from './checks/dispatch.ts'
import { isManaged, saysWhy, tests } from './checks/history.ts'
import { broadcasts, keepsHistory, previews, takesTenMegabytes, tellsHealth } from './checks/logs.ts'
import { authenticates, batches, fetchesToken, isTenantAware, limits, shaped } from './checks/rules.ts'
import { believed } from './checks/signatures.ts'
import { acceptsPerSecond, capturesQuickly, deliversAll, deliversAtOnce } from './checks/speed.ts'
import { example } from './examples.ts'
import { alone, cannot, differs, type Seed, works } from './row.ts'

const ORDER = example.event('004-sales_order.created').replace('{', '{"timestamp": "2024-01-15T10:30:00Z",')
const CUSTOMER = example.event('004-customer.created')
const SHOP = example.subscription('004-e-commerce-order')
const CRM = example.subscription('004-crm-customer-sync')
const order = (total: number, status = 'confirmed') => ({
  event: 'sales_order.created',
  data: { object: { id: 'so_1', total, status } },
})
const ordersOver = (total: number) => ({ filters: { 'order.total': { min: total } } })
const POST = { event: 'sales_order.created', data: {} }

/** Seed 004: an applet that manages webhooks. */
export const SEED_004: Seed = {
  name: '004',
  about: 'an applet that manages webhooks',
  rows: [
    differs('1 configuration and management', isManaged),
    works(
      '2 real-time notifications',
      arrives({}, ORDER, () => undefined),
    ),
    works('3 support for API integration', async (scene) => {
      const { text } = await scene.call('GET', '/openapi.json')
      assert.match(text, /"openapi":"3\.1/)
      return 'GET /openapi.json, OpenAPI 3.1'
    }),
    works('4 event filtering and routing', goes(ordersOver(100), [order(185), true], [order(99), false])),
    works('5 security and authentication', authenticates()),
    works('6 several endpoints', broadcasts(5)),
    differs('7 HTTP and HTTPS', takesHttpsOnly),
    works(
      '8 custom headers',
      arrives({ headers: { 'X-Team': 'billing' } }, ORDER, ({ headers }) => {
        assert.equal(headers['x-team'], 'billing')
        return 'X-Team: billing'
      }),
    ),
    differs(
      '9 SSL certificate validation',
      refused(
        'POST',
        '/webhooks/subscribe',
        { url: 'https://a.example.com', events: ['*'], sslVerification: false },
        400,
        /certificates are always checked/,
      ),
    ),
    works('10 health monitoring, status', tellsHealth),
    works(
      '11 retry and failure handling',
      attempts((list) => assert.equal(list.length, 2)),
    ),
    cannot('12 event capture in every module'),
    works(
      '13 types and filters',
      goes({ events: ['sales_order.*'], ...ordersOver(100) }, [order(185), true], [CUSTOMER, false]),
    ),
    works(
      '14 JSON payload customization',
      shaped({ transform: { template: { no: '{{ order.id }}' } } }, order(1), { no: 'so_1' }),
    ),
    works(
      '15 batch and individual delivery',
      batches({ batchSettings: { enabled: true, maxEvents: 2 } }, [order(1), order(2)], (body) =>
        assert.ok(body['batchId']),
      ),
    ),
    works('16 queuing and reliable delivery', alone(deliversAll)),
    works('17 historical logging', keepsHistory),
    works('18 authentication by API key', authenticates('apiKey')),
    works('19 by OAuth', fetchesToken),
    works('20 by JWT', authenticates('jwt')),
    works('21 signing and verification', believed("seed 002's Node function", {}, ORDER)),
    differs('22 IP whitelisting and access control', allowsAddresses),
    works('23 SSL/TLS enforcement', takesHttpsOnly),
    works('24 rate limiting', limits({ requests: 10, perSeconds: 10 }, 10)),
    works('25 security audit logging', isAudited),
    differs('26 integration templates', taken(SHOP, { active: true })),
    cannot('27 Zapier, IFTTT and the like'),
    works(
      '28 custom integration',
      shaped({ transform: { template: '{{data}}' } }, { event: 'a.b', data: { bare: true } }, { bare: true }),
    ),
    works('29 testing and validation', tests({ event: 'invoice.created', testData: { id: 1 } }, {})),
    differs('30 performance monitoring and analytics', tellsHealth),
    works(
      '31 error handling and debugging',
      ends({}, { status: 500, body: 'no' }, ({ errorMessage }) => errorMessage ?? undefined),
    ),
    works(
      '32 advanced filtering, conditional routing',
      goes(
        { filters: ['order.total > 100 && order.status != "draft"'] },
        [order(185), true],
        [order(185, 'draft'), false],
      ),
    ),
    works('33 multi-destination broadcasting', broadcasts(20)),
    works(
      '34 transformation and mapping',
      shaped({ transform: { template: { total: '{{ order.total }}' } } }, order(185), { total: 185 }),
    ),
    differs('35 business rules', goes({ filters: ['order.total > 100'] }, [order(185), true])),
    works('36 preview and testing', previews),
    works('37 the level Integration Administrator', hasRoles),
    works('38 event and webhook tables', isManaged),
    works('39 RESTful, JSON', refused('DELETE', '/webhooks', {}, 405, /method/)),
    differs('40 OAuth 2.0 and JWT for callers', hasRoles),
    works('41 unlimited endpoints', broadcasts(100)),
    works('42 200+ event types', allTypes(undefined, 220)),
    works('43 payloads up to 10 MB', takesTenMegabytes),
    works(
      '44 retries configurable',
      retriesAfter({ retryPolicy: { schedule: [7] } }, 7, { schedule: [7], source: 'subscription' }),
    ),
    differs('45 10,000+ events per second', alone(acceptsPerSecond)),
    works('46 capture within 100 ms', alone(capturesQuickly)),
    differs('47 99.9 % delivery', alone(deliversAll)),
    works('48 1,000+ deliveries at once', alone(deliversAtOnce(1_000))),
    works('49 90 days of history', keepsHistory),
    differs('50 users and their permissions', hasRoles),
    works('51 multi-tenant routing', isTenantAware),
    works(
      '52 filtering by user',
      goes(
        { filters: { 'context.userId': ['user_789'] } },
        [{ ...POST, context: { userId: 'user_789' } }, true],
        [{ ...POST, context: { userId: 'user_1' } }, false],
      ),
    ),
    cannot('53 workflow-triggered events'),
    works('54 module sales and CRM', allTypes('sales-crm', 30)),
    works('55 module purchasing', allTypes('purchasing', 20)),
    works('56 module finance', allTypes('finance', 20)),
    works('57 module inventory', allTypes('inventory', 20)),
    works('58 module e-commerce', allTypes('e-commerce', 20)),
    works('59 module manufacturing', allTypes('manufacturing', 20)),
    works('60 module HR and payroll', allTypes('hr-payroll', 20)),
    differs(
      '61 CRM systems',
      arrives(CRM, CUSTOMER, () => undefined),
    ),
    differs(
      '62 marketing platforms',
      arrives(CRM, CUSTOMER, () => undefined),
    ),
    differs(
      '63 Slack and Teams alerts',
      shaped({ transform: { template: { text: 'Order {{ order.id }} of {{ order.total }}' } } }, order(185), {
        text: 'Order so_1 of 185',
      }),
    ),
    cannot('64 data feeds for BI'),
    differs(
      '65 accounting software',
      arrives({ transform: { template: '{{data}}' } }, ORDER, () => undefined),
    ),
    differs('66 e-commerce platforms', shaped(SHOP, ORDER, example.shopOrder(ORDER))),
    works(
      '67 setup: endpoint, events, filters, authentication, test',
      tests({ event: 'sales_order.created', testData: { id: 1 } }, { ...SHOP, transform: null }),
    ),
    works(
      '68 retries: exponential, maximum of attempts',
      retriesAfter({ retryPolicy: SHOP['retryPolicy'] }, 5, { maxRetries: 2, backoffMultiplier: 2 }),
    ),
    works(
      '69 filters: customer, amount',
      goes(
        { filters: { 'customer.tags': ['vip'], 'order.total': { min: 100 } } },
        [
          {
            event: 'sales_order.created',
            data: { object: { total: 185, customer: { tags: ['vip'] } }, customer: { tags: ['vip'] } },
          },
          true,
        ],
        [order(185), false],
      ),
    ),
    works(
      '70 custom processing of error answers',
      ends({ responseRules: [{ status: 422, outcome: 'final' }] }, 422, (row) => {
        assert.equal(row.nextRetryAt, null)
        return '422 is final by a rule'
      }),
    ),
    differs('71 analytics integration', async (scene) => {
      const { text } = await scene.call('GET', '/metrics')
      assert.match(text, /^# TYPE posthorn_/m)
      return 'GET /metrics'
    }),
    works('72 the use cases', broadcasts(5)),
    cannot('73 related applets'),
    works(
      '74 a webhook’s name',
      taken({ name: 'E-Commerce Order Integration' }, { name: 'E-Commerce Order Integration' }),
    ),
    works('75 method POST', taken({ method: 'POST' }, { active: true })),
    works(
      '76 API key in X-API-Key',
      arrives({ auth: SHOP['auth'] }, ORDER, ({ headers }) => headers['x-api-key']),
    ),
    works('77 triggers', goes(SHOP, [order(185), true], [CUSTOMER, false])),
    works('78 payload format', shaped(SHOP, ORDER, example.shopOrder(ORDER))),
    differs(
      '79 order.total > 100, order.status != "draft"',
      goes(SHOP, [order(185), true], [order(185, 'draft'), false], [order(100), false]),
    ),
    works(
      '80 3 attempts, exponential, 30 seconds',
      taken(SHOP, { timeoutSeconds: 30, retryPolicy: SHOP['retryPolicy'] }),
    ),
    works(
      '81 OAuth token',
      arrives(CRM, CUSTOMER, ({ headers }) => {
        assert.match(headers['authorization'] ?? '', /^Bearer /)
        return 'Authorization: Bearer …'
      }),
    ),
    works('82 payload format', shaped(CRM, CUSTOMER, example.crmCustomer(CUSTOMER))),
    works('83 SSL verification: required', taken({ ...CRM, sslVerification: true }, { active: true })),
    differs('84 IP whitelist', allowsHosts),
    works('85 100 requests a minute', taken(CRM, { rateLimit: { requests: 100, perSeconds: 60 } })),
    works('86 versioning', goes({ apiVersion: 'v2' }, [{ ...POST, api_version: 'v2' }, true], [POST, false])),
    works('87 limits for callers', isLimited),
    works('88 troubleshooting: times, backlog, filters', saysWhy),
  ],
}

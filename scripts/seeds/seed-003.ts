import assert from 'node:assert/strict'
import { signs, verifiesOrThrows } from './checks/client.ts'
import { arrives, retriesAfter } from './checks/deliveries.ts'
import { attempts, dispatched } from './checks/dispatch.ts'
import { believed } from './checks/signatures.ts'
import { example } from './examples.ts'
import { cannot, differs, needing, type Seed, works } from './row.ts'

const ORDER = example.event('003-order.created')
const MARKO = { profile: 'marko' }

/** Seed 003: a package that sends and receives. */
export const SEED_003: Seed = {
  name: '003',
  about: 'a package of a framework, profile marko',
  rows: [
    differs('1 sends and receives webhooks', verifiesOrThrows),
    cannot('2 installed by composer'),
    works('3 timeout 30', async (scene) => {
      const { timeoutSeconds } = await scene.subscribe(MARKO)
      assert.equal(timeoutSeconds, 30)
      return 'timeoutSeconds 30, of the profile itself'
    }),
    differs(
      '4 max_retries 3',
      retriesAfter({ ...MARKO, max_retries: 3, retry_delay: 120 }, 120, { maxRetries: 3, retryDelay: 120 }),
    ),
    works(
      '5 retries after 120, 240, 480 s',
      retriesAfter(MARKO, 120, { schedule: [120, 240, 480], source: 'profile' }),
    ),
    differs(
      '6 synchronous dispatch answers status, body and success',
      dispatched({ wait: true }, (data) => {
        const { success, statusCode, responseBody } = data
        assert.deepEqual(
          { success, statusCode, responseBody },
          { success: true, statusCode: 201, responseBody: 'made' },
        )
      }),
    ),
    works(
      '7 of url, event, data and secret',
      dispatched({}, ({ event }) => assert.equal(event, 'order.created')),
    ),
    works(
      '8 body {event, data}',
      arrives(MARKO, '{"event":"order.created","data":{"order_id":42,"total":"99.99"}}', (got) => {
        assert.equal(String(got.body), '{"event":"order.created","data":{"order_id":42,"total":"99.99"}}')
        return String(got.body)
      }),
    ),
    works(
      '9 X-Webhook-Signature: sha256={hash}',
      needing('php', believed("seed 003's WebhookVerifier in PHP", MARKO, ORDER)),
    ),
    works(
      '10 a queued job, retried on failure',
      dispatched({ retryPolicy: { schedule: [1, 2] } }, ({ status }) => assert.equal(status, 'pending')),
    ),
    differs(
      '11 delays of retry_delay * 2^attempt',
      retriesAfter({ ...MARKO, retryPolicy: { maxRetries: 3, retryDelay: 120, backoffMultiplier: 2 } }, 120, {
        retryDelay: 120,
        backoffMultiplier: 2,
      }),
    ),
    differs('12 the receiver verifies before it parses, and throws', verifiesOrThrows),
    cannot('13 an attribute on a controller'),
    works(
      '14 every attempt is recorded',
      attempts((list) => assert.equal(list.length, 2)),
    ),
    differs(
      '15 an attempt has an id',
      attempts((list) => assert.match(String(list[0]?.['id']), /^attempt_.+_1$/)),
    ),
    differs(
      '16 webhook_url',
      attempts((list, { url }) => assert.equal(list[0]?.['url'], url())),
    ),
    works(
      '17 event',
      attempts((_, __, row) => assert.equal(row.event, 'order.created')),
    ),
    differs(
      '18 attempt_number',
      attempts((list) =>
        assert.deepEqual(
          list.map((each) => each['attempt']),
          [1, 2],
        ),
      ),
    ),
    differs(
      '19 status_code and response_body',
      attempts((list) =>
        assert.deepEqual(
          list.map((each) => [each['responseCode'], each['responseBody']]),
          [
            [500, 'no'],
            [200, 'yes'],
          ],
        ),
      ),
    ),
    differs(
      '20 error_message',
      attempts((list) => {
        assert.match(String(list[0]?.['errorMessage']), /500/)
        assert.equal(list[1]?.['errorMessage'], null)
      }),
    ),
    differs(
      '21 attempted_at as Y-m-d H:i:s',
      attempts((list) => assert.match(String(list[0]?.['attemptedAt']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
    ),
    differs(
      '22 the records can be queried',
      attempts((_, __, row) => assert.equal(row.status, 'success')),
    ),
    works(
      '23 verify(body, signature, secret)',
      believed("seed 003's WebhookVerifier in JavaScript", MARKO, ORDER),
    ),
    works('24 sign(payload, secret)', signs),
    cannot('25 interfaces of dispatcher, receiver and repository'),
  ],
}

import assert from 'node:assert/strict'
import { verifiesSignature } from './checks/client.ts'
import { arrives, ends, endsEach, goes, retriesAfter, taken } from './checks/deliveries.ts'
import { core001 } from './checks/handlers.ts'
import { deliveredAndFailed, isManaged, isRetried, saysWhy, tests } from './checks/history.ts'
import { believed, publishedFromPhp } from './checks/signatures.ts'
import { example } from './examples.ts'
import { cannot, differs, needing, type Seed, works } from './row.ts'
import { bodyOf } from './scene.ts'

const CORE = { profile: 'core' }
const CREATED = example.event('001-post.created')
const CREATE = {
  events: ['post.created', 'post.updated'],
  secret: 'whsec_Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4E',
  is_active: true,
}
const post = (data: object, event = 'post.created') => ({ event, data })

/** Seed 001: webhooks of an API package. */
export const SEED_001: Seed = {
  name: '001',
  about: 'webhooks of an API package, profile core',
  rows: [
    works(
      '1 signed, retried, tracked',
      arrives(CORE, CREATED, () => undefined),
    ),
    differs('2 an endpoint is created', taken({ ...CREATE, ...CORE }, { active: true })),
    works('3 url, events', taken(CREATE, { events: CREATE.events })),
    works('4 secret of whsec_ and 32 characters', taken(CREATE, { secret: CREATE.secret })),
    works('5 workspace_id', async (scene) => {
      await scene.subscribe({ workspace_id: scene.workspace })
      const other = { url: scene.url(), events: ['*'], workspace_id: 'another' }
      assert.equal((await scene.call('POST', '/webhooks/subscribe', other)).status, 400)
      return 'taken where it is the workspace of the call, refused where it is another'
    }),
    works('6 is_active', taken({ ...CREATE, is_active: false }, { active: false })),
    works(
      "7 events ['post.*']",
      goes({ ...CORE, events: ['post.*'] }, [post({}), true], [post({}, 'page.created'), false]),
    ),
    works(
      "8 filters ['status' => 'published']",
      goes(
        example.subscription('001-with-filters'),
        [post({ status: 'published' }), true],
        [post({ status: 'draft' }), false],
      ),
    ),
    differs(
      '9 dispatch(type, data)',
      needing(
        'php',
        publishedFromPhp(
          `publishEvent('post.created', ['id' => 123, 'title' => 'My Blog Post'], 'post-123')`,
          { id: 123, title: 'My Blog Post' },
        ),
      ),
    ),
    differs(
      '10 from model events and actions',
      needing(
        'php',
        publishedFromPhp(`publishEvent('post.created', ['id' => 7], 'post-7-created')`, { id: 7 }),
      ),
    ),
    differs(
      '11 payload {id, type, created_at, data: {object}, workspace_id}',
      arrives(CORE, CREATED, (got) => {
        const { workspace_id: given, ...payload } = bodyOf(got)
        const { workspace_id: _, ...sent } = JSON.parse(CREATED) as object & { workspace_id: number }
        assert.deepEqual(payload, sent)
        assert.deepEqual(Object.keys(bodyOf(got)), ['id', 'type', 'created_at', 'data', 'workspace_id'])
        return `workspace_id ${JSON.stringify(given)}`
      }),
    ),
    differs(
      '12 created_at 2024-01-15T10:30:00Z',
      arrives(CORE, CREATED, (got) => {
        assert.equal(bodyOf(got)['created_at'], '2024-01-15T10:30:00Z')
        return 'as it was sent'
      }),
    ),
    works(
      '13 a payload of one’s own',
      arrives(CORE, example.event('001-post.published'), (got) => {
        assert.deepEqual(bodyOf(got)['data'], {
          object: (JSON.parse(example.event('001-post.published')) as { data: object }).data,
        })
        return 'arrives as data.object'
      }),
    ),
    works('14 X-Webhook-Signature: sha256=…', believed("seed 001's Express route", CORE, CREATED)),
    works(
      '15 X-Webhook-Timestamp in unix seconds',
      arrives(CORE, CREATED, ({ headers }) => {
        assert.match(headers['x-webhook-timestamp'] ?? '', /^\d{10}$/)
        return headers['x-webhook-timestamp']
      }),
    ),
    works(
      '16 X-Webhook-ID: evt_…',
      arrives(CORE, CREATED, ({ headers }) => {
        assert.equal(headers['x-webhook-id'], 'evt_abc123def456')
        return headers['x-webhook-id']
      }),
    ),
    differs('17 verify(payload, signature, secret)', verifiesSignature),
    works(
      '18 manual verification',
      needing('php', believed("seed 001's manual verification in PHP", CORE, CREATED)),
    ),
    works('19 the Express consumer', core001),
    works(
      '20 the PHP consumer',
      needing('php', believed("seed 001's verifySignature in PHP", CORE, CREATED)),
    ),
    differs(
      '21 max_retries 3, retry_delay 60, timeout 10',
      taken(
        { ...CORE, max_retries: 3, retry_delay: 60, timeout: 10 },
        { timeoutSeconds: 10, retryPolicy: { maxRetries: 3, retryDelay: 60 } },
      ),
    ),
    works(
      '22 at once, then after 1, 5, 30 minutes',
      retriesAfter(CORE, 60, { schedule: [60, 300, 1800], source: 'profile' }),
    ),
    works(
      '23 the latest 10 deliveries',
      deliveredAndFailed(10, (rows) => assert.equal(rows.length, 10)),
    ),
    differs(
      '24 status success, failed, pending',
      deliveredAndFailed(2, (rows) =>
        assert.deepEqual(new Set(rows.map(({ status }) => status)), new Set(['success', 'failed'])),
      ),
    ),
    differs(
      '25 status_code',
      deliveredAndFailed(2, (rows) => assert.ok(rows.every(({ responseCode }) => responseCode !== null))),
    ),
    differs(
      '26 attempts, a number',
      deliveredAndFailed(2, (rows) => assert.ok(rows.every(({ attemptCount }) => attemptCount === 1))),
    ),
    differs(
      '27 response_body',
      ends(CORE, { status: 500, body: 'Internal server error' }, (row) => {
        assert.equal(row['responseBody'], 'Internal server error')
        return 'as responseBody'
      }),
    ),
    works('28 a failed delivery is retried by hand', isRetried),
    works(
      '29 {resource}.created, updated, deleted, published, archived',
      goes(
        { ...CORE, events: ['post.*'] },
        ...['created', 'updated', 'deleted', 'published', 'archived'].map((verb): [object, boolean] => [
          post({}, `post.${verb}`),
          true,
        ]),
      ),
    ),
    works(
      '30 wildcards and exact types',
      goes(
        { ...CORE, events: ['post.created', 'user.*'] },
        [post({}), true],
        [post({}, 'user.login'), true],
        [post({}, 'post.updated'), false],
      ),
    ),
    differs(
      '31 test(payload) answers success, status_code, error',
      tests({ test: true, message: 'This is a test webhook' }),
    ),
    cannot('32 a fake for tests'),
    differs('33 a page to list, enable, disable and view deliveries', isManaged),
    works(
      '34 deliveries with their endpoint',
      ends(CORE, 500, (row) => {
        assert.match(`${row['webhookId']} ${row['url']}`, /^webhook_\w+ http/)
        return 'webhookId and url in each row'
      }),
    ),
    differs(
      '35 paginate(50)',
      deliveredAndFailed(60, (rows) => assert.equal(rows.length, 50), ''),
    ),
    works(
      '36 verify, answer quickly, idempotency by the event’s id',
      arrives(CORE, CREATED, (got) => `id ${bodyOf(got)['id']}`),
    ),
    works('37 password123 is a bad secret', async (scene) => {
      const { warnings } = await scene.subscribe({ secret: 'password123' })
      assert.match(JSON.stringify(warnings), /can be guessed/)
      return 'taken with a warning'
    }),
    works('38 troubleshooting: active, event name, workspace, filters', saysWhy),
    differs(
      '39 troubleshooting: reachable, certificate, firewall, timeout',
      endsEach({ timeoutSeconds: 1 }, ['close', 'hang', 503], (row) => assert.ok(row.errorMessage)),
    ),
    works('40 troubleshooting: raw body, secret, SHA-256, blanks', verifiesSignature),
  ],
}

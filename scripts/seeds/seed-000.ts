import assert from 'node:assert/strict'
import { arrives, ends, endsEach, goes, retriesAfter } from './checks/deliveries.ts'
import { authenticates, batches, isTenantAware, shaped } from './checks/rules.ts'
import { believed, ledgerlyDispatcher, ledgerlySnippet } from './checks/signatures.ts'
import { example } from './examples.ts'
import { cannot, differs, needing, type Seed, works } from './row.ts'
import { bodyOf } from './scene.ts'

const ENTRY = example.event('000-entry_persisted')
const LEDGERLY = { profile: 'ledgerly', events: ['entry_persisted'] }
const BY_EVENT = example.subscription('000-audit-entries')
const entry = (data: object) => ({ event: 'entry_persisted', data })

/** Seed 000: audit entries. */
export const SEED_000: Seed = {
  name: '000',
  about: 'audit entries, profile ledgerly',
  rows: [
    differs(
      '1 forwards audit logs to SIEM, analytics, services, automation',
      arrives(LEDGERLY, ENTRY, () => undefined),
    ),
    works(
      '2 each entry may emit a webhook',
      arrives(BY_EVENT, ENTRY, () => undefined),
    ),
    works('3 switched on by the class of a dispatcher', needing('php', ledgerlyDispatcher)),
    works(
      '4 payload {event, data}',
      arrives(LEDGERLY, ENTRY, (got) => {
        assert.deepEqual(bodyOf(got), JSON.parse(ENTRY))
        assert.deepEqual(Object.keys(bodyOf(got)), ['event', 'data'])
        return 'the published data, under event and data'
      }),
    ),
    differs(
      '5 payloads by the active version of the export',
      goes(
        { ...LEDGERLY, apiVersion: 'v2' },
        [{ ...entry({ id: '1' }), api_version: 'v2' }, true],
        [{ ...entry({ id: '2' }), api_version: 'v1' }, false],
      ),
    ),
    works('6 HMAC SHA-256', believed("seed 000's text in JavaScript", LEDGERLY, ENTRY)),
    works(
      '7 X-Ledgerly-Signature: t=timestamp,v1=signature',
      arrives(LEDGERLY, ENTRY, ({ headers }) => {
        assert.match(headers['x-ledgerly-signature'] ?? '', /^t=\d{10},v1=[0-9a-f]{64}$/)
        return headers['x-ledgerly-signature']
      }),
    ),
    works(
      '8 extract, concatenate timestamp.payload, recompute, compare',
      needing('php', believed("seed 000's text in PHP", LEDGERLY, ENTRY)),
    ),
    works(
      '9 X-Ledgerly-Timestamp',
      arrives(LEDGERLY, ENTRY, ({ headers }) => {
        assert.ok(headers['x-ledgerly-signature']?.startsWith(`t=${headers['x-ledgerly-timestamp']},`))
        return headers['x-ledgerly-timestamp']
      }),
    ),
    differs(
      "10 the document's snippet compares the HMAC with the whole header",
      needing('php', ledgerlySnippet),
    ),
    works(
      '11 delivered by a queue',
      arrives(LEDGERLY, ENTRY, () => 'answered 202 once committed, delivered after'),
    ),
    works(
      '12 per event: tries 3, backoff 10, 30, 60',
      retriesAfter(BY_EVENT, 10, {
        byEvent: { entry_persisted: { tries: 3, backoff: [10, 30, 60] } },
      }),
    ),
    works(
      '13 retried if the request fails, on 5xx, on timeouts',
      endsEach({ profile: 'ledgerly', timeoutSeconds: 1 }, [500, 503, 'close', 'hang'], (row) => {
        assert.notEqual(row.nextRetryAt, null, JSON.stringify(row))
      }),
    ),
    works(
      '14 4xx is final',
      endsEach({ profile: 'ledgerly' }, [400, 401, 404, 408, 410, 422, 425, 429], (row) => {
        assert.deepEqual([row.status, row.nextRetryAt], ['failed', null])
      }),
    ),
    cannot('15 queue connection and name of a job'),
    cannot('16 workers for a queue'),
    works(
      '17 batching',
      batches(
        { batchSettings: { enabled: true, maxEvents: 2 } },
        [entry({ id: '1' }), entry({ id: '2' })],
        ({ events }) => assert.equal((events as object[]).length, 2),
      ),
    ),
    cannot('18 alternative transports'),
    cannot('19 message queues'),
    cannot('20 streaming ingestion'),
    works('21 custom authentication', authenticates()),
    works('22 a dispatcher of one’s own by the framework’s interface', needing('php', ledgerlyDispatcher)),
    cannot('23 a listener of the framework’s event'),
    differs(
      '24 custom dispatch strategies',
      goes(
        { ...LEDGERLY, filters: ['data.severity == "high" && event == "entry_persisted"'] },
        [entry({ severity: 'high' }), true],
        [entry({ severity: 'low' }), false],
      ),
    ),
    works(
      '25 conditional routing',
      goes(
        { ...LEDGERLY, filters: { severity: ['high', 'critical'] } },
        [entry({ severity: 'critical' }), true],
        [entry({ severity: 'low' }), false],
      ),
    ),
    works('26 tenant-aware', isTenantAware),
    differs(
      '27 at least once, so that handlers deduplicate',
      ends(LEDGERLY, 503, ({ eventId }) => {
        assert.match(eventId, /^evt_/)
        return 'retried under one id'
      }),
    ),
    works(
      '28 contents of the payload are customized',
      shaped(
        { ...LEDGERLY, transform: { template: { id: '{{data.id}}', who: '{{data.actor.name}}' } } },
        entry({ id: 'e1', actor: { name: 'Aisha Rahman' } }),
        { id: 'e1', who: 'Aisha Rahman' },
      ),
    ),
  ],
}

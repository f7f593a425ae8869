import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { claimDue } from '../../../src/deliver/claims.sql.ts'
import { waitingSubscriptions } from '../../../src/operate/sweep.sql.ts'
import { findSubscription } from '../../../src/subscription/subscriptions.sql.ts'
import { START_MS } from '../../support/rig/builders.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      /** An empty database, in which a relay of an earlier version has worked. */
      EARLIER_DB: D1Database
    }
  }
}

type Row = Record<string, unknown>

const db = env.EARLIER_DB
/** The migrations that an earlier version came with: those before columns were renamed. */
const EARLIER = env.TEST_MIGRATIONS.filter(({ name }) => name < '0007')

const SEQ = 844_646_400_000
const SECRET_CIPHER = 'v1.oWSlnZQNwj3ziU1R.12d+INCailrLA6Jwz7Sl3ffn'
const BATCHED = { enabled: true, maxEvents: 3, maxWaitTime: 300, maxBytes: 1_000_000, flushOnEvent: [] }
const PLAIN = {
  url: 'https://plain.example.com/hooks',
  events: ['*'],
  description: null,
  metadata: {},
  headersCipher: null,
  retryPolicy: { schedule: [10, 20, 30] },
  timeoutSeconds: 10,
  rules: null,
  livemode: null,
  apiVersion: null,
  transform: null,
  profile: 'standard',
  custom: null,
  asymmetric: false,
  responseRules: null,
  disablePolicy: null,
  expiresAfterSeconds: null,
  batchSettings: null,
  ordered: false,
  orderingKey: null,
  onExhausted: 'block',
  rateLimit: null,
  concurrency: null,
}
const PACED = {
  ...PLAIN,
  ...{ url: 'https://paced.example.com/hooks', metadata: { customerId: '42' } },
  ...{ batchSettings: BATCHED, ordered: true },
}

/** What a relay holds at a moment: a plain receiver that fails and a paced one, each with work in every stage. */
const ROWS: [table: string, rows: Row[]][] = [
  ['workspace', [{ no: 1, id: 'shop', config_version: 7, swept_seq: SEQ, created_at_ms: START_MS }]],
  [
    'subscription',
    [
      subscription(1, { health: 2, config: JSON.stringify(PLAIN), faults_in_row: 2 }),
      subscription(2, { health: 1, config: JSON.stringify(PACED), paced: 2, flush_until_seq: SEQ + 3 }),
    ],
  ],
  ['event', [1, 2, 3, 4, 5].map(event)],
  ['event_key', [{ workspace_no: 1, key: 'i:order-1', seq: SEQ + 1, hash: 'xKvfTSks7tsoYzcq73q0' }]],
  [
    'delivery',
    [
      delivery(1, 1, {
        due_at_ms: START_MS,
        attempts: 2,
        deaths: 3,
        last_at_ms: START_MS - 10_000,
        status: 503,
      }),
      delivery(1, 2, { state: 1, attempts: 1, last_at_ms: START_MS, status: 200, latency_ms: 7 }),
      delivery(1, 3, { due_at_ms: START_MS + 60_000, attempts: 1, status: 500, error: 'http_status' }),
      delivery(2, 1, { due_at_ms: START_MS, attempts: 1, deaths: 1, batch_no: 1, order_key: '"a"' }),
      delivery(2, 2, { due_at_ms: START_MS, attempts: 1, deaths: 1, batch_no: 1, order_key: '"b"' }),
      delivery(2, 3, { order_key: '"a"' }),
      delivery(2, 4, { order_key: '"c"' }),
    ],
  ],
  ['attempt', [{ subscription_no: 1, seq: SEQ + 1, n: 1, at_ms: START_MS - 30_000, status: 500 }]],
  [
    'batch',
    [
      {
        ...{
          no: 1,
          subscription_no: 2,
          members: JSON.stringify([SEQ + 1, SEQ + 2]),
          order_keys: '["a","b"]',
        },
        ...{ cause: 'events', bound_at_ms: START_MS - 60_000, due_at_ms: START_MS, fresh: 0, attempts: 1 },
      },
    ],
  ],
  [
    'claim',
    [
      { id: 'claim-1', expires_at_ms: START_MS + 90_000, pairs: JSON.stringify([[1, SEQ + 4, 1]]) },
      { id: 'claim-2', expires_at_ms: START_MS - 1, pairs: JSON.stringify([[2, SEQ + 4, 1]]), paced_no: 2 },
    ],
  ],
  ['statistic', [{ subscription_no: 1, hour: 498_228, delivered: 1, attempts: 4, latency_03: 2 }]],
]

function subscription(no: number, fields: Row): Row {
  const times = { created_at_ms: START_MS, updated_at_ms: START_MS }
  return { no, workspace_no: 1, id: `webhook_${no}`, secret_cipher: SECRET_CIPHER, ...times, ...fields }
}

function event(n: number): Row {
  const body = `"timestamp":"2026-11-02T12:00:00Z","data":{"id":"order-${n}"}`
  return { pk: 2 ** 44 + SEQ + n, type: 'order.paid', accepted_at_ms: START_MS, fanout: '[1,2]', body }
}

function delivery(subscriptionNo: number, n: number, fields: Row): Row {
  return { subscription_no: subscriptionNo, seq: SEQ + n, type: 'order.paid', state: 0, ...fields }
}

async function insert(table: string, row: Row): Promise<void> {
  const marks = Object.keys(row).map((_, n) => `?${n + 1}`)
  const sql = `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${marks.join()})`
  await db
    .prepare(sql)
    .bind(...Object.values(row))
    .run()
}

async function rowsOf(database: D1Database, sql: string, ...values: unknown[]): Promise<Row[]> {
  return (
    await database
      .prepare(sql)
      .bind(...values)
      .all<Row>()
  ).results
}

/** Tables, indexes, triggers and views, with their columns as the engine has understood them. */
async function schemaOf(database: D1Database): Promise<Row[]> {
  return await rowsOf(
    database,
    `SELECT s.type, s.name, s.sql, (SELECT json_group_array(json_array(c.name, c.type, c."notnull", c.dflt_value, c.pk))
       FROM pragma_table_info(s.name) c) AS columns
     FROM sqlite_master s WHERE s.name NOT GLOB '_cf*' AND s.name NOT GLOB 'sqlite_*' ORDER BY s.type, s.name`,
  )
}

/** Every row of every table, the tool's own included. */
async function storedRows(): Promise<Record<string, Row[]>> {
  const tables = (await schemaOf(db)).filter(({ type }) => type === 'table').map(({ name }) => String(name))
  const rows = tables.map(
    async (name) => [name, await rowsOf(db, `SELECT * FROM ${name} ORDER BY 1, 2`)] as const,
  )
  return Object.fromEntries(await Promise.all(rows))
}

async function planOf(sql: string): Promise<string[]> {
  return (await rowsOf(db, `EXPLAIN QUERY PLAN ${sql}`)).map(({ detail }) => String(detail))
}

/** Columns that came later, as rows of before have them. */
const ADDED: Record<string, Row> = {
  attempt: { detail: null },
  delivery: { detail: null },
  claim: { sub_min: null, sub_max: null, seq_min: null, seq_max: null },
  subscription: { uid: null, challenged_at_ms: null, challenge_problem: null },
  workspace: {
    deletion: null,
    stored_events: null,
    recent_events: '[]',
    portal_epoch: 0,
    streamed_until_ms: 0,
  },
}

/** Tables that came later. */
const NEW_TABLES: Record<string, Row[]> = {
  request_answer: [],
  key_check: [],
  event_statistic: [],
  workspace_statistic: [],
  verified_host: [],
  api_key: [],
  audit_entry: [],
  audit_chain: [],
  revoked_key: [],
  subscription_metadata: [{ workspace_no: 1, name: 'customerId', value: '42', subscription_no: 2 }],
}

/** A row under the names that its columns have now. */
function renamed(row: Row): Row {
  const names: Record<string, string> = { deaths: 'crashes', paced: 'pacing_level' }
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [names[name] ?? name, value]))
}

describe('a database in which an earlier version has worked', () => {
  let before: Record<string, Row[]>

  beforeAll(async () => {
    await applyD1Migrations(db, EARLIER)
    for (const [table, rows] of ROWS) for (const row of rows) await insert(table, row)
    before = await storedRows()
    await applyD1Migrations(db, env.TEST_MIGRATIONS)
  })

  test('was one of before the renames, with rows in it', () => {
    expect(EARLIER).toHaveLength(6)
    expect(before['delivery']?.map(({ deaths }) => deaths)).toEqual([3, 0, 0, 1, 1, 0, 0])
    expect(before['subscription']?.map(({ paced }) => paced)).toEqual([0, 2])
  })

  test('keeps every row, under the new names of its columns', async () => {
    const { d1_migrations: applied, ...after } = await storedRows()
    const { d1_migrations: appliedBefore, ...rows } = before
    const kept = Object.entries(rows).map(([table, all]) => [
      table,
      all.map((row) => ({ ...renamed(row), ...ADDED[table] })),
    ])
    expect(after).toEqual({ ...Object.fromEntries(kept), ...NEW_TABLES })
    expect(appliedBefore).toHaveLength(EARLIER.length)
    expect(applied?.map(({ name }) => name)).toEqual(env.TEST_MIGRATIONS.map(({ name }) => name))
  })

  test('has the schema of one that is made from nothing', async () => {
    expect(await schemaOf(db)).toEqual(await schemaOf(env.DB))
  })

  test.each([
    ['subscription_paced', 'SELECT no FROM subscription WHERE pacing_level > 0'],
    ['delivery_due', 'SELECT seq FROM delivery WHERE subscription_no = 1 AND due_at_ms <= 9'],
    ['delivery_unhappy', 'SELECT seq FROM delivery WHERE subscription_no = 1 AND state = 0 AND state <> 1'],
    ['batch_open', 'SELECT no FROM batch WHERE subscription_no = 1 AND fresh = 0 AND due_at_ms <= 9'],
    ['claim_live', 'SELECT id FROM claim WHERE live = 1 AND expires_at_ms < 9'],
  ])('still finds rows through %s', async (index, sql) => {
    expect(await planOf(sql)).toEqual([expect.stringMatching(`USING (COVERING )?INDEX ${index}`)])
  })

  test('is served by this version: what is due is claimed, what waits is found', async () => {
    const found = await findSubscription(db, 'shop', 'webhook_2')
    expect(found?.settings).toMatchObject({ url: PACED.url, batchSettings: BATCHED, ordered: true })
    expect(await waitingSubscriptions(db, START_MS, { aboveNo: 0, limit: 10 })).toEqual([
      { no: 2, level: 'limited' },
    ])

    const terms = { id: 'claim-3', nowMs: START_MS, expiresAtMs: START_MS + 90_000, pairsMax: 10 }
    const limits = { perSubscription: 10, crashesMin: 1, crashesMax: 8 }
    const { claim } = await claimDue(db, terms, limits, [1, 2])
    expect(claim?.rows).toMatchObject([{ subscriptionNo: 1, seq: SEQ + 1, attempts: 2, crashes: 3 }])
  })

  test('is not touched by a second run of the migrations', async () => {
    const [rows, schema] = [await storedRows(), await schemaOf(db)]
    await applyD1Migrations(db, env.TEST_MIGRATIONS)
    expect([await storedRows(), await schemaOf(db)]).toEqual([rows, schema])
  })
})

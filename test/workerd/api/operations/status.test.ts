import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { COUNTED_MAX } from '../../../../src/operate/status.sql.ts'
import { appOf, Client } from '../../../support/process/http-client.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../../support/rig/builders.ts'
import { meterD1 } from '../../../support/rig/d1-watch.ts'

type Status = {
  subscriptions: Record<string, unknown>
  backlog: { due: object; held: object; oldestDueAt: string | null; ordered: object }
  runningReplays: number
  relay?: {
    version: string
    migration: string
    database: { bytes: number; maxBytes: number; percent: number; state: string }
    sweep: Record<string, unknown> | null
    purge: Record<string, unknown> | null
    queues: Record<string, unknown>[]
  }
}

const clientOf = (rig: Rig) =>
  new Client(rig.workspace, { target: appOf(() => ({ ok: true, relay: rig.relay })) })

async function statusOf(client: Client): Promise<Status> {
  const shown = await client.get<Status>('/status')
  expect(shown.status, shown.text).toBe(200)
  return shown.data
}

const set = (no: number, columns: string) =>
  env.DB.prepare(`UPDATE subscription SET ${columns} WHERE no = ?1`).bind(no).run()

/** Due deliveries, as a sweep gives them; all due at one time. */
const giveDue = (subscriptionNo: number, count: number, dueAtMs: number) =>
  env.DB.prepare(
    `WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2)
     INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms) SELECT ?1, seq, 'a', 0, ?3 FROM n`,
  )
    .bind(subscriptionNo, count, dueAtMs)
    .run()

const NONE = { count: 0, isMinimum: false }
const NOTHING_ORDERED = { retrying: NONE, blocked: NONE, waiting: NONE, nextRetryAt: null }
const NOTHING = {
  subscriptions: {
    ...{ active: 0, paused: 0, failing: 0, isMinimum: false },
    disabled: { manual: 0, gone: 0, failing: 0, unverified: 0 },
    breaker: { open: 0, halfOpen: 0, throttled: 0 },
  },
  backlog: {
    due: { count: 0, isMinimum: false },
    held: { count: 0, isMinimum: false },
    oldestDueAt: null,
    ordered: NOTHING_ORDERED,
  },
  runningReplays: 0,
}

beforeEach(freshStore)

test('all workspaces together, and the subscriptions in trouble by name, are shown to the operator', async () => {
  const world = createWorld()
  const [rig, other] = [await createRig({ world }), await createRig({ world })]
  const now = rig.clock.nowMs
  const [failing, gone, due] = [await rig.subscribe(), await other.subscribe(), await other.subscribe()]
  await set(failing.no, `failing_since_ms = ${now - 5_000}`)
  await set(gone.no, `active = 0, disabled_reason = 'gone'`)
  await giveDue(due.no, 2, now - 9_000)
  const shown = await clientOf(rig).get<Status>('/status/relay')
  expect(shown.status, shown.text).toBe(200)
  const named = (workspaceId: string, { id: webhookId }: { id: string }) => ({ workspaceId, webhookId })
  expect(shown.data).toMatchObject({
    subscriptions: { active: 2, failing: 1, disabled: { gone: 1 } },
    backlog: { due: { count: 2, isMinimum: false } },
    relay: { version: expect.any(String), database: { state: 'ok' } },
    worst: {
      failing: [{ ...named(rig.workspace, failing), since: new Date(now - 5_000).toISOString() }],
      disabled: [{ ...named(other.workspace, gone), reason: 'gone' }],
      due: [{ ...named(other.workspace, due), due: 2, oldestDueAt: new Date(now - 9_000).toISOString() }],
      failed: [],
    },
  })
})

describe('a workspace', () => {
  test('that has never been used has nothing going on', async () => {
    const { relay: _, ...shown } = await statusOf(new Client())
    expect(shown).toEqual({ checkedAt: expect.any(String), ...NOTHING })
  })

  test('has each subscription counted where it belongs, and deleted ones nowhere', async () => {
    const rig = await createRig()
    const now = rig.clock.nowMs
    const states = [
      '',
      'paused_at_ms = 1',
      'active = 0',
      `active = 0, disabled_reason = 'manual'`,
      `active = 0, disabled_reason = 'gone', paused_at_ms = 1`,
      `active = 0, disabled_reason = 'failing', failing_since_ms = 1`,
      `faults_in_row = 10, held_until_ms = ${now + 1}, throttled_until_ms = ${now + 1}, failing_since_ms = 1`,
      `faults_in_row = 10, held_until_ms = ${now}`,
      `faults_in_row = 9`,
      `faults_in_row = 10, held_until_ms = ${now}, throttled_until_ms = ${now + 1}`,
      `deleted_at_ms = 1, faults_in_row = 10`,
      `kind = 1`,
      `faults_in_row = 10, held_until_ms = ${now + 1}, paused_at_ms = 1`,
    ]
    for (const state of states) {
      const { no } = await rig.subscribe()
      if (state !== '') await set(no, state)
    }
    expect((await statusOf(clientOf(rig))).subscriptions).toEqual({
      ...{ active: 5, paused: 2, failing: 1, isMinimum: false },
      disabled: { manual: 2, gone: 1, failing: 1, unverified: 0 },
      breaker: { open: 1, halfOpen: 1, throttled: 1 },
    })
  })

  test('has what is due told from what waits, and what is due later not counted', async () => {
    const rig = await createRig()
    const now = rig.clock.nowMs
    const [ready, paused, held, later] = [
      await rig.subscribe(),
      await rig.subscribe(),
      await rig.subscribe(),
      await rig.subscribe(),
    ]
    await set(paused.no, 'paused_at_ms = 1')
    await set(held.no, `throttled_until_ms = ${now + 1}`)
    await giveDue(ready.no, 3, now - 5_000)
    await giveDue(paused.no, 2, now - 9_000)
    await giveDue(held.no, 1, now)
    await giveDue(later.no, 4, now + 1)
    expect((await statusOf(clientOf(rig))).backlog).toEqual({
      due: { count: 3, isMinimum: false },
      held: { count: 3, isMinimum: false },
      oldestDueAt: new Date(now - 5_000).toISOString(),
      ordered: NOTHING_ORDERED,
    })
  })

  test('says what holds an order up, and until when', async () => {
    const rig = await createRig()
    const retrying = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [300] } })
    const blocked = await rig.subscribe({
      ordered: true,
      onExhausted: 'block',
      retryPolicy: { schedule: [] },
    })
    for (const { settings } of [retrying, blocked]) rig.receivers.set(settings.url, answer(404))
    await rig.publish({}, {}, {})
    await rig.drain()
    for (const { no } of [retrying, blocked]) rig.ring({ no } as typeof retrying)
    await rig.drain()
    const { ordered } = (await statusOf(clientOf(rig))).backlog
    expect(ordered).toEqual({
      retrying: { count: 1, isMinimum: false },
      blocked: { count: 1, isMinimum: false },
      waiting: { count: 4, isMinimum: false },
      nextRetryAt: new Date(rig.clock.nowMs + 300_000).toISOString(),
    })
  })

  test('shows nothing of another', async () => {
    const rig = await createRig()
    const { no, workspaceNo } = await rig.subscribe()
    await giveDue(no, 3, rig.clock.nowMs)
    await env.DB.prepare(
      `INSERT INTO replay (id, workspace_no, config, until_seq, created_at_ms) VALUES ('r', ?1, '{}', 1, 1)`,
    )
      .bind(workspaceNo)
      .run()
    const target = appOf(() => ({ ok: true, relay: rig.relay }))
    expect(await statusOf(new Client(undefined, { target }))).toMatchObject(NOTHING)
    expect(await statusOf(clientOf(rig))).toMatchObject({
      subscriptions: { active: 1 },
      backlog: { due: { count: 3 } },
      runningReplays: 1,
    })
  })

  test('with more due than is counted says so, and reads no more rows for it', async () => {
    const world = createWorld()
    const rig = await createRig({ world })
    const { no } = await rig.subscribe()
    await giveDue(no, COUNTED_MAX, world.clock.nowMs)
    const { db, meter } = meterD1(env.DB)
    const client = clientOf(await createRig({ db, world, workspace: rig.workspace }))
    expect((await statusOf(client)).backlog.due).toEqual({ count: COUNTED_MAX, isMinimum: false })
    const before = meter.rowsRead
    await env.DB.prepare('UPDATE delivery SET seq = -seq WHERE subscription_no = ?1').bind(no).run()
    await giveDue(no, 5_000, world.clock.nowMs)
    meter.rowsRead = 0
    expect((await statusOf(client)).backlog.due).toEqual({ count: COUNTED_MAX + 1, isMinimum: true })
    expect(meter.rowsRead).toBeLessThan(before + 100)
    expect(meter.rowsRead).toBeLessThan(COUNTED_MAX + 200)
  })

  test('costs rows by its subscriptions, not by what other workspaces have', async () => {
    const world = createWorld()
    const others = await createRig({ world })
    for (let i = 0; i < 20; i++) await giveDue((await others.subscribe()).no, 50, world.clock.nowMs)
    const mine = await createRig({ world })
    await giveDue((await mine.subscribe()).no, 2, world.clock.nowMs)
    const { db, meter } = meterD1(env.DB)
    const client = clientOf(await createRig({ db, world, workspace: mine.workspace }))
    meter.rowsRead = 0
    await statusOf(client)
    expect(meter.rowsRead).toBeLessThan(45)
    expect(meter.rowsWritten).toBe(0)
  })
})

describe('the relay', () => {
  test('shows its jobs, database, queues and version to the operator', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe()
    rig.receivers.set(subscription.settings.url, answer(500))
    await rig.publish({})
    await rig.drain()
    const fresh = await statusOf(clientOf(rig))
    expect(fresh.relay?.sweep).toMatchObject({ ranAt: null, overdue: false, error: null, figures: {} })
    expect(fresh.relay?.purge).toBeNull()
    await rig.sweep()
    await rig.sweep('*/2 * * * *')
    rig.clock.nowMs += 61_500
    const { relay } = await statusOf(clientOf(rig))
    expect(relay).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      migration: expect.stringMatching(/^\d{4}_\w+\.sql$/),
      database: { maxBytes: 10_000_000_000, percent: 0, state: 'ok', message: null },
      sweep: {
        ageSeconds: 61,
        overdue: false,
        truncated: false,
        failed: 0,
        error: null,
        figures: { dueSubscriptions: 1 },
      },
      purge: { ageSeconds: 61, truncated: false, figures: { events: 0, deliveries: 0 } },
    })
    expect(relay?.database.bytes).toBeGreaterThan(1_000)
    expect(relay?.queues.map(({ name }) => name)).toEqual([
      'deliveries',
      'bulk-deliveries',
      'unproven-deliveries',
      'retries',
      'bulk-retries',
      'paced',
    ])
  })

  test('says nothing of a queue that does not answer, and shows none of the tenants’ keys', async () => {
    const rig = await createRig()
    const report = JSON.stringify({ truncated: true, events: 3, tidied: { key: 'k:of-a-tenant' } })
    await env.DB.prepare(`INSERT INTO job VALUES ('purge', ?1, ?2), ('sweep', 0, '"broken"')`)
      .bind(rig.clock.nowMs, report)
      .run()
    const queue = { metrics: () => Promise.reject(new Error('not here')) }
    const relay = { ...rig.relay, env: { ...rig.relay.env, PACED: queue as unknown as Queue } }
    const client = new Client(rig.workspace, { target: appOf(() => ({ ok: true, relay })) })
    const shown = await statusOf(client)
    expect(shown.relay?.queues.at(-1)).toEqual({
      ...{ name: 'paced', messages: null, bytes: null, oldestAt: null },
    })
    expect(shown.relay?.purge).toMatchObject({ truncated: true, figures: { events: 3 } })
    expect(shown.relay?.sweep).toMatchObject({ truncated: false, figures: {} })
    expect(JSON.stringify(shown)).not.toContain('of-a-tenant')
  })
})

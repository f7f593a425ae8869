import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listDeliveries } from '../../../src/history/all-deliveries/list-deliveries.ts'
import type { Place } from '../../../src/history/all-deliveries/place.ts'
import type { DeliveryQuery } from '../../../src/history/all-deliveries/query.ts'
import type { LoggedDelivery } from '../../../src/history/delivery-log.sql.ts'
import type { EventSearch } from '../../../src/history/search/search-events.ts'
import type { DeliveryState } from '../../../src/model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../../../src/outcome/retry-policy.ts'
import { atFullCount } from '../../support/full-count.ts'
import { createRig, type Rig } from '../../support/rig/builders.ts'

const FATES = ['none', 'unrecorded', 'pending', 'success', 'failed', 'retried', 'blocked', 'skipped'] as const
type Fate = (typeof FATES)[number]
const STATES: Record<Fate, DeliveryState> = {
  none: 'pending',
  unrecorded: 'pending',
  pending: 'pending',
  success: 'success',
  failed: 'failed',
  retried: 'failed',
  blocked: 'failed',
  skipped: 'skipped',
}
const STATE_NUMBERS: Record<DeliveryState, number> = { pending: 0, success: 1, failed: 2, skipped: 3 }
/** Event number 0 would be accepted then. */
const EPOCH_MS = Date.UTC(2026, 0, 1)
/** Subscriptions of the workspaces of this test. */
const SUBSCRIPTIONS = 4

type History = { type: string; fates: Fate[]; isBackfilled: boolean }[]
/** A delivery as the model has it. */
type Known = Place & { type: string; fate: Fate; status: number | null }

const OPEN: DeliveryQuery = {
  ...{ subscriptionNos: null, type: null, states: null, error: null, responseCodes: null },
  ...{
    isBlocked: false,
    isWaiting: false,
    onlySeq: null,
    acceptedFromMs: null,
    acceptedToMs: null,
    below: null,
    limit: 50,
  },
}

/** The stored columns of each fate that has a row. */
const ROWS: Record<
  Exclude<Fate, 'none' | 'unrecorded'>,
  { due: number | null; status: number | null; error: string | null }
> = {
  pending: { due: null, status: null, error: null },
  success: { due: null, status: 200, error: null },
  failed: { due: null, status: 503, error: 'http_status' },
  retried: { due: 9, status: null, error: null },
  blocked: { due: BLOCKED_UNTIL_MS, status: null, error: null },
  skipped: { due: null, status: null, error: null },
}

/** The deliveries of a history that a list can show: those that are not recorded yet are of events above the watermark. */
function knownOf(nos: readonly number[], history: History, sweptSeq: number): Known[] {
  return history
    .flatMap(({ type, fates }, i) =>
      fates.map((fate, at): Known => {
        const status = fate === 'none' || fate === 'unrecorded' ? null : ROWS[fate].status
        return { seq: i + 1, subscriptionNo: nos[at] ?? 0, type, fate, status }
      }),
    )
    .filter(({ fate, seq }) => fate !== 'none' && (fate !== 'unrecorded' || seq > sweptSeq))
    .sort((a, b) => b.seq - a.seq || b.subscriptionNo - a.subscriptionNo)
}

/** The subscriptions that an event names: the first one has got what it did not want by a back-fill. */
function fanoutOf(nos: readonly number[], { fates, isBackfilled }: History[number]): number[] {
  const isNamed = (fate: Fate, at: number) =>
    fate !== 'none' && !(isBackfilled && at === 0 && fate !== 'unrecorded')
  return nos.filter((_, at) => isNamed(fates[at] ?? 'none', at))
}

/** Writes events and what has become of them; answers what a list can show. */
async function write(rig: Rig, nos: readonly number[], history: History): Promise<Known[]> {
  const sweptSeq = Math.max(0, ...history.map(({ fates }, i) => (fates.includes('unrecorded') ? 0 : i + 1)))
  const known = knownOf(nos, history, sweptSeq)
  const events = history.map((event, i) => [i + 1, event.type, JSON.stringify(fanoutOf(nos, event))])
  const rows = known.flatMap(({ subscriptionNo, seq, type, fate }) => {
    if (fate === 'none' || fate === 'unrecorded') return []
    const { due, status, error } = ROWS[fate]
    return [[subscriptionNo, seq, type, STATE_NUMBERS[STATES[fate]], due, status, error]]
  })
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) SELECT (?1 << 44) | (value ->> 0), value ->> 1, ${EPOCH_MS} + (value ->> 0), value ->> 2, '{}' FROM json_each(?2)`,
    ).bind(rig.workspaceNo, JSON.stringify(events)),
    env.DB.prepare(
      'INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, status, error) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?1)',
    ).bind(JSON.stringify(rows)),
    env.DB.prepare('UPDATE workspace SET swept_seq = ?2 WHERE no = ?1').bind(rig.workspaceNo, sweptSeq),
    env.DB.prepare(
      `INSERT INTO replay (id, workspace_no, subscription_no, config, until_seq, created_at_ms) VALUES (?1, ?2, ?3, '{"backfill":true}', 0, 0)`,
    ).bind(crypto.randomUUID(), rig.workspaceNo, nos[0] ?? 0),
  ])
  return known
}

/** Says of a delivery of the model whether a query finds it. */
function isFound(query: DeliveryQuery, { subscriptionNo, type, fate, status, seq }: Known): boolean {
  const { subscriptionNos, states, error, responseCodes: codes, isBlocked, isWaiting } = query
  return (
    (subscriptionNos?.includes(subscriptionNo) ?? true) &&
    (query.type === null ||
      query.type === type ||
      (query.type.endsWith('*') && type.startsWith(query.type.slice(0, -1)))) &&
    (states?.includes(STATES[fate]) ?? true) &&
    (error === null || (fate === 'failed' && error === 'http_status')) &&
    (codes === null || (status !== null && status >= codes.min && status <= codes.max)) &&
    (!isBlocked || fate === 'blocked') &&
    (!isWaiting || ['unrecorded', 'pending', 'retried'].includes(fate)) &&
    EPOCH_MS + seq >= (query.acceptedFromMs ?? 0) &&
    EPOCH_MS + seq <= (query.acceptedToMs ?? Number.POSITIVE_INFINITY)
  )
}

async function walk(rig: Rig, query: DeliveryQuery): Promise<LoggedDelivery[]> {
  const rows: LoggedDelivery[] = []
  let below: Place | null = null
  for (let pages = 0; pages < 200; pages++) {
    const page = await listDeliveries(env.DB, rig.workspace, { ...query, below })
    expect(page.rows.length).toBeLessThanOrEqual(query.limit)
    rows.push(...page.rows)
    if (page.next === null) return rows
    below = page.next
  }
  throw new Error('the list has no end')
}

test('walking all pages yields every delivery of the workspace exactly once, in order, whatever is asked for', async () => {
  const fate = fc.constantFrom(...FATES)
  const event = fc.record({
    type: fc.constantFrom('a', 'b.c', 'b.d'),
    fates: fc.array(fate, { minLength: SUBSCRIPTIONS, maxLength: SUBSCRIPTIONS }),
    isBackfilled: fc.boolean(),
  })
  const rare = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 })
  const query = fc.record({
    subscriptions: rare(fc.uniqueArray(fc.nat(SUBSCRIPTIONS - 1), { maxLength: 2 })),
    type: rare(fc.constantFrom('a', 'b.*', 'never')),
    states: rare(
      fc.uniqueArray(fc.constantFrom<DeliveryState>('pending', 'success', 'failed', 'skipped'), {
        minLength: 1,
      }),
    ),
    error: rare(fc.constantFrom('http_status', 'tls')),
    responseCodes: rare(fc.constantFrom({ min: 500, max: 599 }, { min: 200, max: 200 })),
    isBlocked: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    isWaiting: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    acceptedFromMs: rare(fc.nat(12).map((n) => EPOCH_MS + n)),
    acceptedToMs: rare(fc.nat(12).map((n) => EPOCH_MS + n)),
    limit: fc.integer({ min: 1, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 12 }),
      fc.array(query, { minLength: 4, maxLength: 4 }),
      async (history, queries) => {
        const rig = await createRig()
        const nos: number[] = []
        for (let i = 0; i < SUBSCRIPTIONS; i++) nos.push((await rig.subscribe()).no)
        const known = await write(rig, nos, history)
        for (const { subscriptions, ...rest } of queries) {
          const subscriptionNos = subscriptions?.map((at) => nos[at] ?? 0) ?? null
          const asked = { ...OPEN, ...rest, subscriptionNos }
          const found = (await walk(rig, asked)).map((row) => [
            row.seq,
            row.subscriptionNo,
            row.state,
            row.acceptedAtMs,
          ])
          const expected = known.filter((each) => isFound(asked, each))
          expect(found).toEqual(
            expected.map((each) => [each.seq, each.subscriptionNo, STATES[each.fate], EPOCH_MS + each.seq]),
          )
        }
      },
    ),
    { numRuns: atFullCount(300, { short: 25 }) },
  )
})

test('a search among events of thousands of subscriptions binds a bounded list, and all pages yield all', async () => {
  const rig = await createRig()
  const nos = Array.from({ length: 2_000 }, (_, n) => 900_000 + n)
  await env.DB.prepare(
    `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) SELECT (?1 << 44) | value, 'a', ${EPOCH_MS} + value, ?2, '{}' FROM json_each(?3)`,
  )
    .bind(rig.workspaceNo, JSON.stringify(nos), JSON.stringify(Array.from({ length: 60 }, (_, n) => n + 1)))
    .run()
  const bound = { charsMax: 0 }
  const db = new Proxy(env.DB, {
    get: (target, name) => {
      if (name !== 'prepare') return Reflect.get(target, name).bind(target)
      return (sql: string) => {
        const statement = target.prepare(sql)
        const bind = (...values: unknown[]) => {
          for (const value of values)
            if (typeof value === 'string') bound.charsMax = Math.max(bound.charsMax, value.length)
          return statement.bind(...values)
        }
        return Object.assign(Object.create(statement), { bind })
      }
    },
  })
  const found = (seqs: number[]) => ({ seqs, searchedToSeq: seqs.at(-1) ?? 0 })
  const search = {
    find: async ({ maxSeq }: { maxSeq: number }, limit: number) =>
      found(
        Array.from({ length: 60 }, (_, n) => 60 - n)
          .filter((seq) => seq <= maxSeq)
          .slice(0, limit),
      ),
  } as unknown as EventSearch
  let below: Place | null = null
  let rows = 0
  do {
    const page: { rows: LoggedDelivery[]; next: Place | null } = await listDeliveries(
      db,
      rig.workspace,
      { ...OPEN, below, limit: 1_000 },
      { search },
    )
    rows += page.rows.length
    below = page.next
  } while (below !== null && rows <= 120_000)
  expect(rows).toBe(120_000)
  expect(bound.charsMax).toBeLessThan(200_000)
})

import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { ask, batching, events } from '../../support/rig/batching.ts'
import { answer, createRig, type SubscriptionInput } from '../../support/rig/builders.ts'
import { watchD1 } from '../../support/rig/d1-watch.ts'

const INPUTS: readonly SubscriptionInput[] = [
  {},
  { concurrency: 5 },
  { rateLimit: { requests: 1000, perSeconds: 1 } },
  { ordered: true, orderingKey: 'data.id' },
  { batchSettings: batching({ maxEvents: 3 }) },
  { batchSettings: batching({ maxEvents: 3 }), ordered: true },
]

/** Enough for a first attempt, two retries, and the sweep after them. */
const ROUNDS = 3

/** Every statement of a relay that publishes, delivers in all ways, fails, retries, replays, cancels and sweeps. */
async function statementsOfADay(): Promise<string[]> {
  const statements = new Set<string>()
  const db = watchD1(env.DB, async ({ sql }, run) => {
    for (const text of sql) statements.add(text)
    return await run()
  })
  const rig = await createRig({ db })
  const subscriptions = []
  for (const input of INPUTS) {
    const good = await rig.subscribe(input)
    const bad = await rig.subscribe({ ...input, retryPolicy: { schedule: [1, 1] } })
    rig.receivers.set(bad.settings.url, answer(404))
    subscriptions.push(good, bad)
  }
  await rig.publish(...events(7))
  await rig.publish(...events(7).map(({ id: _, ...withoutId }) => withoutId))
  for (let n = 0; n < ROUNDS; n++) {
    await rig.drain()
    rig.clock.nowMs += 61_000
    await rig.sweep()
    for (const subscription of subscriptions) rig.ring(subscription)
  }
  for (const { id } of subscriptions) await ask(rig, 'POST', `/webhooks/${id}/replay`, { status: 'failed' })
  await ask(rig, 'POST', '/events/e1/cancel')
  await rig.drain()
  return [...statements]
}

/** The plans of statements, read in one round trip. */
async function plansOf(statements: readonly string[]): Promise<string[][]> {
  const plans = await env.DB.batch<{ detail: string }>(statements.map(explain))
  return plans.map(({ results }) => results.map(({ detail }) => detail))
}

function explain(sql: string): D1PreparedStatement {
  const count = Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n)))
  const nothing = Array.from({ length: count }, () => null)
  return env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...nothing)
}

/** Names of what a statement has made itself: common tables, what they are called where they are used, and subqueries. */
function namesOf(sql: string): Set<string> {
  const tables = [...sql.matchAll(/(\w+)(?: \([\w, ]+\))? AS (?:MATERIALIZED )?\(/g)].map(([, name]) => name)
  const called = tables.flatMap((name) => [
    ...sql.matchAll(new RegExp(`(?:FROM|JOIN) ${name} (?!WHERE|CROSS|JOIN|LEFT|ON)(\\w+)`, 'g')),
  ])
  const subqueries = [...sql.matchAll(/\) (\w+)(?:\s+(?:WHERE|JOIN|LEFT|CROSS)|\))/g)]
  const aliases = [...called, ...subqueries].map(([, name]) => name)
  return new Set([...tables, ...aliases].flatMap((name) => name ?? []))
}

/** Ended claims await the sweep that reads them, and running replays are few: there is nothing to pick out. */
const READ_WHOLE = ['claim', 'replay']
/** Workspaces that are being deleted are few as well, and this index has no others. */
const READ_WHOLE_BY = / USING (?:COVERING )?INDEX workspace_deletion$/

/** Steps of a plan that grow with what the relay has stored: a table read whole, or all deliveries of a subscription. */
function growing(sql: string, plan: readonly string[]): string[] {
  const own = namesOf(sql)
  return plan.filter((step) => {
    if (/^SEARCH \w+ USING PRIMARY KEY \(subscription_no=\?\)/.test(step)) return true
    if (READ_WHOLE_BY.test(step)) return false
    const name = /^SCAN (\w+)(?! VIRTUAL TABLE)(?: USING.*)?$/.exec(step)?.[1]
    return name !== undefined && name !== 'CONSTANT' && !own.has(name) && !READ_WHOLE.includes(name)
  })
}

let statements: string[]

beforeAll(async () => {
  statements = await statementsOfADay()
})

test('no statement of publishing, delivering, retrying or sweeping reads more the more has been stored', async () => {
  const plans = await plansOf(statements)
  const found = statements.flatMap((sql, n) =>
    growing(sql, plans[n] ?? []).map((step) => `${step}: ${sql.slice(0, 100)}…`),
  )
  expect(found).toEqual([])
  expect(statements.length).toBeGreaterThan(60)
})

test('no claim is planned anew for each of its limits', () => {
  const claims = statements.filter((sql) => sql.includes('INSERT INTO claim'))
  expect(claims.length).toBeGreaterThan(3)
  expect(claims.filter((sql) => /LIMIT \?\d/.test(sql))).toEqual([])
})

test.each([
  'SELECT count(*) FROM event e WHERE e.body LIKE ?1',
  'UPDATE delivery SET error = ?2 FROM json_each(?1) m WHERE subscription_no = 1 AND delivery.seq + 0 = m.value',
  'SELECT * FROM subscription s WHERE s.config ->> ?1 = 1',
])('a statement that does is found: %s', async (sql) => {
  const [plan = []] = await plansOf([sql])
  expect(growing(sql, plan)).toHaveLength(1)
})

import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import type { Subscription } from '../../src/subscription/subscription.ts'
import { callsToFail } from '../support/full-count.ts'
import { batching, event, idsIn } from '../support/rig/batching.ts'
import { createRig, createWorld, type EventInput, freshStore, type Rig } from '../support/rig/builders.ts'
import { watchD1 } from '../support/rig/d1-watch.ts'
import { type FaultMode, FaultyBindings } from '../support/rig/faults.ts'
import { repair } from '../support/rig/repair.ts'

/** Fails the first request for each batch; what it shapes and keeps is large enough for R2. */
const SHAKY = 'https://shaky.example.com/'
/** Takes two events at once, no more. */
const SMALL = 'https://small.example.com/'
const URLS = [SHAKY, SMALL]
const SUCCESS = 1
const SECOND = 1000
/** Minutes between the sweeps that repair: past every lease, retry and wait. */
const SWEEP_MINUTES = [1, 1, 1, 1, 5, 1, 1]

/** Published one after the other; together they fill a batch, and one event is left over. */
const PUBLISHES: EventInput[][] = [
  [event('e0'), event('e1')],
  [{ id: 'e2', type: 'invoice.created', data: { text: 'x'.repeat(70_000) } }, event('e3')],
]

async function subscribeAll(rig: Rig, arrived: string[]): Promise<Subscription[]> {
  const batchSettings = batching({ maxEvents: 3, maxWaitTime: 30, flushOnEvent: ['go'] })
  const transform = { template: { id: '{{id}}', shaped: '{{data.text}}' } }
  const seen = new Set<string | null>()
  const note = (url: string, ids: string[]) => {
    arrived.push(...ids.map((id) => `${id} to ${url}`))
    return new Response('ok')
  }
  rig.receivers.set(SHAKY, (post) => {
    const id = post.headers.get('webhook-id')
    if (seen.has(id)) return note(SHAKY, idsIn(post))
    seen.add(id)
    return new Response('', { status: 500 })
  })
  rig.receivers.set(SMALL, (post) => {
    const ids = idsIn(post)
    return ids.length > 2 ? new Response('', { status: 413 }) : note(SMALL, ids)
  })
  const retryPolicy = { schedule: Array.from({ length: 20 }, () => 10) }
  return [
    await rig.subscribe({ url: SHAKY, batchSettings, transform, retryPolicy }),
    await rig.subscribe({ url: SMALL, batchSettings, retryPolicy }),
  ]
}

/** Publish, bind, send, split, fail, retry, and what is left after its wait; while all goes well. */
async function work(rig: Rig, subscriptions: readonly Subscription[], accepted: string[]): Promise<void> {
  for (const events of PUBLISHES) {
    const outcomes = await rig.publish(...events).catch(() => [])
    accepted.push(...outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.id] : [])))
    await rig.drain()
  }
  for (let seconds = 0; seconds < 40; seconds += 10) {
    rig.clock.nowMs += 10 * SECOND
    for (const subscription of subscriptions) rig.ring(subscription)
    await rig.drain()
  }
}

/** Runs it while one call fails, lets the sweeper repair it, and says what was not delivered, or twice. */
async function run(failingCall: number, mode: FaultMode) {
  await freshStore()
  const world = createWorld()
  const faults = new FaultyBindings(failingCall, mode)
  faults.isActive = false
  const sql: string[] = []
  const db = watchD1(faults.db, (call, next) => {
    if (faults.isActive) sql.push(...call.sql)
    return next()
  })
  const rig = await createRig({
    world,
    db,
    bodies: faults.bodies,
    queues: faults.queues(world),
    workspace: 'ws',
  })
  rig.relay.pacers.call = faults.pacer(rig.relay.pacers.call)
  const arrived: string[] = []
  const subscriptions = await subscribeAll(rig, arrived)
  const accepted: string[] = []
  faults.isActive = true
  await work(rig, subscriptions, accepted)
  faults.isActive = false
  const owed = accepted.flatMap((id) => URLS.map((url) => `${id} to ${url}`))
  const missing = () => owed.filter((delivery) => !arrived.includes(delivery))
  await repair(rig, SWEEP_MINUTES, async () => missing().length === 0 && (await openRows()).length === 0)
  return {
    sql,
    calls: faults.calls,
    accepted,
    missing: missing(),
    doubled: arrived.filter((delivery, n) => arrived.indexOf(delivery) !== n),
    open: await openRows(),
  }
}

/** Rows of deliveries and batches that are still to be made, or whose bytes are still kept. */
async function openRows(): Promise<unknown[]> {
  const [deliveries, batches] = await env.DB.batch([
    env.DB.prepare(`SELECT * FROM delivery WHERE state <> ${SUCCESS} OR batch_no IS NULL`),
    env.DB.prepare(
      'SELECT * FROM batch WHERE due_at_ms IS NOT NULL OR body IS NOT NULL OR body_key IS NOT NULL',
    ),
  ])
  return [...(deliveries?.results ?? []), ...(batches?.results ?? [])]
}

const HEALTHY = await run(-1, 'before')
const CLEAN = { missing: [], doubled: [], open: [] }

describe('batches from publish to settle', () => {
  test('deliver everything once when nothing fails', () => {
    expect(HEALTHY).toMatchObject({ ...CLEAN, accepted: ['e0', 'e1', 'e2', 'e3'] })
  })

  test.each([
    ['that lays deliveries to rest', /^WITH base.*INSERT INTO delivery/s],
    ['that binds', /^WITH.*INSERT INTO batch/s],
    ['that claims', /^INSERT INTO claim/],
    ['that records an outcome', /^UPDATE batch SET attempts/],
    ['that splits', /^INSERT INTO batch.*'split'/s],
    ['that ends what owes nothing', /^UPDATE subscription SET pacing_level = 0/],
  ])('among what fails is the statement %s', (_, pattern) => {
    expect(HEALTHY.sql.some((text) => pattern.test(text))).toBe(true)
  })

  test('among what fails are R2, the queues of paced subscriptions and of retries, and the pacer', () => {
    const starts = ['R2: put', 'R2: get', 'queue of the paced', 'queue of retries', 'pacer']
    expect(starts.filter((name) => !HEALTHY.calls.some((call) => call.startsWith(name)))).toEqual([])
  })

  test.each(callsToFail(HEALTHY.calls, 'before'))(
    'lose and double nothing when call $k fails: $name',
    async ({ k }) => {
      expect(await run(k, 'before')).toMatchObject(CLEAN)
    },
  )

  test.each(callsToFail(HEALTHY.calls, 'after'))(
    'lose and double nothing when the answer of call $k is lost: $name',
    async ({ k }) => {
      expect(await run(k, 'after')).toMatchObject(CLEAN)
    },
  )
})

import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventIdOf } from '../../../src/model/delivery.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { pauseSubscription, resumeSubscription } from '../../../src/subscription/switches/switches.sql.ts'
import { atFullCount } from '../../support/full-count.ts'
import { chance, HostileQueue } from '../../support/hostile/queue.ts'
import { createRig, createWorld, freshStore, type Receiver, type Rig } from '../../support/rig/builders.ts'
import { selection, start } from '../../support/rig/replays.ts'

const HOSTILITY = { lose: 0.25, double: 0.3, delay: 0.3 }
const STEPS = 40
const RUNS = atFullCount(10, { short: 3 })
const REPLAYS_MAX = 4
/** Minutes of sweeps after which nothing may be open any more. */
const SWEEPS_MAX = 240
const SUCCESS = 1
const FAILED = 2

type Random = () => number
/** One request as its receiver saw it; `key` is subscription, event and replay. */
type Arrival = { key: string; ok: boolean }

/** What each receiver answers to its n-th request, counted over all events. */
const RECEIVERS: Record<string, (random: Random) => (n: number) => Response> = {
  steady: () => () => new Response('ok'),
  flaky: (random) => () => new Response('', { status: random() < 0.5 ? 500 : 200 }),
  // Down for long enough that its breaker opens, its first probe fails, and a later one closes it.
  down: () => (n) => new Response('', { status: n < 14 ? 503 : 200 }),
  throttling: (random) => () =>
    random() < 0.4 ? new Response('', { status: 429, headers: { 'Retry-After': '45' } }) : new Response('ok'),
  // An answer, so that no breaker stretches its two attempts over hours.
  hopeless: () => () => new Response('', { status: 422 }),
}

/** Two isolates over queues that lose, double, delay and reorder, with every kind of receiver. */
async function createHostileWorld(random: Random) {
  await freshStore()
  const plain = createWorld()
  const queue = (name: string) => new HostileQueue(name, plain.clock, random, HOSTILITY)
  const hostile = {
    fast: queue('posthorn-deliveries'),
    unproven: queue('posthorn-unproven-deliveries'),
    retries: queue('posthorn-retries'),
    bulkRetries: queue('posthorn-bulk-retries'),
  }
  const world = { ...plain, ...hostile }
  const rigs: Rig[] = [
    await createRig({ world, workspace: 'ws' }),
    await createRig({ world, workspace: 'ws' }),
  ]
  const [rig] = rigs as [Rig]
  const arrivals: Arrival[] = []
  const subscriptions: Subscription[] = []
  for (const [name, answers] of Object.entries(RECEIVERS)) {
    for (const health of ['healthy', 'unproven'] as const) {
      const schedule = name === 'hopeless' ? [10] : Array.from({ length: 60 }, () => 10)
      const url = `https://${name}-${health}.example.com/`
      subscriptions.push(await rig.subscribe({ url, health, retryPolicy: { schedule } }))
      world.receivers.set(url, noting(arrivals, url, answers(random)))
    }
  }
  return { world, hostile, rigs, rig, subscriptions, arrivals }
}

function noting(arrivals: Arrival[], url: string, answers: (n: number) => Response): Receiver {
  let n = 0
  return ({ headers }) => {
    const response = answers(n++)
    const replay = headers.get('x-posthorn-replay') ?? ''
    arrivals.push({ key: `${url} ${headers.get('webhook-id')} ${replay}`, ok: response.ok })
    return response
  }
}

type HostileWorld = Awaited<ReturnType<typeof createHostileWorld>>

type Step = (hostile: HostileWorld, random: Random, accepted: string[]) => Promise<unknown>

const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)] as T

const publish: Step = async ({ rigs }, random, accepted) => {
  const events = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, n) => ({ data: { n } }))
  const outcomes = await pick(rigs, random).publish(...events)
  accepted.push(...outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.id] : [])))
}

/** Both isolates at once, as consumers of production run. */
const consume: Step = async ({ world, rigs }, random) => {
  const queues = [world.fast, world.unproven, world.retries]
  await Promise.all(rigs.map((rig) => rig.consume(pick(queues, random))))
}

const pause: Step = async ({ world, subscriptions }, random) =>
  await pauseSubscription(env.DB, pick(subscriptions, random), world.clock.nowMs)

const resumeOne: Step = async ({ rig, subscriptions }, random) =>
  await resume(rig, pick(subscriptions, random))

const replay: Step = async ({ world, rig, subscriptions }, random) => {
  const { no } = await start(rig, selection({ statuses: ['failed', 'success'] }), pick(subscriptions, random))
  world.retries.put({ v: 1, kind: 'replay', replayNo: no })
}

const sweep: Step = async ({ rigs }, random) => await pick(rigs, random).sweep()

/** Each as often as it is listed. */
const STEP_KINDS: readonly Step[] = [
  ...[publish, publish, publish, publish, publish],
  ...[consume, consume, consume, consume, consume, consume, consume, consume, consume],
  ...[pause, pause, resumeOne, replay, sweep],
]

/** Publishes, consumes, pauses, resumes, replays and sweeps in an order by chance. Answers the ids that were accepted. */
async function live(hostile: HostileWorld, random: Random): Promise<string[]> {
  const accepted: string[] = []
  let replays = 0
  for (let n = 0; n < STEPS; n++) {
    const step = n < 3 ? publish : pick(STEP_KINDS, random)
    if (step !== replay || replays++ < REPLAYS_MAX) await step(hostile, random, accepted)
    hostile.world.clock.nowMs += Math.floor(random() * 15_000)
  }
  return accepted
}

async function resume(rig: Rig, subscription: Subscription): Promise<void> {
  await resumeSubscription(env.DB, subscription, rig.clock.nowMs)
  await rig.relay.hints.dueAt(new Map([[subscription.no, rig.clock.nowMs]]))
}

/** Accepted deliveries that were neither made nor ended, and rows that are still to be worked on. */
async function openOf({ rig, subscriptions, arrivals }: HostileWorld, accepted: readonly string[]) {
  const made = new Set(arrivals.flatMap(({ key, ok }) => (ok ? [key.slice(0, key.lastIndexOf(' '))] : [])))
  const { results } = await env.DB.prepare('SELECT * FROM delivery').all<Row>()
  const ended = results.filter(({ state, due_at_ms }) => state === FAILED && due_at_ms === null)
  const failed = new Set(
    ended.map(
      (row) => `${row.subscription_no} ${eventIdOf({ ...row, workspaceNo: rig.workspaceNo, ownId: null })}`,
    ),
  )
  const missing = accepted.flatMap((id) =>
    subscriptions
      .filter(({ no, settings }) => !made.has(`${settings.url} ${id}`) && !failed.has(`${no} ${id}`))
      .map(({ settings }) => `${settings.url} ${id}`),
  )
  const waiting = results.filter((row) => row.state !== SUCCESS && !ended.includes(row))
  return { missing, waiting, running: await runningReplays() }
}

type Row = { subscription_no: number; seq: number; state: number; due_at_ms: number | null }

async function runningReplays(): Promise<unknown[]> {
  return (await env.DB.prepare('SELECT no FROM replay WHERE finished_at_ms IS NULL').all()).results
}

/** Sweeps, through queues that stay hostile, until nothing is open. */
async function settle(hostile: HostileWorld, accepted: readonly string[]) {
  const { world, rigs, rig, subscriptions } = hostile
  for (const subscription of subscriptions) await resume(rig, subscription)
  for (let sweeps = 0; ; sweeps++) {
    const open = await openOf(hostile, accepted)
    const isDone = Object.values(open).every((list) => list.length === 0)
    if (isDone || sweeps === SWEEPS_MAX) return { ...open, sweeps }
    world.clock.nowMs += 60_000
    await rig.sweep()
    for (const each of rigs) await each.drain()
  }
}

/** What a receiver got again under the same id, for the event or for one replay, after it had accepted it. */
function doubledOf(arrivals: readonly Arrival[]): string[] {
  const accepted = new Set<string>()
  return arrivals.flatMap(({ key, ok }) => {
    const isDoubled = accepted.has(key)
    if (ok) accepted.add(key)
    return isDoubled ? [key] : []
  })
}

test('every accepted delivery is made or ends, and none is made twice, whatever queues do to hints', async () => {
  const totals = { arrivals: 0, lost: 0, doubled: 0, replayed: 0 }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = chance(seed)
      const hostile = await createHostileWorld(random)
      const accepted = await live(hostile, random)
      expect(await settle(hostile, accepted)).toMatchObject({ missing: [], waiting: [], running: [] })
      expect(doubledOf(hostile.arrivals)).toEqual([])
      totals.arrivals += hostile.arrivals.length
      totals.replayed += hostile.arrivals.filter(({ key }) => !key.endsWith(' ')).length
      for (const { lost, doubled } of Object.values(hostile.hostile)) {
        totals.lost += lost
        totals.doubled += doubled
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
  // A queue that turned out kind would prove nothing; a few runs may by chance be kinder than many.
  expect(Math.min(...Object.values(totals))).toBeGreaterThanOrEqual(atFullCount(2 * RUNS, { short: RUNS }))
}, 120_000)

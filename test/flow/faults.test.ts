import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import type { PublishOutcome } from '../../src/publish/prepared-event.ts'
import { callsToFail } from '../support/full-count.ts'
import {
  createRig,
  createWorld,
  type EventInput,
  freshStore,
  type Rig,
  type World,
} from '../support/rig/builders.ts'
import { type FaultMode, FaultyBindings } from '../support/rig/faults.ts'
import { repair } from '../support/rig/repair.ts'

/** A small, a keyed and a large event; the large one goes through R2. */
const EVENTS: EventInput[][] = [
  [{ data: { n: 1 } }, { data: { n: 2 } }],
  [{ id: 'own', idempotencyKey: 'once' }],
  [{ data: { text: 'x'.repeat(70_000) } }],
]
/** Minutes between the sweeps that repair: past every lease, retry and the age at which an orphan gets a row. */
const SWEEP_MINUTES = [1, 1, 1, 1, 10, 1, 1, 1]

type Scenario = (rig: Rig, publish: (events: EventInput[]) => Promise<void>) => Promise<void>

/** Publish, deliver, and retry what failed the first time. */
const deliver: Scenario = async (rig, publish) => {
  for (const events of EVENTS) await publish(events)
  await rig.drain()
  rig.clock.nowMs += 10_000
  await rig.drain()
}

/** Every hint is lost; the sweeper is what fails. */
const recover: Scenario = async (rig, publish) => {
  for (const events of EVENTS) await publish(events)
  rig.fast.lose()
  rig.clock.nowMs += 60_000
  await rig.sweep().catch(() => undefined)
  await rig.drain()
  rig.retries.lose()
  rig.clock.nowMs += 600_000
  await rig.sweep().catch(() => undefined)
  await rig.drain()
}

/** Runs a scenario while one call fails, lets the sweeper repair it, and lists what was accepted and not delivered. */
async function run(scenario: Scenario, failingCall: number, mode: FaultMode) {
  await freshStore()
  const world = createWorld()
  const faults = new FaultyBindings(failingCall, mode)
  const options = { world, db: faults.db, bodies: faults.bodies, queues: faults.queues(world) }
  faults.isActive = false
  const rig = await createRig({ ...options, workspace: 'ws' })
  await subscribeAll(rig)
  faults.isActive = true
  const accepted: PublishOutcome[] = []
  await scenario(rig, async (events) => {
    const outcomes = await rig.publish(...events).catch(() => [])
    accepted.push(...outcomes.filter(({ kind }) => kind === 'accepted'))
  })
  faults.isActive = false
  const owed = accepted.flatMap((event) => ('id' in event ? URLS.map((url) => `${event.id} to ${url}`) : []))
  await repair(rig, SWEEP_MINUTES, async () => (await missingOf(world, owed)).length === 0)
  return { calls: faults.calls, accepted: accepted.length, missing: await missingOf(world, owed) }
}

/** What was never sent, and the rows that say that something is still to be sent. */
async function missingOf({ posts }: World, owed: readonly string[]): Promise<unknown[]> {
  const posted = new Set(posts.map(({ url, headers }) => `${headers.get('webhook-id')} to ${url}`))
  const open = await env.DB.prepare(`SELECT * FROM delivery WHERE state <> ${SUCCESS}`).all()
  return [...owed.filter((delivery) => !posted.has(delivery)), ...open.results]
}

const SUCCESS = 1
const URLS = ['https://proven.example.com/', 'https://new.example.com/', 'https://shaky.example.com/']

/** A proven receiver, an unproven one, and a proven one that fails the first time it is asked for each event. */
async function subscribeAll(rig: Rig): Promise<void> {
  const [proven = '', unproven = '', shaky = ''] = URLS
  await rig.subscribe({ url: proven })
  await rig.subscribe({ url: unproven, health: 'unproven' })
  await rig.subscribe({ url: shaky })
  const seen = new Set<string | null>()
  rig.receivers.set(shaky, ({ headers }) => {
    const id = headers.get('webhook-id')
    const isFirst = !seen.has(id)
    seen.add(id)
    return new Response('', { status: isFirst ? 500 : 200 })
  })
}

const HEALTHY = { deliver: await run(deliver, -1, 'before'), recover: await run(recover, -1, 'before') }

describe.each([
  ['publishing and delivering', deliver, HEALTHY.deliver],
  ['sweeping', recover, HEALTHY.recover],
] as const)('%s', (_, scenario, healthy) => {
  test('accepts and delivers everything when nothing fails', () => {
    expect([healthy.accepted, healthy.missing]).toEqual([4, []])
  })

  test.each(callsToFail(healthy.calls, 'before'))(
    'loses nothing accepted when call $k fails: $name',
    async ({ k }) => {
      expect((await run(scenario, k, 'before')).missing).toEqual([])
    },
  )

  test.each(callsToFail(healthy.calls, 'after'))(
    'loses nothing accepted when the answer of call $k is lost: $name',
    async ({ k }) => {
      expect((await run(scenario, k, 'after')).missing).toEqual([])
    },
  )
})

test('faults are injected into D1, R2 and every queue', () => {
  const calls = [...HEALTHY.deliver.calls, ...HEALTHY.recover.calls]
  const starts = ['D1', 'R2', 'queue of the proven', 'queue of the unproven', 'queue of retries']
  expect(starts.filter((start) => !calls.some((name) => name.startsWith(start)))).toEqual([])
})

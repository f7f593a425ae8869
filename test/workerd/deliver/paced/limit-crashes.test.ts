import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { createRig, createWorld, freshStore } from '../../../support/rig/builders.ts'
import { watchD1 } from '../../../support/rig/d1-watch.ts'
import { countStates, eventsFor, idsOf, watchArrivals } from './ordered/arrivals.ts'

beforeEach(freshStore)

const AFTER_LEASE_MS = 91_000

test.each([
  ['a rate limit', { rateLimit: { requests: 20, perSeconds: 1 } }],
  ['a limit on requests under way', { concurrency: 20 }],
] as const)(
  'under %s, what a dead consumer had in hand is tried one by one, all under one grant',
  async (_, settings) => {
    const world = createWorld()
    const rig = await createRig({ world, workspace: 'ws' })
    const subscription = await rig.subscribe({ ...settings })
    const started = Promise.withResolvers<void>()
    let isDead = false
    const arrivals = watchArrivals(rig, subscription, async () => {
      if (isDead) return 200
      started.resolve()
      return await new Promise<number>(() => undefined)
    })
    const db = watchD1(env.DB, async (_, run) => (isDead ? await new Promise(() => undefined) : await run()))
    const doomed = await createRig({ world, workspace: 'ws', db })
    const events = eventsFor(undefined, 12, 'e')
    await rig.publish(...events)
    void doomed.drain()
    await started.promise
    isDead = true
    world.clock.nowMs += AFTER_LEASE_MS
    const before = arrivals.all.length
    const { call: callPacer } = rig.relay.pacers
    let calls = 0
    rig.relay.pacers.call = (call) => {
      calls++
      return callPacer(call)
    }
    await rig.sweep()
    await rig.drain()
    const after = arrivals.all.slice(before)
    expect(after.map(({ id }) => id)).toEqual(idsOf(events))
    expect(await countStates(rig)).toEqual([0, 12, 0, 0])
    expect(calls).toBeLessThanOrEqual(4)
  },
)

import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createRig, createWorld, type Rig } from '../../support/rig/builders.ts'
import { countAccepted, limitWorkspace, publishLimited, someEvents } from './limited.ts'

const STEP_MS = 500
const CUT_MS = 10_000

/** Two relays over one database, in one workspace. */
async function twoRelays(): Promise<[Rig, Rig]> {
  const world = createWorld()
  const one = await createRig({ world })
  return [one, await createRig({ world, workspace: one.workspace })]
}

/** Lets both relays publish so many events in each half second, and counts those accepted in each. */
async function publishSteadily(rigs: readonly Rig[], seconds: number, events: number): Promise<number[]> {
  const accepted: number[] = []
  for (let ms = 0; ms < seconds * 1000; ms += STEP_MS) {
    let inStep = 0
    for (const rig of rigs) inStep += countAccepted(await publishLimited(rig, someEvents(events)))
    accepted.push(inStep)
    for (const rig of rigs.slice(0, 1)) rig.clock.nowMs += STEP_MS
  }
  return accepted
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

test('events above a limit are cut to it over two relays within ten seconds', async () => {
  const rigs = await twoRelays()
  await limitWorkspace(rigs[0], { eventsPerSecond: 10 })
  // Forty a second.
  const accepted = await publishSteadily(rigs, 20, 10)
  const late = accepted.slice(CUT_MS / STEP_MS)
  const seconds = (late.length * STEP_MS) / 1000
  expect(sum(late)).toBeLessThanOrEqual(10 * seconds + 10 + rigs.length)
  expect(sum(late)).toBeGreaterThanOrEqual(10 * seconds * 0.8)
})

test('events below a limit are all accepted, however they are spread over two relays', async () => {
  const rigs = await twoRelays()
  await limitWorkspace(rigs[0], { eventsPerSecond: 12, eventsPerDay: 150 })
  expect(new Set(await publishSteadily(rigs, 12, 3))).toEqual(new Set([6]))
})

test('what a day has used is known to relays that start later, and after the limiter has ended', async () => {
  const [one] = await twoRelays()
  await limitWorkspace(one, { eventsPerDay: 50 })
  expect(countAccepted(await publishLimited(one, someEvents(30)))).toBe(30)
  const limiter = env.LIMITERS.getByName(`${one.world.pacersOf}:${one.workspaceNo}`)
  await evictDurableObject(limiter)
  const later = await createRig({ world: one.world, workspace: one.workspace })
  expect(countAccepted(await publishLimited(later, someEvents(1)))).toBe(1)
  const outcomes = await publishLimited(later, someEvents(30))
  expect(countAccepted(outcomes)).toBe(19)
  expect(outcomes.at(-1)).toMatchObject({ kind: 'rate_limited', reached: { name: 'eventsPerDay' } })
})

test('a limiter that does not answer leaves each relay the whole limit', async () => {
  const [one] = await twoRelays()
  await limitWorkspace(one, { eventsPerSecond: 5 })
  one.relay.limits.limiters.report = async () => await Promise.reject(new Error('no answer'))
  expect(countAccepted(await publishLimited(one, someEvents(8)))).toBe(5)
  expect(one.logged.map(({ event }) => event)).toContain('limiter.unreachable')
})

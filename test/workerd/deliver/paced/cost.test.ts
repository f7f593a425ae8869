import { env } from 'cloudflare:workers'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createRig, freshStore, type SubscriptionInput } from '../../../support/rig/builders.ts'
import { meterD1 } from '../../../support/rig/d1-watch.ts'

/** What was measured, printed once: `docs/cost.md` quotes it. */
const figures: string[] = []

afterAll(() => {
  // biome-ignore lint/suspicious/noConsole: the figures are this file's second purpose.
  console.log(`D1 rows written / read, pacer calls and hints per event\n${figures.join('\n')}`)
})

beforeEach(freshStore)

const EVENTS = 200
const batchSettings = {
  enabled: true,
  maxEvents: 100,
  maxWaitTime: 30,
  maxBytes: 1_000_000,
  flushOnEvent: [],
}
const many = Array.from({ length: EVENTS }, () => ({ data: { text: 'x'.repeat(400) } }))

/** Publishes in bulk, delivers everything, and answers what that took per event. */
async function costOf(name: string, input: SubscriptionInput) {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  const subscription = await rig.subscribe(input)
  await rig.publish({})
  await rig.drain()
  rig.clock.nowMs += 60_000
  rig.ring(subscription)
  await rig.drain()
  const { call: callPacer } = rig.relay.pacers
  let calls = 0
  rig.relay.pacers.call = (call) => {
    calls++
    return callPacer(call)
  }
  const before = { ...meter }
  await rig.publish(...many)
  const hints = rig.paced.bodies.length
  await rig.drain()
  const pending = (await rig.deliveries()).filter(({ state }) => state !== 1).length
  const written = (meter.rowsWritten - before.rowsWritten) / EVENTS
  const read = (meter.rowsRead - before.rowsRead) / EVENTS
  figures.push(
    `${name}: ${written.toFixed(2)} / ${read.toFixed(0)}, ${calls} calls and ${hints} hints for ${EVENTS}`,
  )
  return { written, read, calls, hints, pending, posts: rig.postsTo(subscription).length }
}

test('an event that goes in a batch of 100 writes at most 4.2 rows and reads 60; 200 of them take one hint and at most 3 calls of the pacer', async () => {
  const cost = await costOf('batched', { batchSettings })
  expect(cost).toMatchObject({ pending: 0, hints: 1, posts: 3 })
  expect(cost.written).toBeLessThanOrEqual(4.2)
  expect(cost.read).toBeLessThanOrEqual(60)
  expect(cost.calls).toBeLessThanOrEqual(3)
})

test('an event that keeps its order writes at most 4.2 rows, and calls no pacer', async () => {
  const cost = await costOf('ordered', { ordered: true })
  expect(cost).toMatchObject({ pending: 0, hints: 1, calls: 0 })
  expect(cost.written).toBeLessThanOrEqual(4.2)
})

test('an event under a limit on requests under way writes at most 4.3 rows; calls are per claim, not per event', async () => {
  const cost = await costOf('concurrency 100', { concurrency: 100 })
  expect(cost).toMatchObject({ pending: 0, hints: 1 })
  expect(cost.written).toBeLessThanOrEqual(4.3)
  expect(cost.calls).toBeLessThanOrEqual(5)
})

import { createMessageBatch } from 'cloudflare:test'
import { setTimeout as after } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { handleQueue } from '../../../../src/queue.ts'
import { batching, event } from '../../../support/rig/batching.ts'
import { createRig, freshStore, type SubscriptionInput } from '../../../support/rig/builders.ts'

beforeEach(freshStore)

/** Long after a receiver is reached that does not have to wait for others. */
const PATIENCE_MS = 8_000

/**
 * How many requests hang when a proven receiver gets its first one, behind others in the same hints that answer only
 * afterwards; null where it gets none meanwhile.
 */
async function hangingAtFirstPost(settings: SubscriptionInput, hanging: number): Promise<number | null> {
  const rig = await createRig()
  const released = Promise.withResolvers<void>()
  let underWay = 0
  for (let n = 0; n < hanging; n++) {
    const health = n % 2 === 0 ? 'suspect' : 'unproven'
    const bad = await rig.subscribe({ ...settings, timeoutSeconds: 30, health })
    rig.receivers.set(bad.settings.url, async () => {
      underWay++
      await released.promise
      underWay--
      return new Response('late')
    })
  }
  const good = await rig.subscribe(settings)
  const reached = Promise.withResolvers<number>()
  rig.receivers.set(good.settings.url, () => {
    reached.resolve(underWay)
    return new Response('ok')
  })
  await rig.publish(event('a'))
  const drained = rig.drain()
  const found = await Promise.race([reached.promise, after(PATIENCE_MS, null)])
  released.resolve()
  await drained
  expect(await rig.deliveries()).toMatchObject(Array.from({ length: hanging + 1 }, () => ({ state: 1 })))
  return found
}

test.each<[string, SubscriptionInput, number]>([
  ['ordered', { ordered: true }, 10],
  ['limited', { concurrency: 5 }, 10],
  ['batching', { batchSettings: batching({ maxEvents: 1 }) }, 10],
  ['more ordered', { ordered: true }, 30],
])(
  '%s receivers that hang leave half of the slots to a proven one',
  async (_, settings, hanging) => {
    expect([1, 2, 3]).toContain(await hangingAtFirstPost(settings, hanging))
  },
  60_000,
)

test('a consumer does not wait for receivers of large batches that hang', async () => {
  const rig = await createRig()
  const released = Promise.withResolvers<void>()
  for (let n = 0; n < 3; n++) {
    const batchSettings = batching({ maxEvents: 20, maxBytes: 2_000_000 })
    const bad = await rig.subscribe({ batchSettings, timeoutSeconds: 30 })
    rig.receivers.set(bad.settings.url, async () => {
      await released.promise
      return new Response('late')
    })
  }
  const text = 'x'.repeat(48_000)
  await rig.publish(...Array.from({ length: 200 }, (_, n) => ({ id: `e${n}`, data: { text } })))
  const background: Promise<unknown>[] = []
  const batch = createMessageBatch(rig.paced.name, rig.paced.take())
  const handled = handleQueue({ ok: true, relay: rig.relay }, batch, (work) => void background.push(work))
  const isHandled = await Promise.race([handled.then(() => true), after(PATIENCE_MS, false)])
  released.resolve()
  await handled
  await Promise.allSettled(background)
  expect(isHandled).toBe(true)
}, 60_000)

import { env } from 'cloudflare:workers'
import { setTimeout as after } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import type { Subscription } from '../../../../src/subscription/subscription.ts'
import { batching, events, inTurn } from '../../../support/rig/batching.ts'
import { answer, createRig, freshStore, type Rig } from '../../../support/rig/builders.ts'
import { type Around, watchD1 } from '../../../support/rig/d1-watch.ts'
import { SAYS_NOTHING } from '../../../support/rig/pacer-call.ts'
import { realWorld } from './real-time/in-real-time.ts'

beforeEach(freshStore)

const isClaim = (sql: readonly string[]) =>
  sql.some((text) => text.startsWith('INSERT INTO claim') && text.includes('paced_no'))

/** Whether what is open will be found before the next sweep: by a hint, or because its pacer wakes somebody. */
async function isKnown(rig: Rig, { no }: Subscription): Promise<boolean> {
  if ((await rig.deliveries()).every(({ state }) => state !== 0)) return true
  if (rig.paced.bodies.length + rig.retries.bodies.length > 0) return true
  const reply = await rig.relay.pacers.turn({
    ...SAYS_NOTHING,
    ...{ v: 1, subscriptionNo: no, nowMs: Date.now(), wants: false, leaseId: 'who-asks' },
  })
  return reply.kind === 'rest' && reply.wakeInMs !== null
}

test('what has missed its times while a claim was made is known to the pacer', async () => {
  let stalls = 1
  const around: Around = async ({ sql }, run) => {
    const results = await run()
    if (isClaim(sql) && stalls-- > 0) await after(300)
    return results
  }
  const rig = await createRig({ world: realWorld(), db: watchD1(env.DB, around) })
  const subscription = await rig.subscribe({ rateLimit: { requests: 100, perSeconds: 1 } })
  await rig.publish(...events(5))
  await rig.drain()
  expect(stalls).toBeLessThan(1)
  expect(await isKnown(rig, subscription)).toBe(true)
}, 30_000)

test('a batch whose time has passed before it could be claimed is known to the pacer', async () => {
  const rig = await createRig({ world: realWorld() })
  const subscription = await rig.subscribe({
    rateLimit: { requests: 50, perSeconds: 1 },
    batchSettings: batching({ maxEvents: 2 }),
    retryPolicy: { schedule: [1, 10] },
  })
  rig.receivers.set(subscription.settings.url, inTurn(answer(503), answer(200)))
  await rig.publish(...events(2))
  await rig.drain()
  await after(2_200)
  const { turn } = rig.relay.pacers
  let stalls = 1
  rig.relay.pacers.turn = async (call) => {
    const reply = await turn(call)
    if (reply.kind === 'go' && stalls-- > 0) await after(300)
    return reply
  }
  await rig.drain()
  rig.relay.pacers.turn = turn
  expect(stalls).toBeLessThan(1)
  expect(await isKnown(rig, subscription)).toBe(true)
}, 30_000)

test.each([1, 2])(
  'claim %d of a limited subscription that D1 fails gives its places back at once',
  async (failing) => {
    let claims = 0
    const around: Around = async ({ sql }, run) => {
      if (isClaim(sql) && ++claims === failing) throw new Error('D1_ERROR: Network connection lost.')
      return await run()
    }
    const rig = await createRig({ db: watchD1(env.DB, around) })
    const subscription = await rig.subscribe({ concurrency: 5 })
    await rig.publish(...events(150))
    await rig.drain()
    for (let seconds = 0; seconds < 30; seconds++) {
      rig.clock.nowMs += 1_000
      rig.ring(subscription)
      await rig.drain()
    }
    expect(claims).toBeGreaterThan(failing)
    expect((await rig.deliveries()).filter(({ state }) => state === 0)).toEqual([])
  },
)

test('a receiver that fails ten times in a row is not claimed for on and on under one grant', async () => {
  let claims = 0
  const around: Around = async ({ sql }, run) => {
    if (isClaim(sql)) claims++
    return await run()
  }
  const rig = await createRig({ db: watchD1(env.DB, around) })
  const subscription = await rig.subscribe({ concurrency: 5 })
  rig.receivers.set(subscription.settings.url, answer(503))
  await rig.publish(...events(900))
  await rig.drain()
  expect(rig.postsTo(subscription).length).toBeLessThan(20)
  expect(claims).toBeLessThanOrEqual(3)
})

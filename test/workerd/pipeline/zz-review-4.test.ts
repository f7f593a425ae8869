import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { batching, event, events } from '../../support/batching.ts'
import { createRig, createWorld, freshStore, type Rig } from '../../support/builders.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import { watchD1 } from '../../support/d1-watch.ts'

beforeEach(freshStore)
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms))

function realWorld() {
  const world = createWorld()
  Object.defineProperty(world.clock, 'nowMs', { get: () => Date.now() })
  return world
}
/** Consumers that come as the platform's would: for whatever is in the queue, any number at once; the alarm every 50 ms. */
async function serve(rig: Rig, s: Subscription | null, forMs: number, isDone: () => boolean): Promise<number> {
  const startMs = Date.now()
  const running = new Set<Promise<unknown>>()
  while (Date.now() - startMs < forMs && !isDone()) {
    if (s !== null) rig.ring(s)
    for (const queue of [rig.retries, rig.paced]) {
      const work: Promise<unknown> = rig.consume(queue).finally(() => running.delete(work))
      running.add(work)
    }
    await sleep(50)
  }
  const took = Date.now() - startMs
  await Promise.all(running)
  return took
}
const windowMax = (starts: number[], ms: number) => Math.max(...starts.map((t) => starts.filter((u) => u >= t && u < t + ms).length))

test('P1 a backlog of batches uses the concurrency', async () => {
  const rig = await createRig({ world: realWorld() })
  const s = await rig.subscribe({ concurrency: 5, batchSettings: batching({ maxEvents: 2, maxWaitTime: 300 }) })
  let under = 0
  const starts: [number, number][] = []
  const t0 = Date.now()
  rig.receivers.set(s.settings.url, async () => { starts.push([Date.now() - t0, ++under]); await sleep(300); under--; return new Response('ok') })
  await rig.publish(...events(100))
  const took = await serve(rig, s, 20_000, () => starts.length >= 50)
  console.log('P1 took', took, 'ideal', 50 / 5 * 300, JSON.stringify(starts.map(([, n]) => n)))
}, 40_000)

test('P1b a backlog of batches uses the rate', async () => {
  const rig = await createRig({ world: realWorld() })
  const s = await rig.subscribe({ rateLimit: { requests: 10, perSeconds: 1 }, batchSettings: batching({ maxEvents: 2, maxWaitTime: 300 }) })
  const starts: number[] = []
  const t0 = Date.now()
  rig.receivers.set(s.settings.url, async () => { starts.push(Date.now() - t0); await sleep(1000); return new Response('ok') })
  await rig.publish(...events(100))
  const took = await serve(rig, s, 20_000, () => starts.length >= 50)
  console.log('P1b took', took, 'ideal', 5000, JSON.stringify(starts))
}, 40_000)

test('P2 concurrency with answers of different length', async () => {
  const rig = await createRig({ world: realWorld() })
  const s = await rig.subscribe({ concurrency: 5 })
  const starts: [number, number][] = []
  let under = 0
  const t0 = Date.now()
  rig.receivers.set(s.settings.url, async (post) => {
    const slow = /"id":"e(0|10|20|30)"/.test(post.body)
    starts.push([Date.now() - t0, ++under]); await sleep(slow ? 1500 : 50); under--; return new Response('ok')
  })
  await rig.publish(...events(40))
  const took = await serve(rig, s, 20_000, () => starts.length >= 40)
  console.log('P2 took', took, 'work/5 =', (4 * 1500 + 36 * 50) / 5, JSON.stringify(starts.map(([t]) => t)))
}, 40_000)

test('P3 rate limit with a receiver that stalls: starts in any second', async () => {
  const rig = await createRig({ world: realWorld() })
  const s = await rig.subscribe({ rateLimit: { requests: 50, perSeconds: 1 } })
  const starts: number[] = []
  const t0 = Date.now()
  rig.receivers.set(s.settings.url, async () => {
    const t = Date.now() - t0
    starts.push(t)
    if (starts.length <= 12) await sleep(Math.max(0, 1800 - t))
    return new Response('ok')
  })
  await rig.publish(...events(300))
  const took = await serve(rig, s, 12_000, () => starts.length >= 300)
  console.log('P3 took', took, 'max in 1 s', windowMax(starts, 1000), JSON.stringify(starts.slice(0, 160)))
}, 40_000)

test('P4 rate limit with answers of 3 s', async () => {
  const rig = await createRig({ world: realWorld() })
  const s = await rig.subscribe({ rateLimit: { requests: 2, perSeconds: 1 }, timeoutSeconds: 10 })
  const starts: number[] = []
  const t0 = Date.now()
  rig.receivers.set(s.settings.url, async () => { starts.push(Date.now() - t0); await sleep(3000); return new Response('ok') })
  await rig.publish(...events(100))
  const took = await serve(rig, s, 20_000, () => starts.length >= 40)
  console.log('P4 took', took, 'started', starts.length, 'allowed', 2 * took / 1000, JSON.stringify(starts))
}, 60_000)

test('P5 rate 2/s while D1 stalls for 3 s', async () => {
  let stallUntil = 0
  const db = watchD1(env.DB, async ({ sql }, run) => {
    if (stallUntil > Date.now() && sql.some((x) => x.startsWith('INSERT INTO claim'))) await sleep(stallUntil - Date.now())
    return await run()
  })
  const rig = await createRig({ world: realWorld(), db })
  const s = await rig.subscribe({ rateLimit: { requests: 2, perSeconds: 1 } })
  const starts: number[] = []
  const t0 = Date.now()
  rig.receivers.set(s.settings.url, async () => { starts.push(Date.now() - t0); return new Response('ok') })
  await rig.publish(...events(40))
  setTimeout(() => { stallUntil = Date.now() + 4000 }, 2000)
  const took = await serve(rig, s, 12_000, () => starts.length >= 40)
  console.log('P5 took', took, 'max in 1 s', windowMax(starts, 1000), JSON.stringify(starts))
}, 60_000)

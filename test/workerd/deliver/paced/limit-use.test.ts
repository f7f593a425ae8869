import { env } from 'cloudflare:workers'
import { setTimeout as after } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { batching, events } from '../../../support/rig/batching.ts'
import { createRig, freshStore, type Rig, type SubscriptionInput } from '../../../support/rig/builders.ts'
import { watchD1 } from '../../../support/rig/d1-watch.ts'
import { realWorld } from './in-real-time.ts'

beforeEach(freshStore)

/** When each request began, and how many were under way then, with consumers and alarms as they come in real time. */
async function serve(
  rig: Rig,
  input: SubscriptionInput,
  { count, requests, withinMs, answerMs }: Run,
): Promise<{ starts: number[]; tookMs: number }> {
  const subscription = await rig.subscribe(input)
  const starts: number[] = []
  const startMs = Date.now()
  rig.receivers.set(subscription.settings.url, async ({ body }) => {
    const atMs = Date.now() - startMs
    starts.push(atMs)
    await after(answerMs({ body, n: starts.length, atMs }))
    return new Response('ok')
  })
  await rig.publish(...events(count))
  const running = new Set<Promise<unknown>>()
  while (Date.now() - startMs < withinMs && starts.length < requests) {
    rig.ring(subscription)
    for (const queue of [rig.retries, rig.paced]) {
      const work: Promise<unknown> = rig.consume(queue).finally(() => running.delete(work))
      running.add(work)
    }
    await after(50)
  }
  const tookMs = Date.now() - startMs
  await Promise.all(running)
  return { starts, tookMs }
}

type Run = {
  count: number
  requests: number
  withinMs: number
  answerMs: (request: { body: string; n: number; atMs: number }) => number
}

const mostWithin = (starts: readonly number[], ms: number) =>
  Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + ms).length))

describe('a backlog of batches', () => {
  test('uses the concurrency to the full', async () => {
    const input = { concurrency: 5, batchSettings: batching({ maxEvents: 2 }) }
    const run = { count: 100, requests: 50, withinMs: 20_000, answerMs: () => 300 }
    const { tookMs } = await serve(await createRig({ world: realWorld() }), input, run)
    expect(tookMs).toBeLessThan(6_000) // 3,000 at best
  }, 40_000)
})

describe('a backlog of single deliveries', () => {
  const share = ({ starts }: { starts: number[] }, perSecond: number) =>
    (starts.length - 1) / (((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1_000) / perSecond

  test('uses every permit of its concurrency while a few answers are slow', async () => {
    const answerMs = ({ n }: { n: number }) => (n % 10 === 1 ? 1_500 : 100)
    const run = { count: 40, requests: 40, withinMs: 20_000, answerMs }
    const { tookMs } = await serve(await createRig({ world: realWorld() }), { concurrency: 5 }, run)
    expect(tookMs).toBeLessThan(3_500) // 1,900 at best
  }, 40_000)

  test('uses its concurrency to the full although every answer takes long', async () => {
    const run = { count: 12, requests: 12, withinMs: 30_000, answerMs: () => 2_500 }
    const { starts } = await serve(await createRig({ world: realWorld() }), { concurrency: 3 }, run)
    expect(starts.at(-1)).toBeLessThan(8_500) // 7,500 at best
  }, 60_000)

  test('uses its rate beside a concurrency that suffices', async () => {
    const input = { rateLimit: { requests: 20, perSeconds: 1 }, concurrency: 5 }
    const run = { count: 120, requests: 120, withinMs: 20_000, answerMs: () => 120 }
    expect(share(await serve(await createRig({ world: realWorld() }), input, run), 20)).toBeGreaterThan(0.93)
  }, 40_000)

  test('uses its rate although answers take longer than a grant reaches ahead', async () => {
    const input = { rateLimit: { requests: 2, perSeconds: 1 } }
    const run = { count: 24, requests: 24, withinMs: 30_000, answerMs: () => 3_000 }
    expect(share(await serve(await createRig({ world: realWorld() }), input, run), 2)).toBeGreaterThan(0.93)
  }, 60_000)
})

/** Requests that may bunch because they start up to 200 ms late, and one that began the span. */
const BUNCHED = 50 / 5 + 1

describe('the rate is kept', () => {
  test('when a receiver stalls and then answers at once', async () => {
    const answerMs = ({ n, atMs }: { n: number; atMs: number }) => (n <= 12 ? Math.max(0, 1_800 - atMs) : 0)
    const input = { rateLimit: { requests: 50, perSeconds: 1 } }
    const run = { count: 300, requests: 300, withinMs: 12_000, answerMs }
    const { starts } = await serve(await createRig({ world: realWorld() }), input, run)
    expect(mostWithin(starts, 1_000)).toBeLessThanOrEqual(50 + BUNCHED)
  }, 40_000)

  test('when D1 stalls', async () => {
    let stallUntilMs = 0
    const db = watchD1(env.DB, async ({ sql }, run) => {
      const isClaim = sql.some((text) => text.startsWith('INSERT INTO claim'))
      if (isClaim && stallUntilMs > Date.now()) await after(stallUntilMs - Date.now())
      return await run()
    })
    const rig = await createRig({ world: realWorld(), db })
    setTimeout(() => {
      stallUntilMs = Date.now() + 4_000
    }, 2_000)
    const run = { count: 40, requests: 40, withinMs: 12_000, answerMs: () => 0 }
    const { starts } = await serve(rig, { rateLimit: { requests: 1, perSeconds: 1 } }, run)
    // One that is late by no more than a second, and the next in time.
    expect(mostWithin(starts, 900)).toBeLessThanOrEqual(2)
  }, 60_000)
})

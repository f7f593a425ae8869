import { env } from 'cloudflare:workers'
import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { atFullCount } from '../../../../support/full-count.ts'
import { batching, events } from '../../../../support/rig/batching.ts'
import { createRig, type Rig, type SubscriptionInput } from '../../../../support/rig/builders.ts'
import { watchD1 } from '../../../../support/rig/d1-watch.ts'
import { realWorld } from './in-real-time.ts'

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

/** How far a run of requests used a rate, from its first request to its last. */
const share = ({ starts }: { starts: number[] }, perSecond: number) =>
  (starts.length - 1) / (((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1_000) / perSecond

test('a backlog of batches uses the concurrency to the full', async () => {
  const input = { concurrency: 5, batchSettings: batching({ maxEvents: 2 }) }
  const requests = atFullCount(50, { short: 20 })
  const run = { count: 2 * requests, requests, withinMs: 20_000, answerMs: () => 300 }
  const { tookMs } = await serve(await createRig({ world: realWorld() }), input, run)
  const atBestMs = (requests / 5) * 300
  expect(tookMs).toBeLessThan(2 * atBestMs)
})

test('a backlog of single deliveries uses its rate beside a concurrency that suffices', async () => {
  const input = { rateLimit: { requests: 20, perSeconds: 1 }, concurrency: 5 }
  const requests = atFullCount(120, { short: 60 })
  const run = { count: requests, requests, withinMs: 20_000, answerMs: () => 120 }
  expect(share(await serve(await createRig({ world: realWorld() }), input, run), 20)).toBeGreaterThan(0.93)
})

// Each of these has a few requests a second, and waits most of the time.
describe.concurrent('a backlog of single deliveries', () => {
  test('uses every permit of its concurrency while a few answers are slow', async ({ expect }) => {
    const answerMs = ({ n }: { n: number }) => (n % 10 === 1 ? 1_500 : 100)
    const run = { count: 40, requests: 40, withinMs: 20_000, answerMs }
    const { tookMs } = await serve(await createRig({ world: realWorld() }), { concurrency: 5 }, run)
    expect(tookMs).toBeLessThan(3_500) // 1,900 at best
  })

  test('uses its concurrency to the full although every answer takes long', async ({ expect }) => {
    const requests = atFullCount(12, { short: 6 })
    const run = { count: requests, requests, withinMs: 30_000, answerMs: () => 2_500 }
    const { starts } = await serve(await createRig({ world: realWorld() }), { concurrency: 3 }, run)
    const atBestMs = (requests / 3 - 1) * 2_500
    expect(starts.at(-1)).toBeLessThan(atBestMs + 1_000)
  })

  test('uses its rate although answers take longer than a grant reaches ahead', async ({ expect }) => {
    const input = { rateLimit: { requests: 2, perSeconds: 1 } }
    const requests = atFullCount(24, { short: 12 })
    const run = { count: requests, requests, withinMs: 30_000, answerMs: () => 3_000 }
    expect(share(await serve(await createRig({ world: realWorld() }), input, run), 2)).toBeGreaterThan(0.93)
  })

  test('keeps its rate when D1 stalls', async ({ expect }) => {
    const [stallAfterMs, stallMs, count] = atFullCount([2_000, 4_000, 40], { short: [1_500, 2_500, 7] })
    let stallUntilMs = 0
    const db = watchD1(env.DB, async ({ sql }, run) => {
      const isClaim = sql.some((text) => text.startsWith('INSERT INTO claim'))
      if (isClaim && stallUntilMs > Date.now()) await after(stallUntilMs - Date.now())
      return await run()
    })
    const rig = await createRig({ world: realWorld(), db })
    setTimeout(() => {
      stallUntilMs = Date.now() + stallMs
    }, stallAfterMs)
    const run = { count, requests: count, withinMs: 12_000, answerMs: () => 0 }
    const { starts } = await serve(rig, { rateLimit: { requests: 1, perSeconds: 1 } }, run)
    // One that is late by no more than a second, and the next in time.
    expect(mostWithin(starts, 900)).toBeLessThanOrEqual(2)
  })
})

/** Requests that may bunch because they start up to 200 ms late, and one that began the span. */
const BUNCHED = 50 / 5 + 1

test('the rate is kept when a receiver stalls and then answers at once', async () => {
  const answerMs = ({ n, atMs }: { n: number; atMs: number }) => (n <= 12 ? Math.max(0, 1_800 - atMs) : 0)
  const input = { rateLimit: { requests: 50, perSeconds: 1 } }
  const requests = atFullCount(300, { short: 150 })
  const run = { count: requests, requests, withinMs: 12_000, answerMs }
  const { starts } = await serve(await createRig({ world: realWorld() }), input, run)
  expect(mostWithin(starts, 1_000)).toBeLessThanOrEqual(50 + BUNCHED)
})

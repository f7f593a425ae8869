import { setTimeout as pause } from 'node:timers/promises'
import { describe, test } from 'vitest'
import { event, events } from '../../../../support/rig/batching.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { realWorld, serving } from './in-real-time.ts'

/** A receiver that takes as long for its nth request as `answerMs` says; `starts` has when each began. */
async function limited(concurrency: number, answerMs: (n: number) => number) {
  const rig = await createRig({ world: realWorld() })
  const subscription = await rig.subscribe({ concurrency, timeoutSeconds: 30 })
  const startMs = Date.now()
  const seen = { starts: [] as number[], underWay: 0, most: 0 }
  rig.receivers.set(subscription.settings.url, async () => {
    const n = seen.starts.push(Date.now() - startMs)
    seen.most = Math.max(seen.most, ++seen.underWay)
    await pause(answerMs(n))
    seen.underWay--
    return new Response('ok')
  })
  const until = async (count: number, withinMs: number) => {
    const endMs = Date.now() + withinMs
    while (seen.starts.length < count && Date.now() < endMs) await pause(25)
    return seen.starts.length
  }
  return { rig, seen, until, serve: () => serving(rig, subscription) }
}

// These wait for a slow answer most of the time.
describe.concurrent('a permit that is taken by a slow answer', () => {
  test('is the only one that is: what comes later uses the others', async ({ expect }) => {
    const { rig, until, serve } = await limited(5, (n) => (n === 5 ? 5_000 : 20))
    await rig.publish(...events(10))
    const stop = serve()
    await until(10, 1_000)
    await pause(500)
    await rig.publish(...events(20, 10))
    expect(await until(30, 2_500)).toBe(30)
    await stop()
  })

  test('keeps nothing from the others that was claimed for it', async ({ expect }) => {
    // The first is a little slow, so that the next grant has one permit, which the second keeps while it hangs.
    const { rig, until, serve } = await limited(2, (n) => [1_000, 6_000][n - 1] ?? 20)
    await rig.publish(...events(1))
    const stop = serve()
    await pause(300)
    await rig.publish(...events(50, 1))
    expect(await until(51, 4_500)).toBe(51)
    await stop()
  })

  test('is one of thirty when eight consumers wait for one such answer each', async ({ expect }) => {
    const { rig, until, serve } = await limited(30, (n) => (n <= 8 ? 7_000 : 20))
    const stop = serve()
    for (let n = 1; n <= 8; n++) {
      await rig.publish(event(`e${n}`))
      expect(await until(n, 1_000)).toBe(n)
    }
    // Long enough for its receiver to count as slow.
    await pause(1_500)
    await rig.publish(event('e9'))
    expect(await until(9, 2_500)).toBe(9)
    await stop()
  })
})

test.concurrent('more permits than one invocation has connections are used by several', async ({
  expect,
}) => {
  const { rig, seen, until, serve } = await limited(12, () => 500)
  await rig.publish(...events(120))
  const stop = serve()
  await until(120, 7_500)
  await stop()
  expect(seen.most).toBe(12)
  expect(seen.starts.at(119)).toBeLessThan(7_500) // 4,500 at best
})

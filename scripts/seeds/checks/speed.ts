import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../../../test/support/receivers/receiver.ts'
import type { Check } from '../row.ts'
import type { Scene } from '../scene.ts'
import { serve } from './express-app.ts'

const events = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ event: 'load.test', data: { n } }))

/** Events a second that are accepted in bulk. It is a figure of the machine: none is asked for. */
export const acceptsPerSecond: Check = async (scene) => {
  const started = performance.now()
  for (let n = 0; n < 20; n++) await scene.publish({ events: events(1_000) })
  const perSecond = 20_000 / ((performance.now() - started) / 1_000)
  return `${Math.round(perSecond).toLocaleString('en')} events/s on this machine`
}

/** The time in which a single event is captured. */
export const capturesQuickly: Check = async (scene) => {
  await scene.subscribe()
  await scene.publish({ event: 'warm.up', data: {} })
  const times: number[] = []
  for (let n = 0; n < 50; n++) {
    const started = performance.now()
    await scene.publish({ event: 'load.test', data: { n } })
    times.push(performance.now() - started)
    await sleep(5)
  }
  const median = times.sort((a, b) => a - b)[25] ?? 0
  assert.ok(median < 100, `${median} ms`)
  return `median ${median.toFixed(0)} ms`
}

/** Every one of a thousand events is delivered. */
export const deliversAll: Check = async (scene) => {
  await scene.subscribe()
  await scene.publish({ events: events(1_000) })
  await waitUntil(() => scene.requests().length >= 1_000, 60_000)
  const ids = new Set(scene.requests().map(({ id }) => id))
  assert.equal(ids.size, 1_000)
  return `${ids.size} of 1,000`
}

/** Requests that are in flight at once to a thousand receivers, each of which takes three seconds. */
export function deliversAtOnce(atLeast: number): Check {
  return async (scene) => {
    let [now, most] = [0, 0]
    const { port, stop } = await serve((request, response) => {
      most = Math.max(most, ++now)
      request.resume()
      setTimeout(() => {
        now--
        response.end()
      }, 3_000)
    })
    try {
      await subscribeMany(scene, port, 1_000)
      await scene.publish({ event: 'load.test', data: {} })
      await waitUntil(() => most >= atLeast, 30_000)
      assert.ok(most >= atLeast, `${most} at once`)
      return `${most} requests in flight at once`
    } finally {
      await stop()
    }
  }
}

async function subscribeMany(scene: Scene, port: number, count: number): Promise<void> {
  for (let at = 0; at < count; at += 50) {
    const made = Array.from({ length: 50 }, (_, n) => `http://127.0.0.1:${port}/${at + n}`)
    await Promise.all(made.map((url) => scene.subscribe({ url })))
  }
}

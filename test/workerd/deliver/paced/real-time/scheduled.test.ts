import { setTimeout as after } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { events } from '../../../../support/rig/batching.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { realWorld, serving } from './in-real-time.ts'

test('events that are scheduled beside a backlog leave within a second of their time, and none too early', async () => {
  const rig = await createRig({ world: realWorld() })
  const subscription = await rig.subscribe({ rateLimit: { requests: 50, perSeconds: 1 } })
  const lateMs: number[] = []
  rig.receivers.set(subscription.settings.url, async ({ body }) => {
    const { dueAtMs } = (JSON.parse(body) as { data: { dueAtMs?: number } }).data
    if (dueAtMs !== undefined) lateMs.push(Date.now() - dueAtMs)
    await after(50)
    return new Response('ok')
  })
  await rig.publish(...events(250))
  const dueAtMs = Array.from({ length: 10 }, (_, n) => Date.now() + 1_200 + 150 * n)
  await rig.publish(...dueAtMs.map((at) => ({ data: { dueAtMs: at }, deliverAtMs: at })))
  const stop = serving(rig, subscription)
  const endMs = Date.now() + 5_000
  while (lateMs.length < 10 && Date.now() < endMs) await after(25)
  await stop()
  expect(lateMs).toHaveLength(10)
  expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...lateMs)).toBeLessThan(1_000)
})

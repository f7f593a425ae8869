import { setTimeout as after } from 'node:timers/promises'
import { test } from 'vitest'
import { createRig, type SubscriptionInput } from '../../../../support/rig/builders.ts'
import { realWorld, serving } from './in-real-time.ts'

test.concurrent.for<[string, SubscriptionInput]>([
  ['alone', { ordered: true, orderingKey: 'data.key' }],
  ['beside a concurrency', { ordered: true, orderingKey: 'data.key', concurrency: 10 }],
])('two ordering keys that hang hold up no third: an order %s', async ([_, settings], { expect }) => {
  const rig = await createRig({ world: realWorld() })
  const subscription = await rig.subscribe({ ...settings, timeoutSeconds: 30 })
  const begun = new Set<string>()
  rig.receivers.set(subscription.settings.url, async ({ body }) => {
    const { key } = (JSON.parse(body) as { data: { key: string } }).data
    begun.add(key)
    await after(key === 'c' ? 10 : 7_000)
    return new Response('ok')
  })
  const stop = serving(rig, subscription, { rings: settings.concurrency !== undefined })
  await rig.publish({ data: { key: 'a' } })
  await after(500)
  await rig.publish({ data: { key: 'b' } })
  // Long enough for the receiver to count as slow.
  await after(2_500)
  await rig.publish({ data: { key: 'c' } })
  const endMs = Date.now() + 3_000
  while (!begun.has('c') && Date.now() < endMs) await after(25)
  expect([...begun]).toEqual(['a', 'b', 'c'])
  await stop()
})

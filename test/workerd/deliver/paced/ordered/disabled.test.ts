import { beforeEach, expect, test } from 'vitest'
import { createRig, freshStore } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { countStates, eventsFor, watchArrivals } from './arrivals.ts'

beforeEach(freshStore)

test('disabling an ordered subscription ends what is blocked and what waits behind it; enabled, it goes on with new events', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [] } })
  const arrivals = watchArrivals(rig, subscription, ({ id }) => (id === 'e-1' ? 500 : 200))
  await rig.publish(...eventsFor(undefined, 5, 'e'))
  await rig.drain()
  expect(arrivals.firsts()).toEqual(['e-0', 'e-1'])
  const client = clientOf(rig)
  expect((await client.post(`/webhooks/${subscription.id}/disable`)).status).toBe(200)
  for (let n = 0; n < 3; n++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
  expect(await countStates(rig)).toEqual([0, 1, 1, 3])
  expect((await client.post(`/webhooks/${subscription.id}/enable`)).status).toBe(200)
  await rig.publish(...eventsFor(undefined, 2, 'f'))
  await rig.drain()
  expect(arrivals.successes()).toEqual(['e-0', 'f-0', 'f-1'])
})
